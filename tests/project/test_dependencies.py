"""Dependencies: each accounted for in the documentation, and all of them locked."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.repository import PACKAGE_FOLDERS, ROOT, imported_modules

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
NODE_TOOLS: dict[str, Any] = json.loads((ROOT / "tools" / "package.json").read_text())
TYPESCRIPT: dict[str, Any] = json.loads((ROOT / "typescript" / "package.json").read_text())

#: The extra that stands for all others.
EVERYTHING = "all"
EXTRAS: dict[str, list[str]] = {
    name: extra for name, extra in PROJECT["project"]["optional-dependencies"].items() if name != EVERYTHING
}

#: What the sections of docs/dependencies.md account for.
SECTIONS: dict[str, Iterable[str]] = {
    "Runtime": PROJECT["project"]["dependencies"],
    **{f"Extra `{name}`": extra for name, extra in EXTRAS.items()},
    **{name.capitalize(): group for name, group in PROJECT["dependency-groups"].items() if name != "dev"},
    "Node": list(NODE_TOOLS["dependencies"]),
    "TypeScript": [*TYPESCRIPT.get("dependencies", {}), *TYPESCRIPT["devDependencies"]],
}

#: The sections whose packages are those of Node.
OF_NODE = ("Node", "TypeScript")

REQUIREMENTS = [
    *PROJECT["project"]["dependencies"],
    *(requirement for extra in EXTRAS.values() for requirement in extra),
    *(requirement for name, group in PROJECT["dependency-groups"].items() if name != "dev" for requirement in group),
]

#: What each folder may import from others: its own requirements.
ALLOWED: dict[str, list[str]] = {
    "orbitalis": [
        *PROJECT["project"]["dependencies"],
        *EXTRAS["testing"],
        *EXTRAS["cli"],
        *EXTRAS["dashboard"],
        *EXTRAS["otel"],
        *EXTRAS["prometheus"],
    ],
    "orbitalis_codegen": EXTRAS["codegen"],
    "orbitalis_conformance": [
        *PROJECT["project"]["dependencies"],
        *EXTRAS["conformance"],
    ],
    # py-orbitalis and what comes with it have an environment of their own.
    "tests": [*REQUIREMENTS, "busline"],
}

#: Modules that only later versions of Python have than some on which this runs.
LATER = {"annotationlib"}

#: What can be imported because it is in the repository.
OURS = {*PACKAGE_FOLDERS, "benchmarks", "conformance", "examples", "tests", "tools"}

LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-dev.lock", ROOT / "requirements-fuzz.lock"]
OLDER_LOCK = ROOT / "tests" / "older" / "requirements.txt"

#: The group that working on the project does not take.
APART = "fuzz"


def documented() -> dict[str, list[tuple[str, str]]]:
    """Return each package with the reason given for it, by section of docs/dependencies.md."""
    sections = re.split(r"^## ", (ROOT / "docs" / "dependencies.md").read_text(), flags=re.MULTILINE)[1:]
    return {
        section.partition("\n")[0]: re.findall(r"^\| `([^`]+)` \| (.*) \|$", section, re.MULTILINE)
        for section in sections
    }


def locked(lock: Path) -> dict[str, str]:
    """Return the version of each package in a lock file, by canonical name."""
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", lock.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_dependency_is_accounted_for(section: str) -> None:
    names = [item if section in OF_NODE else Requirement(item).name for item in SECTIONS[section]]

    assert [name for name, _ in documented()[section]] == sorted(names)


@pytest.mark.parametrize("package", ALLOWED)
def test_every_import_is_declared(package: str) -> None:
    folder = PACKAGE_FOLDERS.get(package, ROOT / package)
    distributions = packages_distributions()
    allowed = {canonicalize_name(Requirement(requirement).name) for requirement in ALLOWED[package]}
    undeclared = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in sorted(folder.rglob("*.py"))
        for module in imported_modules(path) - sys.stdlib_module_names - LATER - OURS
        if not allowed & {canonicalize_name(name) for name in distributions.get(module, (module,))}
    }

    assert undeclared == set()


def test_every_account_gives_a_reason() -> None:
    reasons = [one for packages in documented().values() for one in packages]

    assert [name for name, reason in reasons if len(reason) < 10] == []


def test_the_extra_for_everything_has_all_extras() -> None:
    (everything,) = map(Requirement, PROJECT["project"]["optional-dependencies"][EVERYTHING])

    assert everything.name == PROJECT["project"]["name"]
    assert everything.extras == EXTRAS.keys()


def test_no_section_without_dependencies() -> None:
    assert {section for section, packages in documented().items() if packages} == set(SECTIONS)


def test_development_takes_every_group_but_one() -> None:
    included = [group["include-group"] for group in PROJECT["dependency-groups"]["dev"]]

    assert sorted([*included, "dev", APART]) == sorted(PROJECT["dependency-groups"])


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_lock_satisfies(requirement: str) -> None:
    parsed = Requirement(requirement)

    lock = LOCKS[2] if requirement in PROJECT["dependency-groups"][APART] else LOCKS[1]
    assert parsed.specifier.contains(locked(lock)[canonicalize_name(parsed.name)])


def test_running_takes_no_more_than_the_runtime_lock() -> None:
    runtime = locked(LOCKS[0])
    needed = {canonicalize_name(Requirement(requirement).name) for requirement in PROJECT["project"]["dependencies"]}

    assert needed <= runtime.keys()
    assert runtime.items() <= locked(LOCKS[1]).items()


def test_fuzzing_takes_nothing_in_another_version() -> None:
    development, fuzzing = locked(LOCKS[1]), locked(LOCKS[2])

    assert {name for name in fuzzing if name in development and fuzzing[name] != development[name]} == set()


@pytest.mark.parametrize("lock", [*LOCKS, OLDER_LOCK], ids=lambda lock: lock.name)
def test_lock_pins_by_digest(lock: Path) -> None:
    pins = re.split(r"^(?=\w)", lock.read_text(), flags=re.MULTILINE)[1:]

    # Another version may be pinned for another Python.
    assert {canonicalize_name(pin.partition("==")[0]) for pin in pins} == locked(lock).keys()
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []


@pytest.mark.parametrize("folder", ["tools", "typescript"])
def test_packages_of_node_are_pinned(folder: str) -> None:
    package: dict[str, Any] = json.loads((ROOT / folder / "package.json").read_text())
    wanted = {**package.get("dependencies", {}), **package.get("devDependencies", {})}
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    installed = {name: lock[f"node_modules/{name}"]["version"] for name in wanted}

    assert installed == wanted
    assert [path for path, found in lock.items() if path and not found["integrity"].startswith("sha512-")] == []
    assert [path for path, found in lock.items() if "resolved" in found] == []
