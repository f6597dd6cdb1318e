"""Floods from a million invented names: `python -m tests.security.flood [--kind KIND] [--events N]`.

Each is sent to a machine in a process of its own, so that the memory it takes can be told from the system's figures.
The machine has a neighbour, with which it is connected; another one comes while the flood is at its worst.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from orbitalis.protocol.limits import Limits
from tests.security.hostile import CORE_FLOODS, PLUGIN_FLOODS
from tests.support.arguments import positive
from tests.support.invariants import assert_sane
from tests.support.machine_settings import text_constraint
from tests.support.machines import Net, Node

__all__ = ["FLOODS", "MEMORY_BOUND", "Outcome", "flood_in_process"]

FLOODS = [*(f"plugin: {name}" for name in PLUGIN_FLOODS), *(f"core: {name}" for name in CORE_FLOODS)]
MEMORY_BOUND = 256 * 1024 * 1024
"""What any flood may make a process grow by: stated in docs/reference/limits.md."""
_TICK = 0.05
"""Seconds between two times at which the machine does its periodic work."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a flood."""

    kind: str
    events: int
    seconds: float
    """Of the processor."""
    grown_bytes: int
    """By which the process is larger than before, at its largest."""
    statistics: Mapping[str, int]
    neighbours_kept: bool
    """Whether the connection from before the flood is still there."""
    newcomer_connected: bool
    """Whether one who came in the middle of the flood was connected before its end."""
    newcomer_seconds: float
    """Of virtual time, from the start of that one to its connection, or to the end."""

    def __str__(self) -> str:
        counted = ", ".join(f"{name} {count}" for name, count in self.statistics.items() if count)
        served = "connected after" if self.newcomer_connected else "not connected in"
        return (
            f"{self.kind:32} {self.events / self.seconds:8.0f} events/s, {self.grown_bytes / 2**20:6.1f} MiB more, "
            f"newcomer {served} {self.newcomer_seconds:.2f} s; {counted}"
        )


def flood(kind: str, events: int, *, per_second: float, paced: bool) -> Outcome:
    """Send a flood to a machine in this process, at a rate in virtual time."""
    role, name = kind.split(": ")
    make = (PLUGIN_FLOODS if role == "plugin" else CORE_FLOODS)[name]
    net = Net()
    unpaced = Limits(stranger_events_per_second=1e12, unfamiliar_schema_bytes_per_second=1e12)
    limits = Limits() if paced else unpaced
    constraint = text_constraint(minimum=1)
    if role == "plugin":
        victim, neighbour = net.add_plugin(limits=limits), net.add_core(text=text_constraint(minimum=1))
    else:
        victim, neighbour = net.add_core(text=constraint, limits=limits), net.add_plugin()
    net.start()
    assert victim.connections() == [neighbour.identifier]
    newcomer: Node | None = None
    chance = random.Random(1)
    started, connected = net.now, None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin, next_tick = time.process_time(), net.now
    for number in range(events):
        net.now += 1 / per_second
        victim.handle(make(number))
        if net.now >= next_tick:
            # In step with the flood, all others would always find its last message just before theirs.
            next_tick = net.now + _TICK * chance.uniform(0.5, 1.5)
            net.now += chance.random() / per_second
            _answer_nobody(net, victim)
            if number >= events // 2 and newcomer is None:
                newcomer = net.add_core("newcomer") if role == "plugin" else net.add_plugin("newcomer")
                newcomer.start()
                started = net.now
            for node in net.nodes:
                node.tick()
            net.run()
            if newcomer is not None and connected is None and "newcomer" in victim.connections():
                connected = net.now
            for node in net.nodes:
                node.effects.clear()
    seconds = time.process_time() - begin
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert_sane(victim)
    return Outcome(
        kind=kind,
        events=events,
        seconds=seconds,
        grown_bytes=grown,
        statistics=asdict(victim.machine.statistics),
        neighbours_kept=neighbour.identifier in victim.connections(),
        newcomer_connected=connected is not None,
        newcomer_seconds=(net.now if connected is None else connected) - started,
    )


def _answer_nobody(net: Net, victim: Node) -> None:
    """Lose what the machine has sent to those that do not exist."""
    others = [node for node in net.nodes if node is not victim]
    net.wire[:] = [packet for packet in net.wire if any(node.receives(packet.topic) for node in others)]


def flood_in_process(kind: str, events: int, *, per_second: float = 20_000, paced: bool = True) -> Outcome:
    """Do the same in a process of its own."""
    command = [sys.executable, "-m", "tests.security.flood", "--one", kind, "--events", str(events)]
    command += ["--rate", str(per_second), *([] if paced else ["--unpaced"])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"the flood of {kind} failed:\n{done.stderr[-3000:]}")
    return Outcome(**json.loads(done.stdout))


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.flood", description="Flood a plugin and a core.")
    parser.add_argument("--kind", metavar="KIND", choices=FLOODS, help="this flood alone, as in --list (default: all)")
    parser.add_argument("--list", action="store_true", help="list the floods")
    parser.add_argument(
        "--events", type=positive(int), default=1_000_000, metavar="N", help="so many events (default: a million)"
    )
    parser.add_argument(
        "--rate", type=positive(float), default=20_000, help="events a second of virtual time (default: 20000)"
    )
    parser.add_argument(
        "--unpaced",
        action="store_true",
        help="do without the bounds on what comes in a second: slow where there is much to read",
    )
    parser.add_argument("--one", choices=FLOODS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list:
        print("\n".join(FLOODS))
        return 0
    if options.one is not None:
        print(
            json.dumps(asdict(flood(options.one, options.events, per_second=options.rate, paced=not options.unpaced)))
        )
        return 0
    try:
        return _flood_all(FLOODS if options.kind is None else [options.kind], options)
    except KeyboardInterrupt:
        return 130


def _flood_all(kinds: Sequence[str], options: argparse.Namespace) -> int:
    """Print what came of each flood; return 1 if there is one that took too much memory or a neighbour's connection."""
    failed = False
    for kind in kinds:
        outcome = flood_in_process(kind, options.events, per_second=options.rate, paced=not options.unpaced)
        good = outcome.grown_bytes < MEMORY_BOUND and outcome.neighbours_kept
        failed = failed or not good
        print("ok  " if good else "BAD ", outcome, flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
