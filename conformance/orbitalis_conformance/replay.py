"""Replays traces of the simulator against a machine: what has to follow from each call, and what does."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from orbitalis_conformance.errors import Fault, ToolError
from orbitalis_conformance.outcome import Outcome, Status, Summary
from orbitalis_conformance.plain import is_list, is_mapping

__all__ = ["Driver", "replay_all"]

_MADE: Final = re.compile(r"made-\d+")
"""An identifier that the machine of a trace has made."""
_SETS: Final = frozenset({"open_connections", "allowlist", "blocklist", "topics"})
"""Keys of arrays whose order does not matter."""
_FOR_PEOPLE: Final = frozenset({"description"})
"""Keys of texts that are for people, and may be any."""


class Driver:
    """The program around a machine."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", bufsize=1
            )
        except OSError as error:
            raise ToolError(f"the driver cannot be started by {self._command}: {error}") from None

    def call(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Hand over one call; return the answer.

        Raises:
            ToolError: The driver has ended, or says that it failed, or does not write what it has to.
        """
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(content) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise ToolError(f"the driver has ended in answer to {str(content)[:500]}")
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise ToolError(f"the driver wrote what is no JSON: {line[:200]!r}") from None
        if "error" in answer:
            raise ToolError(f"the driver failed in answer to {str(content)[:500]}: {answer['error']}")
        if not is_list(answer.get("effects")):
            raise ToolError(f"the driver wrote an answer without the list `effects`: {line[:200]!r}")
        return answer

    def close(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class _Names:
    """Which identifier the machine under test has in the place of one of the trace."""

    def __init__(self) -> None:
        self._theirs: dict[str, str] = {}
        self._taken: set[str] = set()

    def given(self, content: Any) -> Any:
        """Return what is handed over, with the identifiers of the machine under test."""
        if isinstance(content, str):
            return _MADE.sub(lambda found: self._theirs.get(found[0], found[0]), content)
        if is_mapping(content):
            return {key: self.given(one) for key, one in content.items()}
        if is_list(content):
            return [self.given(one) for one in content]
        return content

    def same_text(self, expected: str, actual: object) -> bool:
        """Return whether a text is as expected; identifiers in it that are new are noted."""
        if expected == actual and "made-" not in expected:
            return True
        if not isinstance(actual, str):
            return False
        parts, others = expected.split("/"), actual.split("/")
        return len(parts) == len(others) and all(map(self._same_level, parts, others))

    def _same_level(self, expected: str, actual: str) -> bool:
        if _MADE.fullmatch(expected) is None:
            return expected == actual
        known = self._theirs.get(expected)
        if known is not None:
            return known == actual
        if expected == actual:  # another orbiter has made it
            return True
        if actual in self._taken:
            return False
        self._theirs[expected] = actual
        self._taken.add(actual)
        return True


def replay_all(traces: Iterable[str], command: Sequence[str]) -> Summary:
    """Replay traces, given as lines of JSON, against the machine of a driver.

    Raises:
        ToolError: The driver cannot be started, or a trace is none.
    """
    begin = time.monotonic()
    outcomes: list[Outcome] = []
    driver = Driver(command)
    try:
        for line in traces:
            try:
                trace = json.loads(line)
                name = trace["trace"]
            except (ValueError, KeyError, TypeError):
                raise ToolError(f"a trace is none: {line[:100]!r}") from None
            outcomes.append(_outcome_of(trace, name, driver))
            if outcomes[-1].status is Status.ERROR:
                driver.close()
                driver = Driver(command)
    finally:
        driver.close()
    return Summary(subject=f"machine of {' '.join(command)}", outcomes=outcomes, seconds=time.monotonic() - begin)


def _outcome_of(trace: Mapping[str, Any], name: str, driver: Driver) -> Outcome:
    begin, status, text = time.monotonic(), Status.PASSED, ""
    try:
        _replay(trace, driver)
    except Fault as fault:
        status, text = Status.FAILED, str(fault)
    except ToolError as error:
        status, text = Status.ERROR, str(error)
    return Outcome(name=f"trace: {name}", status=status, seconds=time.monotonic() - begin, requirements=(), text=text)


def _replay(trace: Mapping[str, Any], driver: Driver) -> None:
    names = _Names()
    made = driver.call({"call": "make", "role": trace["role"], "config": trace["config"]})
    lacks = frozenset(made.get("lacks", ()))
    for number, step in enumerate(trace["steps"]):
        call = {key: names.given(one) for key, one in step.items() if key not in ("effects", "taken", "refused")}
        answer = driver.call(call)
        for key in ("taken", "refused"):
            if bool(step.get(key)) != bool(answer.get(key)):
                raise Fault(
                    f"step {number}, {_shown(call)}: `{key}` has to be {step.get(key)}, and is {answer.get(key)}"
                )
        if difference := _difference(step["effects"], answer["effects"], names, lacks):
            raise Fault(f"step {number}, {_shown(call)}: {difference}")


def _shown(content: object) -> str:
    text = json.dumps(content, ensure_ascii=False)
    return text if len(text) <= 600 else f"{text[:600]}…"


def _difference(
    expected: Sequence[Mapping[str, Any]], actual: Sequence[Mapping[str, Any]], names: _Names, lacks: frozenset[str]
) -> str | None:
    """Return in what the effects of one call are not as expected."""
    wanted, got = _by_remote(expected, lacks), _by_remote(actual, lacks)
    for remote in {**wanted, **got}:
        mine, theirs = wanted.get(remote, []), got.get(remote, [])
        for index in range(max(len(mine), len(theirs))):
            if index >= len(theirs):
                return f"expected {_shown(mine[index])}, and there is no more for {remote}"
            if index >= len(mine):
                return f"nothing more is expected for {remote}, and there is {_shown(theirs[index])}"
            if at := _mismatch(mine[index], theirs[index], names):
                return f"expected {_shown(mine[index])}\n  got {_shown(theirs[index])}\n  which differ in {at}"
    return None


def _by_remote(effects: Sequence[Mapping[str, Any]], lacks: frozenset[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return effects in the groups in which their order counts."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for effect in effects:
        kind, remote = effect.get("effect", ""), effect.get("remote")
        if kind not in lacks:
            group = "everybody" if remote is None else f"remote {remote!r}"
            found.setdefault(f"the will of {remote!r}" if kind == "watch_will" else group, []).append(effect)
    return found


def _mismatch(expected: Any, actual: Any, names: _Names, at: str = "") -> str | None:
    """Return where two values differ; `None` if they do not."""
    if is_mapping(expected) and is_mapping(actual):
        for key in {**expected, **actual}:
            if key in _FOR_PEOPLE:
                continue
            if found := _mismatch(expected.get(key), actual.get(key), names, f"{at}.{key}" if at else key):
                return found
        return None
    if is_list(expected) and is_list(actual):
        if len(expected) != len(actual):
            return at
        if at.rpartition(".")[2] in _SETS:
            expected, actual = sorted(map(str, map(names.given, expected))), sorted(map(str, actual))
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            if found := _mismatch(one, other, names, f"{at}[{index}]"):
                return found
        return None
    if isinstance(expected, str):
        return None if names.same_text(expected, actual) else at
    if isinstance(expected, float) and isinstance(actual, int | float):
        return None if expected == actual else at
    return None if expected == actual and isinstance(expected, bool) == isinstance(actual, bool) else at
