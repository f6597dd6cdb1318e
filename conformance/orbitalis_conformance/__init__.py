"""Tests whether an implementation of the protocol conforms, whatever its language."""
