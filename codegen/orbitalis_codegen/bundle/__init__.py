"""One self-contained AsyncAPI document: the whole specification, for tools that know nothing of ours."""
