"""The act in which another language takes part."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from examples.demo.asking import hear
from examples.demo.play import Play

__all__ = ["languages"]

LAMP: Final = "lamp"
CORE: Final = "house"

_PROGRAM: Final = (
    Path(__file__).resolve().parents[2] / "typescript" / "dist" / "examples" / "contract" / "typescript" / "plugin.js"
)


async def languages(play: Play) -> None:
    """A lamp in TypeScript is used by a core in Python."""
    node = shutil.which("node")
    missing = _missing(node, is_one_process=play.stage.is_one_process)
    if missing or node is None:
        play.act("Another language: LEFT OUT", missing)
        return
    play.act(
        "Another language",
        f"The plugin `{LAMP}` is written in TypeScript, the core `{CORE}` in Python. Both keep the contract "
        "`examples/contract/lamps.yaml`, from which their messages were generated. The bulb breaks when the lamp is "
        "turned up: the error crosses the border, too.",
    )
    async with play.step("a lamp in TypeScript starts"):
        lamp = await play.stage.start_program(LAMP, node, str(_PROGRAM), play.bus)
        await play.chronicle.expect(LAMP, "lamp has started")
    async with play.step("a core in Python turns it on, breaks its bulb and turns it off"):
        said = await hear(play, CORE, "examples.contract.core", play.bus)
        expected = ("the lamp takes 30.0 W", "Status(on=True)", "broken after 1000 hours", "Status(on=False)")
        unsaid = [one for one in expected if one not in said]
        play.check(not unsaid, "everything to be answered", f"this is missing: {', '.join(unsaid)}")
    async with play.step("the lamp in TypeScript stops"):
        status = await lamp.terminate()
        play.check(status == 0, f"{LAMP} to end with status 0", f"its status was {status}")


def _missing(node: str | None, *, is_one_process: bool) -> str:
    """Say what the act lacks; nothing if it can be played."""
    if is_one_process:
        return "A lamp in TypeScript is a process of its own, which a bus within this one does not reach."
    if node is None:
        return "A lamp in TypeScript takes Node.js, which is not installed."
    if not _PROGRAM.exists():
        return "The lamp in TypeScript is not compiled: `make demo` does that, with npm."
    return ""
