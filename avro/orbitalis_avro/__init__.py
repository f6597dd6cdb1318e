"""Avro without files: types, the codec plan, Python source made from it, and what that source calls.

It depends on nothing, so that the generator, the generated packages and the runtime can all stand on it.

    types     what a schema says, with all names resolved
    plan      the order of work of a codec, for any language
    layout    how Python sees the values of a plan
    source    Python functions that write, read and copy the values of a layout
    binary    what these functions call; checks, logical and numbers, too
    values    the same for the JSON encoding of the envelope
    records   the base of generated message classes
    errors    what is raised
"""
