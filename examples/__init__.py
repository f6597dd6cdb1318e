"""Whole programs that use Orbitalis, which the tests run."""
