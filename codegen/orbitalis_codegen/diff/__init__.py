"""Compares two versions of the protocol or of a contract, and says who is affected by what changed."""
