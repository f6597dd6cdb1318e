"""What the command `describe` says where it cannot write a contract, and that it is no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orbitalis_codegen import cli
from tests.codegen.contract.describe.modules import LAMPS

Module = Callable[[str], str]


def failure(*arguments: str, capfd: pytest.CaptureFixture[str]) -> str:
    """Run `describe` where it fails; returns what it says, which is one thing, and nothing else."""
    assert cli.main(["describe", *arguments]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.count("orbitalis-codegen: ") == 1
    assert "Traceback" not in said.err
    return said.err.partition("orbitalis-codegen: ")[2].removesuffix("\n")


@pytest.mark.parametrize("target", ["lamps", "lamps:", ":Lamp", ""])
def test_a_target_is_a_module_and_a_class(target: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert failure(target, capfd=capfd) == f"expected MODULE:CLASS, such as lamps.plugins:LampPlugin, got {target!r}"


@pytest.mark.parametrize("target", ["no_such_module", "no_such_module.inner", "json.no_such_module"])
def test_a_module_that_is_not_there(target: str, capfd: pytest.CaptureFixture[str]) -> None:
    missing = "json.no_such_module" if target.startswith("json") else "no_such_module"

    assert failure(f"{target}:Lamp", capfd=capfd) == f"there is no module '{missing}' here or among what is installed"


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ("LampPlugn", "there is no 'LampPlugn' in the module {}: did you mean 'LampPlugin'?"),
        ("LampPlugin.Inner", "there is no 'LampPlugin.Inner' in the module {}"),
        ("dataclass", "expected a plugin class or a plugin, got a function: <function dataclass at "),
        ("Level", "{}.Level does not derive from orbitalis.Plugin"),
    ],
)
def test_what_is_no_plugin_class(module: Module, attribute: str, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    name = module(LAMPS)

    assert failure(f"{name}:{attribute}", capfd=capfd).startswith(said.format(name))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "x = 1\n\n\ndef fail():\n    raise ValueError('no lamp')\n\n\nfail()\n",
            "5: importing {} raises ValueError: no lamp",
        ),
        ("import sys\nsys.exit(3)\n", "2: importing {} raises SystemExit: 3"),
        ("class Lamp(\n", "1: importing {} raises SyntaxError: '(' was never closed"),
        ("import no_such_module\n", "1: importing {} raises ModuleNotFoundError: No module named 'no_such_module'"),
        (
            "import json\njson.loads('')\n",
            "2: importing {} raises JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        ),
        (
            "from orbitalis import *\nclass Lamp(Plugin):\n    @operation\n    def dim(self) -> None: ...\n",
            "2: importing {0} raises TypeError: {0}.Lamp.dim is not asynchronous: write 'async def'",
        ),
    ],
)
def test_what_the_users_code_raises_is_said_with_its_place(
    module: Module, text: str, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    name = module(text)

    assert failure(f"{name}:Lamp", capfd=capfd) == f"{tmp_path / name}.py:{said.format(name)}"


def test_a_class_without_operations(module: Module, capfd: pytest.CaptureFixture[str]) -> None:
    name = module("from orbitalis import Plugin\nclass Lamp(Plugin): ...\n")

    assert failure(f"{name}:Lamp", capfd=capfd) == f"{name}:Lamp declares no operations"


def test_a_class_without_an_operation_that_can_be_said(module: Module, capfd: pytest.CaptureFixture[str]) -> None:
    name = module(
        """\
        from orbitalis import Event, Input, Plugin, operation
        class Lamp(Plugin):
            @operation(name="dim", input=Input.undefined())
            async def dim(self, topic: str, event: Event) -> None: ...
        """
    )

    assert failure(f"{name}:Lamp", capfd=capfd).splitlines() == [
        f"{name}:Lamp declares no operation that a contract can say",
        f"{name}.py:3:1: operation 'dim' is left out: it takes any payload, and a contract names schemas; name those "
        "that it takes",
    ]


def test_an_open_type_variable(module: Module, capfd: pytest.CaptureFixture[str]) -> None:
    name = module(
        """\
        from typing import Generic, TypeVar
        from orbitalis import Plugin, operation
        T = TypeVar("T")
        class Lamp(Plugin, Generic[T]):
            @operation
            async def dim(self, payload: T) -> None: ...
        """
    )

    assert "Lamp.dim has annotations with an open type variable" in failure(f"{name}:Lamp", capfd=capfd)


def test_names_that_no_contract_has(module: Module, capfd: pytest.CaptureFixture[str]) -> None:
    name = module(
        """\
        from orbitalis import Plugin, operation
        class Lamp(Plugin):
            @operation(name="größe")
            async def size(self) -> int: ...
        """
    )

    said = failure(f"{name}:Lamp", "--output", "lamps.yaml", capfd=capfd)

    assert said.startswith(f"{name}:Lamp declares what a contract cannot say\nthe key 'größe' names a method")
    assert not Path("lamps.yaml").exists()


def test_an_output_that_cannot_be_written(module: Module, capfd: pytest.CaptureFixture[str]) -> None:
    name = module(LAMPS)

    assert (
        failure(f"{name}:LampPlugin", "--output", "no/such.yaml", capfd=capfd)
        == "no/such.yaml: No such file or directory"
    )


def test_an_interrupt_ends_the_command_without_a_traceback(module: Module) -> None:
    name = module("import signal; signal.raise_signal(signal.SIGINT)")
    command = [sys.executable, "-m", "orbitalis_codegen", "describe", f"{name}:Lamp"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    done = subprocess.run(command, env=environment, capture_output=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")
