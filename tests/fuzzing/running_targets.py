"""A running core and a running plugin, to which events are delivered as they come from a network."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from orbitalis.bus import LocalEventBus
from orbitalis.message import Event, UndecodedPayload
from orbitalis.testing import Harness, run
from orbitalis_avro.errors import DecodeError
from orbitalis_wire.codecs import CODECS
from orbitalis_wire.envelope import Encoding
from tests.fuzzing.machine_targets import AFTER_ALL, DURATIONS, mutated
from tests.fuzzing.messages_at_random import TEXTS, message_at_random
from tests.fuzzing.target import Source, Target
from tests.support.orbiters import EchoPlugin, TextCore, needs

__all__ = ["running_targets"]

_LONGEST_STORY = 30
"""Steps."""
_HEADERS = ("identifier", "incarnation", "correlation_identifier", "connection_identifier")


def running_targets() -> list[Target]:
    """Return the target."""
    return [Target(name="running", run=_running, seeds=_stories, seconds=5.0, largest=2048, is_slow=True)]


def _running(data: bytes) -> None:
    """Let a story happen; no handler fails, and in the end what is asked for is answered."""
    noted = _Noted()
    logger = logging.getLogger("orbitalis")
    level = logger.level
    logger.setLevel(logging.ERROR)
    logger.addHandler(noted)
    try:
        run(_happens(Source(data)))
    finally:
        logger.removeHandler(noted)
        logger.setLevel(level)
    assert noted.records == [], noted.records


class _Noted(logging.Handler):
    """Keeps what is logged as an error: no stranger is one of ours."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(f"{record.getMessage()} {record.exc_info}")


@dataclass
class _Failures:
    """Collects what nobody caught."""

    contexts: list[dict[str, Any]]

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.contexts.append(context)


async def _happens(source: Source) -> None:
    failures = _Failures([])
    asyncio.get_running_loop().set_exception_handler(failures)
    async with Harness() as harness:
        shared = {name: value for name, value in DURATIONS.items() if not name.startswith("discovering")}
        options: dict[str, Any] = {**shared, "loop_interval": 2.0}
        plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client(), **options)
        core = TextCore(
            identifier="core",
            eventbus_client=harness.client(),
            operation_requirements=needs(),
            **{**options, **DURATIONS},
        )
        await harness.start(plugin, core)
        await harness.connected(core, plugin)
        for _ in range(_LONGEST_STORY):
            if not source:
                break
            await _step(harness, source)
        await harness.idle()
        for orbiter in (core, plugin):
            assert orbiter.eventbus_client.statistics.handler_errors == 0
        # Those that pretended to be one of them are dead by then.
        await harness.advance(AFTER_ALL)
        await harness.connected(core, plugin)
        before = len(core.texts)
        await core.execute("text", "still there?", plugin_identifier="plugin")
        await harness.idle()
        assert core.texts[before:] == ["still there?"]
    assert failures.contexts == []


async def _step(harness: Harness, source: Source) -> None:
    sent = harness.recording
    match source.number(8):
        case 0:
            await harness.advance((0.1, 1.0, 5.0, 20.0)[source.number(4)])
        case 1:
            await harness.idle()
        case 2:
            # Made up from bytes alone.
            codec = CODECS[source.number(len(CODECS))]
            try:
                made_up = codec.decode(source.chunk())
            except DecodeError:
                return
            event = Event.create(made_up, publisher_identifier="x", identifier="e1", incarnation="1")
            _deliver(harness.bus, _topic(harness, source), event.encode(Encoding.AVRO), Source(b""))
        case _:
            one = sent[len(sent) - 1 - source.number(min(len(sent), 256))]
            payload: Any = one.event.payload
            if isinstance(payload, UndecodedPayload):
                return
            if payload is not None:
                for _ in range(source.number(4)):
                    payload = mutated(payload, source)
            envelope = one.event.envelope
            for _ in range(source.number(3)):
                name = _HEADERS[source.number(len(_HEADERS))]
                values = [getattr(other.event.envelope, name) for other in sent[-20:]] + list(TEXTS)
                changes: dict[str, Any] = {name: values[source.number(len(values))]}
                envelope = replace(envelope, **changes)
            topic = one.topic if source.number(4) else _topic(harness, source)
            event = Event(payload=payload, envelope=envelope)
            _deliver(harness.bus, topic, event.encode(list(Encoding)[source.number(2)]), source)
    await asyncio.sleep(0)


def _topic(harness: Harness, source: Source) -> str:
    topics = sorted({sent.topic for sent in harness.recording})
    return topics[source.number(len(topics))]


def _deliver(bus: LocalEventBus, topic: str, data: bytes, source: Source) -> None:
    """Deliver what is left of an event when some of its bytes have been changed, as a client of a network does."""
    changed = bytearray(data)
    for _ in range(source.number(3)):
        at = source.number(len(changed))
        changed[at : at + source.number(4)] = source.take(source.number(4))
    try:
        event = Event.decode(bytes(changed))
    except DecodeError:
        return
    LocalEventBus.publish(bus, topic, event)  # what was never encoded cannot be recorded as it came


def _stories() -> Sequence[bytes]:
    chance = random.Random("running")
    replays = [b"".join(bytes([3, chance.randrange(20), 0, 0, 1, 0, 0]) for _ in range(20)) for _ in range(5)]
    made = [
        bytes([2, place, len(data), *data, chance.randrange(20)])
        for place, codec in enumerate(CODECS)
        if len(data := codec.encode(message_at_random(codec.message_class, chance))) < 250
    ]
    return [*replays, *made, *(chance.randbytes(150) for _ in range(5))]
