"""Introspection: what operators ask of orbiters, and how an orbiter answers. `orbitalis.operating` asks."""
