"""The command `describe`: the contract of a plugin class, and what is said where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from orbitalis_codegen import cli
from orbitalis_codegen.contract.fingerprint import canonical_text_of
from orbitalis_codegen.contract.read import load_contract
from tests.codegen.contract.describe.modules import (
    ANNOTATIONS,
    DOCUMENT,
    EVERY_TYPE,
    IN_THE_STYLE_OF_THE_GUIDE,
    LAMPS,
    LEFT_OUT,
)
from tests.examples.snippets import snippets
from tests.support.repository import ROOT, run

Module = Callable[[str], str]


def test_the_document_of_a_plugin_class_is_printed(module: Module, capfd: pytest.CaptureFixture[str]) -> None:
    name = module(LAMPS)

    assert cli.main(["describe", f"{name}:LampPlugin"]) == 0

    said = capfd.readouterr()
    assert said.out == DOCUMENT
    assert said.err == "on its way\n"


def test_a_document_is_utf_8_whatever_the_encoding_of_the_output(module: Module) -> None:
    name = module(
        """
        from orbitalis import Plugin, operation

        class Lamp(Plugin):
            \"\"\"A lamp \u2013 \u4e16.\"\"\"

            @operation
            async def dim(self, level: int) -> None: ...
        """
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "orbitalis_codegen", "describe", f"{name}:Lamp"]

    done = subprocess.run(command, env=environment, capture_output=True, check=True)

    assert "A lamp \u2013 \u4e16." in done.stdout.decode()


def test_title_version_and_file_may_be_given(module: Module, capsys: pytest.CaptureFixture[str]) -> None:
    name = module(LAMPS)
    arguments = [
        "describe",
        f"{name}:Inner.Lamp",
        "--title",
        "Street lamps",
        "--version",
        "2.1.0",
        "--output",
        "l.yaml",
    ]

    assert cli.main(arguments) == 0
    assert capsys.readouterr().out == "wrote l.yaml\n"
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out == "l.yaml is unchanged\n"

    document = yaml.safe_load(Path("l.yaml").read_text())
    assert document["info"] == {"title": "Street lamps", "version": "2.1.0", "description": "A lamp."}
    assert sorted(path.name for path in Path().iterdir() if path.is_file()) == [f"{name}.py", "l.yaml"]


def test_the_page_shows_what_is_written_for_its_class(module: Module, capfd: pytest.CaptureFixture[str]) -> None:
    page = ROOT / "docs" / "how-to" / "describing-contracts.md"
    source, document = [one for one in snippets() if one.path == page and one.kind in ("python", "yaml")][:2]

    assert cli.main(["describe", f"{module(source.text)}:TextPlugin"]) == 0

    assert capfd.readouterr().out == document.text


def test_a_plugin_may_stand_for_its_class(module: Module, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["describe", f"{module(LAMPS)}:lamp"]) == 0

    assert capfd.readouterr().out == DOCUMENT


def test_operations_that_are_added_when_a_plugin_is_made(module: Module, capfd: pytest.CaptureFixture[str]) -> None:
    name = module(IN_THE_STYLE_OF_THE_GUIDE.replace("{default}", " = 1.0"))

    assert cli.main(["describe", f"{name}:HelloPlugin"]) == 0

    said = capfd.readouterr()
    assert {key: one["action"] for key, one in yaml.safe_load(said.out)["operations"].items()} == {
        "ask": "receive",
        "hello": "send",
    }
    assert said.err == ""


def test_a_plugin_that_cannot_be_made(module: Module, capfd: pytest.CaptureFixture[str]) -> None:
    name = module(IN_THE_STYLE_OF_THE_GUIDE.replace("{default}", ""))

    assert cli.main(["describe", f"{name}:HelloPlugin"]) == 0

    said = capfd.readouterr()
    assert list(yaml.safe_load(said.out)["operations"]) == ["ask"]
    assert said.err == (
        f"note: {name}.py:6:1: ORB501 what HelloPlugin adds when it is made is left out: making one raises TypeError: "
        "HelloPlugin.__init__() missing 1 required positional argument: 'period'\n"
    )


def test_what_is_written_reads_as_the_class(module: Module, tmp_path: Path) -> None:
    name = module(LAMPS)

    assert cli.main(["describe", f"{name}:LampPlugin", "--output", "lamps.yaml"]) == 0

    contract = load_contract(tmp_path, "lamps.yaml")
    assert [line.partition('"type"')[0] for line in canonical_text_of(contract).splitlines()] == [
        "orbitalis-contract 1",
        "operation alarm",
        'output {"name":"Level",',
        'output {"name":"StringMessage",',
        "operation ask",
        "input empty",
        'output {"name":"Int64Message",',
        "operation dim",
        'input {"name":"BytesMessage",',
        'input {"name":"Level",',
        'output {"name":"Level",',
        "operation paint",
        'input {"name":"Scene",',
        'output {"name":"StringMessage",',
        "operation temperature",
        'output {"name":"Float64Message",',
    ]


def test_official_parser_accepts_what_is_written(tmp_path: Path) -> None:
    document = tmp_path / "lamps.yaml"
    document.write_text(DOCUMENT)

    assert f"{document}: valid, 8 channels, 5 operations" in run(
        ["node", ROOT / "tools" / "validate-specification.mjs", document]
    )


def test_messages_with_fields_of_every_type(module: Module, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    fields = [f"    field{number}: {annotation}" for number, annotation in enumerate(ANNOTATIONS)]
    name = module(EVERY_TYPE.replace("{fields}", "\n".join(fields)))

    assert cli.main(["describe", f"{name}:LampPlugin", "--output", "lamps.yaml"]) == 0

    assert capfd.readouterr().err == ""
    run(["node", ROOT / "tools" / "validate-specification.mjs", tmp_path / "lamps.yaml"])
    (taken,) = load_contract(tmp_path, "lamps.yaml").operations["ask"].inputs
    assert taken.fingerprint == sys.modules[name].Everything.schema_fingerprint()
    (given,) = load_contract(tmp_path, "lamps.yaml").operations["ask"].outputs
    assert given.fingerprint == sys.modules[name].Other.schema_fingerprint()


BOOLEANS = '{"type":"array","items":"boolean"}'
NUMBERS = '{"type":"record","name":"N","fields":[{"name":"n","type":["int","long"]}]}'


@pytest.mark.parametrize(
    ("input", "output", "reason"),
    [
        ("ANY", "TEXT", "it takes any payload, and a contract names schemas; name those that it takes"),
        ("EMPTY", "Output.undefined()", "it gives any payload, and a contract names schemas; name those that it gives"),
        (
            "EMPTY",
            "Output.empty()",
            "it gives empty events, and a contract names schemas; give no output, or a message",
        ),
        (
            "Input.from_message(Second.Level)",
            "TEXT",
            "'Level' is defined in another way than by an operation before it, or twice; give one of them another name "
            "or namespace",
        ),
        ("Input.from_schema('maybe')", "TEXT", "'maybe' is no Avro schema: Expecting value: line 1 column 1 (char 0)"),
        (
            f"Input.from_schema({BOOLEANS!r})",
            "TEXT",
            f"the schema {BOOLEANS!r} is that of no record; put it into a field of one",
        ),
        (
            f"Input.from_schema({NUMBERS!r})",
            "TEXT",
            "of the schema 'N', the values of two branches, 'int' and 'long', are both an integer",
        ),
    ],
)
def test_an_operation_that_a_contract_cannot_say_is_left_out(
    module: Module, capfd: pytest.CaptureFixture[str], input: str, output: str, reason: str
) -> None:
    text = LEFT_OUT.replace("{name}", "paint").replace("{input}", input).replace("{output}", output)
    name = module(text)
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if "@operation" in line]

    assert cli.main(["describe", f"{name}:LampPlugin"]) == 0

    said = capfd.readouterr()
    assert list(yaml.safe_load(said.out)["operations"]) == ["dim"]
    assert said.err.splitlines() == [
        f"note: {name}.py:{lines[0]}:1: ORB501 operation 'dim' takes empty events as well, which a contract cannot say "
        "beside payloads",
        f"note: {name}.py:{lines[1]}:1: ORB501 operation 'paint' is left out: {reason}",
    ]


def test_notes_do_not_mix_with_the_document(module: Module, capfd: pytest.CaptureFixture[str]) -> None:
    name = module(LEFT_OUT.replace("{name}", "paint").replace("{input}", "ANY").replace("{output}", "TEXT"))
    arguments = ["describe", f"{name}:LampPlugin", "--format", "json"]

    assert cli.main(arguments) == 0
    printed = capfd.readouterr()
    assert cli.main([*arguments, "--output", "lamps.yaml"]) == 0
    written = capfd.readouterr()

    assert printed.out == Path("lamps.yaml").read_text()
    notes = [json.loads(line) for line in printed.err.splitlines()]
    assert [(note["level"], note["file"]) for note in notes] == [("notice", f"{name}.py"), ("notice", f"{name}.py")]
    assert (written.out, written.err) == (printed.err, "wrote lamps.yaml\n")


def test_a_file_is_replaced_whole_and_as_it_should_be_left_alone(
    module: Module, capsys: pytest.CaptureFixture[str]
) -> None:
    name = module(LAMPS)
    path = Path("lamps.yaml")
    path.write_text("before")
    path.chmod(0o640)

    assert cli.main(["describe", f"{name}:LampPlugin", "--output", "lamps.yaml"]) == 0
    written = path.stat()
    assert cli.main(["describe", f"{name}:LampPlugin", "--output", "lamps.yaml"]) == 0

    assert path.read_text() == DOCUMENT
    assert path.stat().st_mtime_ns == written.st_mtime_ns
    assert capsys.readouterr().out == "wrote lamps.yaml\nlamps.yaml is unchanged\n"


def test_a_linked_folder_takes_a_file(module: Module, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "link").symlink_to("inner")

    assert cli.main(["describe", f"{module(LAMPS)}:LampPlugin", "--output", "link/lamps.yaml"]) == 0

    assert (tmp_path / "inner/lamps.yaml").read_text() == DOCUMENT


def test_the_command_finds_modules_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "lamps").mkdir()
    (tmp_path / "lamps" / "plugins.py").write_text(LAMPS)
    command = [sys.executable, "-m", "orbitalis_codegen", "describe", "lamps.plugins:LampPlugin"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "codegen"), "PYTHONSAFEPATH": "1"}

    completed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert (completed.returncode, completed.stdout, completed.stderr) == (0, DOCUMENT, "on its way\n")
