"""A contract, a plugin that keeps it, and a core that uses it; docs/how-to/contracts.md goes through them."""
