"""The handshake, one side a file: what a plugin offers and lends, and what a core asks for and requests."""
