"""The warnings and errors that the runtime can log, read from its code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.repository import ROOT

__all__ = ["Line", "logged_lines"]

#: Names of methods that log at WARNING or above: those of loggers, and those of ours that end in one.
METHODS = {"complain", "_complain", "critical", "error", "exception", "warning"}
#: What an object on which they are called may be named; `Runtime.complain` is called on anything.
LOGGERS = {"_complaints", "_log", "_logger", "log", "logger"}


@dataclass(frozen=True)
class Line:
    """A line of the log: where the code logs it, and its text before anything is put into it."""

    place: str
    text: str


def logged_lines() -> list[Line]:
    """Return every warning and error that code of `orbitalis/` logs."""
    return [line for path in sorted((ROOT / "orbitalis").rglob("*.py")) for line in _lines_of(path)]


def _lines_of(path: Path) -> Iterator[Line]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            parameters = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and _logs(call) and call.args:
                    text = call.args[0]
                    if isinstance(text, ast.Name) and text.id in parameters:
                        continue  # it passes on what another line of the code says
                    place = f"{path.relative_to(ROOT)}:{call.lineno}"
                    texts = [text] if not isinstance(text, ast.Name) else _assigned(function, text.id)
                    assert texts, f"{place}: what is logged cannot be read"
                    for one in texts:
                        assert isinstance(one, ast.Constant), f"{place}: what is logged is no text"
                        assert isinstance(one.value, str)
                        yield Line(place, one.value)


def _logs(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in METHODS:
        return False
    on = call.func.value
    name = on.attr if isinstance(on, ast.Attribute) else on.id if isinstance(on, ast.Name) else ""
    # `FieldLogger(…).exception(…)` is called on what has just been made.
    return call.func.attr.endswith("complain") or name in LOGGERS or isinstance(on, ast.Call)


def _assigned(function: ast.AST, name: str) -> list[ast.expr]:
    """Return what a variable may be."""
    return [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and [one for one in node.targets if isinstance(one, ast.Name) and one.id == name]
    ]
