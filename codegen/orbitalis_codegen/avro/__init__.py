"""Avro schemas: from trees of values to named types, held against the rules of Avro."""
