"""JSON Schemas by which editors complete, explain and check the documents that the generator reads."""
