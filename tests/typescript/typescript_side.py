"""Orbiters in TypeScript, each in a process of its own that does what a test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from orbitalis_conformance.subject import Report, Subject
from tests.support.broker import Broker
from tests.support.repository import ROOT
from tests.typescript.package import built
from tests.typescript.python_side import PATIENCE

__all__ = ["TypeScript", "typescript"]

_PROGRAM = ROOT / "conformance" / "subjects" / "typescript" / "subject.js"
_SETTINGS = {"loop_interval": 0.1, "discovering_interval": 0.2, "suspicion_grace": 0.4}


@dataclass
class TypeScript:
    """An orbiter in a process of Node."""

    broker: Broker
    subject: Subject
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, role: str, **what: Any) -> None:
        """Have it take part."""
        config = {
            "role": role,
            "identifier": f"typescript-{role}",
            "broker": {"host": self.broker.host, "port": self.broker.port},
            "settings": _SETTINGS,
            **what,
        }
        await self.do("start", config=config)

    async def do(self, action: str, **arguments: Any) -> Any:
        """Tell it to do something; return the result."""
        return (await self.subject.do(action, arguments)).content.get("result")

    async def reports(self, event: str, **wanted: Any) -> Mapping[str, Any]:
        """Wait until it reports something."""

        def find() -> Report | None:
            for report in self.subject.reports:
                if report.event == event and wanted.items() <= report.content.items() and not report.is_taken:
                    report.is_taken = True
                    return report
            return None

        async with asyncio.timeout(PATIENCE):
            while (found := find()) is None:
                self.changed.clear()
                await self.changed.wait()
        return found.content


@asynccontextmanager
async def typescript(broker: Broker) -> AsyncGenerator[TypeScript]:
    """Give an orbiter in a process of its own, that ends with the block."""
    await asyncio.to_thread(built)
    subject = Subject(["node", str(_PROGRAM)])
    made = TypeScript(broker, subject)
    subject.on_report = made.changed.set
    await subject.launch()
    try:
        yield made
    finally:
        await subject.kill()
