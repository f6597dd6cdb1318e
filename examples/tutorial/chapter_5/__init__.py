"""Chapter 5 of the tutorial."""
