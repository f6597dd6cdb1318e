"""The handshake, with one file for each side: plugins offer and lend, cores ask and request."""
