"""Tests of the dashboard: what its relay lets through, and the page in a browser."""
