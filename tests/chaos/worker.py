"""Orbiters that live through chaos: `python -m tests.chaos.worker PORT KIND IDENTIFIER... [--remotes IDENTIFIER...]`.

It prints a JSON object a line for everything that happens, and reads commands, JSON lists, a line each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import dataclass
from typing import Any

from orbitalis import BusError, Core, MqttEventBusClient, Orbiter, Plugin, Policy, operation, sink
from orbitalis_wire.messages import DiscoverMessage, OfferMessage
from tests.chaos.census import census, connections, unsettled
from tests.chaos.reporting import report, report_everything_unexpected
from tests.chaos.traffic import Traffic

__all__ = ["DEAD_AFTER"]

DEAD_AFTER = 3.0
"""Seconds of silence; short, so that nobody need wait long, and long enough for a busy machine."""
_TIMES: dict[str, Any] = {
    "loop_interval": 0.2,
    "consider_others_dead_after": DEAD_AFTER,
    "send_keepalive_before_timelimit": 2.0,
    "pending_requests_expire_after": 2.0,
}


@dataclass(eq=False)
class ChaosPlugin(Plugin):
    """Answers, and lends something scarce to one core at a time."""

    @operation
    async def echo(self, text: str) -> str:
        """Return a text in capitals."""
        return text.upper()

    @operation(default_policy=Policy(maximum=1))
    async def scarce(self, text: str) -> str:
        """Return a text."""
        return text

    async def _on_new_discover(self, discover_message: DiscoverMessage) -> None:
        first_handshake.begin()

    async def _on_remote_dead(self, remote_identifier: str) -> None:
        report("dead", orbiter=self.identifier, remote=remote_identifier)


@dataclass(eq=False)
class ChaosCore(Core):
    """Needs every plugin."""

    outputs: int = 0
    """How many outputs came that nobody waited for."""

    @sink(ChaosPlugin.echo)
    async def take(self, text: str) -> None:
        """Count an output."""
        self.outputs += 1

    async def _on_compliant(self) -> None:
        report("compliant")

    async def _on_not_compliant(self) -> None:
        report("not compliant")

    async def _on_new_offer(self, offer_message: OfferMessage) -> None:
        first_handshake.begin()

    async def _on_remote_dead(self, remote_identifier: str) -> None:
        report("dead", orbiter=self.identifier, remote=remote_identifier)


class FirstHandshake:
    """Reports the first handshake of this process."""

    def __init__(self) -> None:
        """Have reported none."""
        self._has_begun = False

    def begin(self) -> None:
        """Take the report that a handshake begins."""
        if not self._has_begun:
            self._has_begun = True
            report("handshake")


first_handshake = FirstHandshake()


def make(kind: str, identifier: str, port: int, remotes: list[str]) -> Orbiter:
    """Make an orbiter as a user would who wants to know of a lost broker soon."""
    client = MqttEventBusClient(
        "127.0.0.1",
        port,
        identifier=identifier,
        keepalive=1.0,
        connect_timeout=1.0,
        publish_timeout=2.0,
        reconnect_delay=0.4,
    )
    if kind == "plugin":
        return ChaosPlugin(identifier=identifier, eventbus_client=client, **_TIMES)
    core = ChaosCore(
        identifier=identifier,
        eventbus_client=client,
        discovering_interval=0.3,
        discovering_interval_when_compliant=1.0,
        **_TIMES,
    )
    core.with_requirement(ChaosPlugin.echo, minimum=len(remotes) - 1, mandatory=remotes[:1])
    return core.with_requirement(ChaosPlugin.scarce, minimum=3, maximum=4)


async def start(orbiter: Orbiter) -> None:
    """Start an orbiter, however often that takes."""
    while True:
        try:
            await orbiter.start()
        except BusError as error:
            report("cannot start", orbiter=orbiter.identifier, reason=str(error))
            await asyncio.sleep(0.1)
        else:
            return


async def answer(orbiters: list[Orbiter], traffic: Traffic | None, command: str, *arguments: Any) -> object:
    """Do what a command says."""
    match command:
        case "connections":
            return connections(orbiters)
        case "unsettled":
            return unsettled(orbiters)
        case "census":
            return census(orbiters)
        case "traffic":
            return traffic and {"outcomes": traffic.outcomes, "longest": traffic.longest}
        case "heal" if traffic:
            traffic.look_for_healing(*arguments)
        case "pause" if traffic:
            await traffic.pause()
        case "resume" if traffic:
            traffic.resume()
        case _:
            raise ValueError(command)
    return None


async def main() -> None:
    """Start orbiters, and do what the input says until it says to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("kind", choices=["core", "plugin"])
    parser.add_argument("identifiers", nargs="+")
    parser.add_argument("--remotes", nargs="*", default=[])
    options = parser.parse_args()
    loop = asyncio.get_running_loop()
    report_everything_unexpected(loop)
    orbiters = [make(options.kind, identifier, options.port, options.remotes) for identifier in options.identifiers]
    await asyncio.gather(*map(start, orbiters))
    traffic: Traffic | None = None
    if isinstance(core := orbiters[0], Core):
        traffic = Traffic(core, options.remotes, ChaosPlugin.echo)
        traffic.begin()
    report("started")
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        command = json.loads(line) if line else ["stop"]
        if command == ["stop"]:
            break
        report("answer", value=await answer(orbiters, traffic, *command))
    if traffic is not None:
        await traffic.end()
    await asyncio.gather(*(orbiter.stop() for orbiter in orbiters))
    report("stopped", tasks=len(asyncio.all_tasks()) - 1)


if __name__ == "__main__":
    asyncio.run(main())
