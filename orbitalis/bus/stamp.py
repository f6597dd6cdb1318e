"""Stamps: what is put on what is published to a topic, or on a connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding

__all__ = ["NO_STAMP", "TopicStamp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicStamp:
    """What is put on events that are published to one topic; the headers are fields of the envelope."""

    encoding: Encoding = Encoding.JSON
    protocol_version: int | None = None
    incarnation: str | None = None
    connection_identifier: str | None = None
    readable_encodings: Sequence[str] | None = None
    channel: Channel | None = None
    """Whose topic it is, which says the quality of service."""
    bus: str | None = None
    """For a client that is on several: the name of the one on which the topic is listened to."""


NO_STAMP: Final = TopicStamp()
"""JSON without headers."""
