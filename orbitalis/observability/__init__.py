"""Tells tools that watch programs what an orbiter does.

`traces` and `metrics` take the extra `otel`, and `prometheus` takes the extra of that name.
"""
