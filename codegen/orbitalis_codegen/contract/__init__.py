"""Contracts: AsyncAPI documents of users, each of which describes what one plugin provides."""
