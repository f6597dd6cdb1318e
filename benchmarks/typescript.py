"""The TypeScript side: codecs against Python's, and requests over MQTT against Python's and a bare echo of mqtt.js."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.broker import running_broker
from benchmarks.codec import make_offer, time_calls
from benchmarks.codec_messages import COMPARED
from benchmarks.measuring import Numbers, Samples, Settings, fresh, interleaved, run_command, show
from benchmarks.mqtt import request
from orbitalis import Event
from orbitalis_wire.codecs import CODEC_BY_CLASS
from orbitalis_wire.envelope import Encoding, decode_event, encode_event
from orbitalis_wire.messages import OfferMessage
from tests.support.processes import ReportingProcess
from tests.typescript.package import built

__all__ = ["main"]

_PROGRAMS = Path(__file__).parent / "node"


def main(settings: Settings) -> None:
    """Measure and print."""
    built()
    _measure_codecs(settings)
    print()
    _measure_requests(settings)


def _measure_codecs(settings: Settings) -> None:
    calls = settings.pick(2_000, 10)
    offer, codec = make_offer(), CODEC_BY_CLASS[OfferMessage]
    event = Event.create(offer, publisher_identifier="x" * 32).encode(Encoding.AVRO)
    envelope, _ = decode_event(event)
    offered = codec.encode(offer)
    cases = {
        "offer of two operations": {"type": "OfferMessage", "hex": offered.hex()},
        "envelope in avro": {"type": "event", "hex": event.hex()},
    }
    python: dict[str, Callable[[], object]] = {
        "offer of two operations, encode": partial(codec.encode, offer),
        "offer of two operations, decode": partial(codec.decode, offered),
        "envelope in avro, encode": partial(encode_event, envelope, Encoding.AVRO),
        "envelope in avro, decode": partial(decode_event, event),
    }
    for one in COMPARED:
        data = one.message.encode()
        cases[one.name] = {"schema": one.message.avro_schema(), "hex": data.hex()}
        python[f"{one.name}, encode"] = one.message.encode
        python[f"{one.name}, decode"] = partial(one.message.decode, data)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "cases.json"
        given.write_text(json.dumps({"cases": cases, "isQuick": settings.quick}))
        command = ["node", str(_PROGRAMS / "codec.js"), str(given)]
        samples = interleaved(
            settings.rounds,
            {
                "typescript": lambda: json.loads(run_command(command, os.environ)),
                "python": lambda: {name: time_calls(call, calls)["us"] for name, call in python.items()},
            },
        )
    show(
        ("us a call", "TypeScript", "Python", "times as fast"),
        [
            (
                name,
                *(f"{samples.median(side, name):.1f}" for side in ("typescript", "python")),
                f"{samples.ratio('python', 'typescript', name):.2f}",
            )
            for name in python
        ],
    )


def _measure_requests(settings: Settings) -> None:
    count, many = settings.pick((3_000, 100), (20, 10))
    with running_broker() as broker:
        cases: dict[str, Callable[[], Numbers]] = {}
        compared: list[tuple[str, str]] = []
        for how, at_once in (("one by one", 1), (f"{many} at a time", many)):
            names = [f"{what} {how}" for what in ("requests", "echo of mqtt.js", "requests in Python")]
            cases[names[0]] = partial(_repeat, broker.url, ("plugin", "core"), count, at_once)
            cases[names[1]] = partial(_repeat, broker.url, ("answering", "asking"), count, at_once)
            cases[names[2]] = partial(fresh, request, broker.url, at_once, count)
            compared += [(names[0], names[1]), (names[0], names[2])]
        samples: Samples = interleaved(settings.rounds, cases)
    show(
        ("over MQTT", "a second", "CPU us each, both sides"),
        [(case, f"{samples.median(case, 'rate'):,.0f}", f"{samples.median(case, 'cpu') * 1e6:,.0f}") for case in cases],
    )
    print()
    show(
        ("against", "a second", "a CPU second, both sides"),
        [
            (
                f"{case} / {other}",
                f"{samples.ratio(case, other, 'rate'):.2f}",
                f"{samples.ratio(other, case, 'cpu'):.2f}",
            )
            for case, other in compared
        ],
    )


def _repeat(url: str, kinds: tuple[str, str], count: int, at_once: int) -> Numbers:
    """Have one process ask another one so many times, so many at a time, after as many that do not count."""

    async def measure() -> Numbers:
        answering, asking = (
            ReportingProcess(kind, "", kind, url, program=("node", str(_PROGRAMS / "worker.js"))) for kind in kinds
        )
        async with answering, asking:
            await asking.ask("repeat", count, at_once)
            before: float = await answering.ask("cpu")
            took: dict[str, float] = await asking.ask("repeat", count, at_once)
            cpu = took["cpu"] + await answering.ask("cpu") - before
            return {"rate": count / took["wall"], "cpu": cpu / count}

    return asyncio.run(measure())
