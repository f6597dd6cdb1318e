"""Finds the open connections of an orbiter that are as its user asks."""

from __future__ import annotations

from orbitalis.message.schema import Input, Output
from orbitalis.operations.connection import Connection
from orbitalis.protocol.slots import SlotTable

__all__ = ["find_connections"]


def find_connections(
    slots: SlotTable,
    remote_identifier: str | None,
    input_topic: str | None,
    output_topic: str | None,
    operation_name: str | None,
    input: Input | None,
    output: Output | None,
) -> list[Connection]:
    """Return the open connections that are as all arguments say which are not `None`, oldest first."""
    topic = input_topic or output_topic
    if topic is not None:
        found = slots.of_topic(topic)
    elif remote_identifier is not None:
        found = slots.of_remote(remote_identifier)
    elif operation_name is not None:
        found = slots.answerable_of_operation(operation_name)
    else:
        found = tuple(slots)
    return [
        slot.view
        for slot in found
        if isinstance(slot.view, Connection)
        and slot.is_answerable
        and remote_identifier in (None, slot.remote_identifier)
        and operation_name in (None, slot.operation_name)
        and input_topic in (None, slot.input_topic)
        and output_topic in (None, slot.output_topic)
        and (input is None or slot.input.is_compatible(input))
        and (output is None or slot.output.is_compatible(output))
    ]
