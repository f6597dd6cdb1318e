"""From files to trees of values, each of which knows where it came from."""
