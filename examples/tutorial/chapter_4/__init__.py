"""Chapter 4 of the tutorial."""
