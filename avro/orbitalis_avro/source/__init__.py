"""Python source: functions that write, read and copy the values of a record, straight-line for exactly its layout.

The generator puts them into a module; the runtime compiles them for the message classes of users. What they call stands
in :mod:`orbitalis_avro.binary` and :mod:`orbitalis_avro.logical`. Each keeps in `at` where it is in the record, so that
a fault says it, and nothing has to be looked at twice.
"""

from __future__ import annotations

from orbitalis_avro.layout import RecordLayout
from orbitalis_avro.source.copier import Copier
from orbitalis_avro.source.reader import Reader
from orbitalis_avro.source.resolver import Resolvers
from orbitalis_avro.source.writer import Writer

__all__ = ["Resolvers", "copy_function", "read_function", "write_function"]


def write_function(record: RecordLayout) -> str:
    """Return the source of `_write_…(value, add)`, which hands the bytes of a value to `add`, part by part.

    Where the record has several versions, `fields` after `add` says how many fields are written.
    """
    return Writer(record).function()


def read_function(record: RecordLayout) -> str:
    """Return the source of `_read_…(data, position)`, which returns a value and the position after it.

    Where the record has several versions, `fields` after `position` says how many fields there are.
    """
    return Reader(record).function()


def copy_function(record: RecordLayout) -> str:
    """Return the source of `_copy_…(value)`, which returns what reading would give of what writing gives.

    A value in which nothing can change is checked and returned as it is.
    """
    return Copier(record).function()
