"""The program: which stage it plays on, what its exit status is, and that nothing outlives it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence

from examples.demo.acts import ACTS
from examples.demo.broker import find_mosquitto
from examples.demo.chronicle import Chronicle, StepFailedError
from examples.demo.in_process import InProcessStage
from examples.demo.play import Play
from examples.demo.processes import ProcessStage
from examples.demo.stage import Stage
from examples.demo.terminal import Terminal

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the demonstration; return the exit status: 0 if all of it happened, 1 if not, 128 + N after signal N."""
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description="Show a core and its plugins at work.")
    parser.add_argument("--in-process", action="store_true", help="do without a broker, in one process")
    parser.add_argument("--patience", type=float, default=20.0, help=argparse.SUPPRESS)
    parser.add_argument("--lamp-module", default="examples.lamps.plugin", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    # What is logged goes on in the play as well, and is told there in other words.
    logging.disable()
    try:
        return asyncio.run(_run(options))
    except BrokenPipeError:
        # Nobody reads any more; nor may the interpreter try to write when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


async def _run(options: argparse.Namespace) -> int:
    """Play until the end or a signal, and end whatever runs then."""
    received: list[signal.Signals] = []
    playing = asyncio.create_task(_play(options))

    def end_early(number: signal.Signals) -> None:
        # What follows takes a few seconds at most; more signals make it no faster.
        if not received:
            received.append(number)
            playing.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            # It was started with nohup.
            continue
        asyncio.get_running_loop().add_signal_handler(number, end_early, number)
    try:
        return await playing
    except asyncio.CancelledError:
        if not received:
            raise
        with contextlib.suppress(BrokenPipeError):
            Terminal().line(f"\n{received[0].name}: everything has been ended.")
        return 128 + received[0]


async def _play(options: argparse.Namespace) -> int:
    terminal, since = Terminal(), time.monotonic()
    chronicle = Chronicle(terminal, patience=options.patience)
    stage = _choose_stage(options, chronicle, terminal)
    play = Play(stage, chronicle, terminal)
    failure: StepFailedError | None = None
    try:
        for act in ACTS:
            await act(play)
    except StepFailedError as error:
        failure = error
    finally:
        await stage.close()
    chronicle.begin_part()
    terminal.heading("What was shown")
    for title, done in play.steps:
        terminal.step(title, done=done)
    terminal.line()
    if failure is not None:
        terminal.line("The demonstration ended at the step that failed; everything that it had started was ended.")
        terminal.failure(failure.expected, failure.reason)
        return 1
    terminal.line(f"All {len(play.steps)} steps happened, within {time.monotonic() - since:.1f} s.")
    return 0


def _choose_stage(options: argparse.Namespace, chronicle: Chronicle, terminal: Terminal) -> Stage:
    terminal.line(
        "Orbitalis: a core needs operations, plugins provide them, and they find each other over an event bus."
    )
    terminal.line()
    mosquitto = None if options.in_process else find_mosquitto()
    if mosquitto is not None:
        terminal.explain(
            "The core, every plugin and the broker between them are operating system processes of their own. This "
            "program starts them and waits for what they report; each line begins with who speaks."
        )
        return ProcessStage(mosquitto, chronicle, lamp_module=options.lamp_module)
    reason = "As you asked for" if options.in_process else "The broker mosquitto is not installed, so"
    terminal.explain(
        f"{reason}, everything runs in ONE process, on the bus within it. That is the same protocol, but: nothing is "
        "killed (a lamp is torn off the bus instead), and the act in which the broker dies is left out."
    )
    return InProcessStage(chronicle)
