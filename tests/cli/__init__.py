"""Tests of the command `orbitalis`."""
