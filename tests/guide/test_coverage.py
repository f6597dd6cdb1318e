"""The page on the coverage of the user guide: its tests and names exist, and its numbers are right."""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

import pytest

import orbitalis
from tests.support.repository import ROOT

PAGE = ROOT / "docs" / "user-guide-coverage.md"
KINDS = ("same", "renamed", "different", "left out")
EXAMPLE = ROOT / "examples" / "guide" / "minimal.py"


@dataclass(frozen=True, slots=True)
class Item:
    """A row of the page."""

    line: int
    name: str
    here: tuple[str, ...]
    how: str
    tests: tuple[str, ...]
    remark: str


def items() -> list[Item]:
    found: list[Item] = []
    for number, line in enumerate(PAGE.read_text().splitlines(), start=1):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5 and cells[0] not in ("in the guide", "---"):
            here, tests = (tuple(re.findall(r"`([^`]+)`", cell)) for cell in (cells[1], cells[3]))
            found.append(Item(number, cells[0], here, cells[2], tests, cells[4]))
    return found


ITEMS = items()


def totals() -> dict[str, int]:
    """Return the numbers at the top of the page."""
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \|$", PAGE.read_text(), re.MULTILINE)
    return {name.partition(":")[0]: int(number) for name, number in rows}


@cache
def functions_of(path: str) -> frozenset[str]:
    return frozenset(re.findall(r"^(?:async )?def (\w+)", (ROOT / path).read_text(), re.MULTILINE))


def exists(test: str) -> bool:
    """Tell whether there is a test; what stands in brackets is one of the examples."""
    match = re.fullmatch(r"(tests/[\w/]+\.py)::(test_\w+)(?:\[(\w+)\])?", test)
    if match is None or not (ROOT / match[1]).is_file() or match[2] not in functions_of(match[1]):
        return False
    return match[3] is None or (ROOT / "examples" / "guide" / f"{match[3]}.py").is_file()


def is_offered(name: str) -> bool:
    """Tell whether the package offers a name, or a class that it offers has an attribute, also of instances alone."""
    owner, _, attribute = name.partition(".")
    if owner not in orbitalis.__all__:
        return False
    value = getattr(orbitalis, owner)
    if not attribute or hasattr(value, attribute):
        return True
    sources = [inspect.getsource(base) for base in value.__mro__ if base.__module__.startswith("orbitalis")]
    return any(re.search(rf"^\s+(self\.)?{attribute}\b.*[:=]", source, re.MULTILINE) for source in sources)


def code_lines(source: str) -> int:
    """Count the lines that are neither blank nor a comment nor of a docstring."""
    documentation: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.AsyncFunctionDef) and ast.get_docstring(node) is not None:
            documentation.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = enumerate(source.splitlines(), start=1)
    return sum(number not in documentation and not re.match(r"\s*(#|$)", line) for number, line in lines)


def test_there_are_as_many_items_as_the_page_says() -> None:
    found = totals()
    assert found["in the guide"] == len(ITEMS)
    assert found["covered by a test"] == sum(bool(item.tests) for item in ITEMS)
    assert {kind: found[kind] for kind in KINDS} == Counter(item.how for item in ITEMS)
    assert sum(found[kind] for kind in KINDS) == len(ITEMS)


def test_every_test_exists() -> None:
    assert [f"{item.line}: {test}" for item in ITEMS for test in item.tests if not exists(test)] == []
    assert not exists("tests/guide/test_coverage.py::test_nothing")
    assert not exists("tests/examples/test_guide.py::test_an_example_prints_what_the_page_says[nothing]")


def test_every_name_exists() -> None:
    assert [f"{item.line}: {name}" for item in ITEMS for name in item.here if not is_offered(name)] == []
    assert not is_offered("Plugin.nothing")
    assert not is_offered("Nothing")
    assert is_offered("Core.state")


def test_what_is_not_the_same_has_a_reason_and_what_is_there_a_test() -> None:
    assert [item.line for item in ITEMS if item.how != "same" and not item.remark] == []
    assert [f"{item.line}: {item.name}" for item in ITEMS if item.how != "left out" and not item.tests] == []
    assert [item.line for item in ITEMS if item.how == "left out" and item.here] == []


@pytest.mark.parametrize(
    ("row", "name"),
    [("plugin with one operation, which answers", "LowercasePlugin"), ("core with one sink", "MyCore")],
)
def test_the_lines_are_those_of_the_example(row: str, name: str) -> None:
    source = EXAMPLE.read_text()
    (node,) = [one for one in ast.parse(source).body if isinstance(one, ast.ClassDef) and one.name == name]
    first = min(decorator.lineno for decorator in node.decorator_list)
    text = "\n".join(source.splitlines()[first - 1 : node.end_lineno])
    match = re.search(rf"^\| {row} \| \d+ \| (\d+) \|$", PAGE.read_text(), re.MULTILINE)
    assert match is not None
    assert code_lines(text) == int(match[1])


def test_making_the_core_takes_the_lines_that_the_page_says() -> None:
    (main,) = [one for one in ast.parse(EXAMPLE.read_text()).body if isinstance(one, ast.AsyncFunctionDef)]
    made = [one for one in main.body if isinstance(one, ast.Assign)]
    match = re.search(r"^\| making the core, with its requirement \| \d+ \| (\d+) \|$", PAGE.read_text(), re.MULTILINE)
    assert match is not None
    assert sum((one.end_lineno or 0) - one.lineno + 1 for one in made) == int(match[1])
