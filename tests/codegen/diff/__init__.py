"""Tests of the comparison of two versions, and what they share."""
