"""What importing `Core` and `Plugin` costs, and a program up to its first execution, against `import asyncio`."""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial

from benchmarks import reference
from benchmarks.measuring import Numbers, Settings, environment, interleaved, run_command, show

__all__ = ["main"]

_ASYNCIO, _IMPORT, _EXECUTION = "import asyncio", "import Core, Plugin", "first execution"
_STATEMENTS = {
    _ASYNCIO: "import asyncio",
    "import codecs and channels": "import orbitalis_wire.codecs, orbitalis_wire.channels, orbitalis_wire.envelope",
    _IMPORT: "from orbitalis import Core, Plugin",
    _EXECUTION: """
import asyncio
from orbitalis import Core, Plugin, operation

class TextPlugin(Plugin):
    @operation
    async def lowercase(self, text: str) -> str:
        return text.lower()

async def main():
    core = Core(identifier="core").with_requirement(TextPlugin.lowercase, minimum=1)
    async with TextPlugin(identifier="plugin"), core:
        await core.compliant_event.wait()
        await core.request(TextPlugin.lowercase, "HELLO")

asyncio.run(main())
""",
}
_ITS_STATEMENT = "from orbitalis.core.core import Core; from orbitalis.plugin.plugin import Plugin"


def main(settings: Settings) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as cache:
        # As in an installed package, nothing has to be compiled.
        ours = {**environment(), "PYTHONPYCACHEPREFIX": cache}
        ours.pop("PYTHONDONTWRITEBYTECODE", None)
        cases: dict[str, Callable[[], Numbers]] = {
            name: partial(_cpu, [sys.executable, "-c", statement], ours) for name, statement in _STATEMENTS.items()
        }
        if settings.reference:
            # Isolated, it looks for compiled modules where they were installed.
            its = reference.variables()
            command = [settings.reference, "-I", "-c"]
            cases["py-orbitalis, " + _ASYNCIO] = partial(_cpu, [*command, "import asyncio"], its)
            cases["py-orbitalis, " + _IMPORT] = partial(_cpu, [*command, _ITS_STATEMENT], its)
        for compile_first in cases.values():
            compile_first()
        samples = interleaved(settings.pick(15, 1), cases)
    rows = [
        (
            case,
            f"{samples.median(case, 'seconds') * 1000:.0f}",
            f"{samples.ratio(case, _ASYNCIO if case in _STATEMENTS else 'py-orbitalis, ' + _ASYNCIO, 'seconds'):.1f}",
        )
        for case in cases
    ]
    show(("process", "CPU ms", "against import asyncio"), rows)


def _cpu(command: list[str], variables: Mapping[str, str]) -> Numbers:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run_command(command, variables)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}
