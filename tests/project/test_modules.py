"""How modules are written: each says what it is about, names what it offers, documents it, and stays short."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from tests.support.repository import PACKAGE_FOLDERS, ROOT, imported_modules, repository_files

MAXIMUM_LINES = 450

#: A module of one cohesive class may have more: what belongs together must not be split because of its length.
MAXIMUM_LINES_OF_ONE_CLASS = 700

SOURCES = {path: (ROOT / path).read_text() for path in repository_files() if path.suffix == ".py"}

#: The file of every module that is shipped, by its dotted name.
MODULES = {
    ".".join([name, *path.relative_to(folder).with_suffix("").parts]).removesuffix(".__init__"): path
    for name, folder in PACKAGE_FOLDERS.items()
    for path in sorted(folder.rglob("*.py"))
}


@pytest.fixture(scope="module")
def modules() -> list[ModuleType]:
    """Return every module that is shipped, may be imported by users and contains more than its docstring."""
    return [
        importlib.import_module(name)
        for name, path in MODULES.items()
        if not path.name.startswith("_") or path.name == "__init__.py"
        if len(ast.parse(path.read_text()).body) > 1
    ]


def public(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Yield what a module offers and defines itself, by name: classes and functions, and the methods of classes."""
    for name in module.__all__:
        value = getattr(module, name)
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            yield name, value
            for attribute, member in vars(value).items():
                if not attribute.startswith("_") and isinstance(
                    member, cached_property | classmethod | property | staticmethod | FunctionType
                ):
                    yield f"{name}.{attribute}", getattr(value, attribute)
        elif inspect.isfunction(value):
            yield name, value


def is_documented(value: object) -> bool:
    """Tell whether somebody wrote a docstring for `value`; a method may have that of the one it overrides."""
    if not inspect.isclass(value):
        return bool(inspect.getdoc(value))
    # Every class inherits one, and every dataclass is given one.
    text = str(vars(value).get("__doc__") or "")
    return bool(text) and not (is_dataclass(value) and text.startswith(f"{value.__name__}("))


def has_one_class(path: Path) -> bool:
    """Tell whether one class takes most of a module."""
    classes = [node for node in ast.parse(SOURCES[path]).body if isinstance(node, ast.ClassDef)]
    longest = max(((node.end_lineno or 0) - node.lineno for node in classes), default=0)
    return longest > len(SOURCES[path].splitlines()) * 2 / 3


def test_modules_are_short() -> None:
    lines = {path: len(source.splitlines()) for path, source in SOURCES.items() if path.parts[0] != "generated"}
    allowed = {path: MAXIMUM_LINES_OF_ONE_CLASS if has_one_class(path) else MAXIMUM_LINES for path in lines}

    assert {str(path): count for path, count in lines.items() if count > allowed[path]} == {}


def test_modules_say_what_they_are_about() -> None:
    assert [str(path) for path, source in SOURCES.items() if source and not ast.get_docstring(ast.parse(source))] == []


def test_modules_name_what_they_offer(modules: list[ModuleType]) -> None:
    offered = {module.__name__: getattr(module, "__all__", None) for module in modules}

    assert [name for name, names in offered.items() if names is None] == []
    assert [name for name, names in offered.items() if names and len(set(names)) < len(names)] == []
    assert [f"{module.__name__}.{n}" for module in modules for n in module.__all__ if not hasattr(module, n)] == []


def test_modules_document_what_they_offer(modules: list[ModuleType]) -> None:
    assert [
        f"{module.__name__}.{name}" for module in modules for name, value in public(module) if not is_documented(value)
    ] == []


def test_generated_code_needs_nothing_but_what_codecs_call() -> None:
    allowed = sys.stdlib_module_names | {"orbitalis_avro", "orbitalis_wire"}
    imported = {name: imported_modules(path) for name, path in MODULES.items() if name.startswith("orbitalis_wire")}

    assert {name: foreign for name, names in imported.items() if (foreign := names - allowed)} == {}


def test_state_machines_neither_wait_nor_look_at_a_clock() -> None:
    found: list[str] = []
    for name, path in MODULES.items():
        if not name.startswith("orbitalis.protocol"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await):
                found.append(f"{name}:{node.lineno}: waits")
            elif isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today", "monotonic"}:
                found.append(f"{name}:{node.lineno}: looks at a clock")

    assert found == []
