"""A greenhouse in six chapters, which docs/tutorial goes through."""
