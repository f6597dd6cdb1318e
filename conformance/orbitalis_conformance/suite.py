"""Runs cases side by side, each at a broker of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from orbitalis_conformance.broker import Broker
from orbitalis_conformance.case import Case
from orbitalis_conformance.errors import Fault, ToolError
from orbitalis_conformance.outcome import Expectations, Outcome, Status, Summary
from orbitalis_conformance.scene import Scene
from orbitalis_conformance.steps import run_steps
from orbitalis_conformance.subject import Subject

__all__ = ["run_suite"]


_CHANCES = 2
"""How often a case is tried again that passed and has to fail: faults of timing do not show each time."""


async def run_suite(
    cases: Sequence[Case],
    command: Sequence[str],
    *,
    jobs: int,
    patience: float = 1.0,
    expectations: Expectations | None = None,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
) -> Summary:
    """Run cases against a subject, `jobs` of them at a time.

    Raises:
        ToolError: The broker or the subject cannot be started at all.
    """
    begin = time.monotonic()
    # The longest first, so that none of them is alone at the end.
    waiting = sorted(cases, key=lambda case: -_length(case))
    outcomes: dict[str, Outcome] = {}
    names: list[str] = []

    async def work() -> None:
        async with AsyncExitStack() as stack:
            broker = Broker()
            stack.push_async_callback(broker.close)
            await broker.start()
            subject = Subject(command)
            stack.push_async_callback(subject.kill)
            await subject.launch()
            names.append(subject.name)
            while waiting:
                case = waiting.pop(0)
                reason = None if expectations is None else expectations.reason(case.name)
                # What has to fail often waits in vain, and gets no more time than usual for that.
                time = patience if reason is None else min(patience, 1.0)
                outcome = _as_expected(await _outcome_of(case, broker, subject, time), reason)
                for _ in range(_CHANCES):
                    if outcome.status is Status.UNEXPECTED_PASS:
                        outcome = _as_expected(await _outcome_of(case, broker, subject, time), reason)
                outcomes[case.name] = outcome
                on_outcome(outcome)

    async with asyncio.TaskGroup() as group:
        for _ in range(max(1, min(jobs, len(waiting)))):
            group.create_task(work())
    return Summary(
        subject=names[0] if names else "",
        outcomes=[outcomes[case.name] for case in cases],
        seconds=time.monotonic() - begin,
    )


def _length(case: Case) -> float:
    """Return about how long a case takes: what it waits for."""
    length = 0.0
    for step in case.steps:
        head = next(iter(step))
        length += float(step[head]) if head == "wait" else 0.3 if " no" in head else 0.05
        length += 1.0 if "starts" in head or "broker" in head else 0.0
    return length + float(case.limit) / 100


def _as_expected(outcome: Outcome, reason: str | None) -> Outcome:
    if reason is None:
        return outcome
    if outcome.status is Status.FAILED:
        return replace(outcome, status=Status.EXPECTED, text=f"{reason}\n    ({outcome.text})")
    if outcome.status is Status.PASSED:
        return replace(outcome, status=Status.UNEXPECTED_PASS, text=f"it is expected to fail: {reason}")
    return outcome


async def _outcome_of(case: Case, broker: Broker, subject: Subject, patience: float) -> Outcome:
    begin = time.monotonic()
    if not subject.is_running:
        await subject.launch()
    missing = sorted(case.needs & subject.lacks)
    if missing:
        text = f"the subject does without {', '.join(missing)}"
        return Outcome(name=case.name, status=Status.SKIPPED, seconds=0.0, requirements=case.requirements, text=text)
    status, text, requirements, scene = Status.PASSED, "", case.requirements, None
    try:
        scene = Scene(case, broker, subject, patience=patience)
        async with asyncio.timeout(case.limit * patience):
            await scene.bus.connect()
            if case.subject.get("starts") != "later":
                await scene.start_subject()
            await run_steps(scene, case.steps)
            await scene.settle()
            if scene.rules.violations:
                raise scene.rules.violations[0]
    except Fault as fault:
        status, text, requirements = Status.FAILED, str(fault), fault.requirements or requirements
    except ToolError as error:
        status, text = Status.ERROR, f"{case.place}: {error}"
    except TimeoutError:
        status, text = Status.FAILED, f"it took more than {case.limit * patience:g} s"
    except Exception as error:  # a fault of the tester must not look like one of the subject
        status, text = Status.ERROR, f"{case.place}: {type(error).__name__}: {error}"
    finally:
        if scene is not None:
            await scene.tear_down()
        if broker.is_stopped:
            await broker.start()
    log = [] if scene is None or status is Status.PASSED else [*scene.log, *subject.errors[-20:]]
    subject.errors.clear()  # what it writes from now on is about another case
    seconds = time.monotonic() - begin
    return Outcome(name=case.name, status=status, seconds=seconds, requirements=requirements, text=text, log=log)
