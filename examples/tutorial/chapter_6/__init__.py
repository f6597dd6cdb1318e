"""Chapter 6 of the tutorial."""
