"""Chapter 1 of the tutorial."""
