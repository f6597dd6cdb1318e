"""The commands, one module each, whose function `run` is called with what the command line says."""
