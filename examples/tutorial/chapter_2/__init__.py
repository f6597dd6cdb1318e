"""Chapter 2 of the tutorial."""
