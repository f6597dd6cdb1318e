"""A contract, a plugin that keeps it, and a core that uses it; docs/contracts.md goes through them."""
