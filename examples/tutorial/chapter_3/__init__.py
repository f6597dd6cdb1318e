"""Chapter 3 of the tutorial."""
