"""The example of a contract: a plugin and a core as programs over a real broker, each in both languages."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.examples.programs import Program, marked, processes_left
from tests.support.broker import Broker
from tests.typescript.package import built, needs_node

pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True)
class Language:
    """How the programs of a language run, and how it shows a status and a number."""

    command: tuple[str, ...]
    plugin: str
    core: str
    on: str
    off: str
    watts: tuple[str, str]


PYTHON = Language(
    command=(),
    plugin="examples.contract.plugin",
    core="examples.contract.core",
    on="Status(on=True)",
    off="Status(on=False)",
    watts=("0.0", "30.0"),
)
TYPESCRIPT = Language(
    command=("node",),
    plugin="examples/contract/typescript/plugin.js",
    core="examples/contract/typescript/core.js",
    on="{ on: true }",
    off="{ on: false }",
    watts=("0", "30"),
)


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Give the environment of programs, none of which may be left after the test."""
    given = marked()
    yield given
    assert processes_left(given) == []


def program(language: Language, name: str, broker: Broker, environment: dict[str, str]) -> Program:
    """Run a program of a language."""
    if not language.command:
        return Program(name, broker.url, environment=environment)
    return Program(str(built() / name), broker.url, environment=environment, command=language.command)


@pytest.mark.parametrize(
    ("plugins", "cores"),
    [
        pytest.param(PYTHON, PYTHON, id="Python"),
        pytest.param(TYPESCRIPT, PYTHON, id="TypeScript provides, Python calls", marks=needs_node),
        pytest.param(PYTHON, TYPESCRIPT, id="Python provides, TypeScript calls", marks=needs_node),
        pytest.param(TYPESCRIPT, TYPESCRIPT, id="TypeScript", marks=needs_node),
    ],
)
def test_a_core_calls_a_plugin_over_a_broker(
    plugins: Language, cores: Language, broker: Broker, environment: dict[str, str]
) -> None:
    with program(plugins, plugins.plugin, broker, environment) as plugin:
        plugin.expect("lamp has started")
        with program(cores, cores.core, broker, environment) as core:
            assert core.wait() == 0, "\n".join(core.output)
        assert plugin.end(signal.SIGINT) == 0

    assert sorted(core.output) == sorted(
        [
            cores.off,
            cores.on,
            "the bulb is broken after 1000 hours",
            *(f"the lamp takes {watts} W" for watts in cores.watts),
        ]
    )
    assert plugin.output == ["lamp has started"]
