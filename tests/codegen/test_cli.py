"""The command: what it prints where, how it ends, and that it never ends in a traceback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from orbitalis_codegen import cli
from orbitalis_codegen.commands.explanation import EXAMPLES
from orbitalis_codegen.diff.rules import ChangeRule
from orbitalis_codegen.rules import Rule
from tests.codegen.broken.cases import cases_of_files, edited
from tests.codegen.contract.read.broken.cases import cases_of_contracts
from tests.support.repository import ROOT

HEAVY = ("jinja2",)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a specification with what it gives beside it; not to be changed."""
    root = edited(tmp_path_factory.mktemp("generated"))
    assert cli.main(["--root", str(root), "generate"]) == 0
    return root


@pytest.fixture
def copy(generated: Path, tmp_path: Path) -> Path:
    """Give a specification with what it gives beside it, for the test to change."""
    return shutil.copytree(generated, tmp_path / "copy")


def contents(root: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(root.rglob("*")) if path.is_file()}


def run(*arguments: str, root: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "codegen"), "PYTHONWARNINGS": "error", **variables}
    command = [sys.executable, "-m", "orbitalis_codegen", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def test_generate_writes_what_check_then_finds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = edited(tmp_path)

    assert cli.main(["--root", str(root), "check"]) == 1
    missing = capsys.readouterr()
    assert cli.main(["--root", str(root), "generate"]) == 0
    written = capsys.readouterr()
    assert cli.main(["--root", str(root), "check"]) == 0
    found = capsys.readouterr()

    assert "generated/python/orbitalis_wire/messages.py" in missing.err
    assert "not as the specification gives them" in missing.out
    assert "wrote generated/python/orbitalis_wire/messages.py\n" in written.out
    assert "0 unchanged, 0 removed" in written.out
    assert "as the specification gives them" in found.out
    assert (written.err, found.err) == ("", "")


def test_generate_leaves_alone_what_is_as_it_should_be(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(copy)

    assert cli.main(["generate", "--root", str(copy)]) == 0

    assert contents(copy) == before
    assert capsys.readouterr().out.startswith("0 files written, ")


def test_check_names_the_file_that_differs_and_writes_nothing(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    topics = copy / "generated/python/orbitalis_wire/topics.py"
    topics.write_text(topics.read_text() + "\n# By hand.\n")
    before = contents(copy)

    assert cli.main(["check", "--root", str(copy)]) == 1

    output = capsys.readouterr()
    assert [line for line in output.err.splitlines() if "topics.py" in line] == output.err.splitlines()
    assert "hand" in output.err
    assert output.out == "1 file not as the specification gives them; run orbitalis-codegen generate\n"
    assert contents(copy) == before


def test_a_change_of_the_specification_is_drift(copy: Path) -> None:
    edited_address = (copy / "asyncapi.yaml").read_text().replace("lamps/{lamp}/status", "lights/{lamp}/status")
    (copy / "asyncapi.yaml").write_text(edited_address)

    assert cli.main(["check", "--root", str(copy)]) == 1
    assert cli.main(["generate", "--root", str(copy)]) == 0
    assert cli.main(["check", "--root", str(copy)]) == 0
    assert "lights/" in (copy / "generated/python/orbitalis_wire/topics.py").read_text()


@pytest.mark.parametrize("command", ["generate", "check"])
def test_problems_are_listed_and_nothing_is_written(command: str, copy: Path) -> None:
    edited(
        copy,
        ("asyncapi.yaml", "    summary: Command", "    sumary: Command"),
        ("schemas/Color.avsc", "255", '"red"'),
    )
    before = contents(copy)

    completed = run(command, "--root", str(copy))

    assert completed.returncode == 2
    assert completed.stdout == ""
    assert completed.stderr.splitlines() == [
        "asyncapi.yaml:108:5: ORB203 operation with the unknown key 'sumary'",
        "    hint: did you mean 'summary'?",
        "schemas/Color.avsc:5:47: ORB313 an integer of 32 bits is expected as default, got 'red'",
        "orbitalis-codegen: 2 problems, nothing is written",
    ]
    assert contents(copy) == before


def test_root_may_be_where_one_is(copy: Path) -> None:
    completed = run("check", root=copy)

    assert (completed.returncode, completed.stderr) == (0, "")


def test_root_may_stand_before_the_command(copy: Path) -> None:
    assert run("--root", str(copy), "check").returncode == 0


@pytest.mark.parametrize("command", ["generate", "check"])
def test_a_folder_without_a_specification(command: str, tmp_path: Path) -> None:
    completed = run(command, root=tmp_path)

    assert completed.returncode == 2
    assert completed.stderr.startswith("asyncapi.yaml:1:1: ORB101 asyncapi.yaml cannot be read")
    assert "or a pyproject.toml that lists contracts, with --root" in completed.stderr
    assert "--root" in completed.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["emit"], ["check", "--rot", "."], ["generate", "more"]])
def test_a_wrong_command_line(arguments: list[str]) -> None:
    completed = run(*arguments)

    assert completed.returncode == 2
    assert completed.stderr.startswith("usage: orbitalis-codegen")
    assert "Traceback" not in completed.stderr


def test_help() -> None:
    completed = run("--help")

    assert completed.returncode == 0
    for word in ("generate", "check", "rules", "--root", "exit status"):
        assert word in completed.stdout
    assert "who changed it" in run("check", "--help").stdout


def test_what_cannot_be_written_is_said_without_a_traceback(tmp_path: Path) -> None:
    root = edited(tmp_path, ("generated", "", "A file where a folder should be."))

    completed = run("generate", "--root", str(root))

    assert completed.returncode == 2
    assert completed.stderr.startswith("orbitalis-codegen: ")
    assert "generated" in completed.stderr
    assert "Traceback" not in completed.stderr


def test_rules_lists_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rules"]) == 0

    assert capsys.readouterr().out.splitlines() == [f"{rule.code}  {rule.purpose}" for rule in (*Rule, *ChangeRule)]


def test_a_reader_that_has_seen_enough_is_no_trouble() -> None:
    command = f"{sys.executable} -m orbitalis_codegen rules | head -n 0; sleep 0; echo ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "codegen"), "PYTHONUNBUFFERED": "1"}
    completed = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=True)

    assert completed.stderr == ""


def test_finding_fault_takes_no_heavy_modules() -> None:
    script = (
        "import sys; from orbitalis_codegen.cli import main; status = main(['check', '--root', '/nowhere']); "
        f"print(status, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "codegen")}
    completed = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )

    assert completed.stdout == "2 []\n"


def test_the_command_is_installed_under_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    module, _, function = project["project"]["scripts"]["orbitalis-codegen"].partition(":")

    command = getattr(__import__(module, fromlist=[function]), function)
    assert command(["rules"]) == 0
    assert capsys.readouterr().out.startswith(Rule.UNREADABLE_FILE.code)


def test_what_nobody_has_generated_is_not_removed(copy: Path) -> None:
    package = copy / "generated" / "python" / "orbitalis_wire"
    (package / "mine.py").write_text("precious = 1\n")
    (package / "limits.py").unlink()
    before = contents(copy)

    completed = run("generate", root=copy)

    assert completed.returncode == 2
    assert completed.stderr == (
        "orbitalis-codegen: generated/python/orbitalis_wire/mine.py is not a generated file, and this would remove it; "
        "move it elsewhere; nothing is written\n"
    )
    assert contents(copy) == before


def test_removes_a_stale_file_whose_name_no_encoding_can_show(copy: Path) -> None:
    stale = copy / "generated" / "python" / "orbitalis_wire" / os.fsdecode(b"\xff.py")
    stale.write_text("")

    completed = run("generate", root=copy, PYTHONIOENCODING="utf-8:strict")

    assert completed.returncode == 0, completed.stderr
    assert "removed generated/python/orbitalis_wire/\\udcff.py\n" in completed.stdout
    assert not stale.exists()


@pytest.mark.parametrize("leftovers", [[], ["Switch.avsc~", "Text.avsc.orig"]])
def test_a_second_check_reads_digests_alone(leftovers: list[str], copy: Path) -> None:
    for name in leftovers:
        (copy / "schemas" / name).write_text("{")
    if leftovers:
        assert cli.main(["check", "--root", str(copy)]) == 0
    script = (
        "import sys; from orbitalis_codegen.cli import main; status = main(['check', '--root', sys.argv[1]]); "
        "print(status, sorted({'yaml', 'jinja2', 'fastavro', 'orbitalis_codegen.model'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "codegen")}
    completed = subprocess.run(
        [sys.executable, "-c", script, str(copy)], env=environment, capture_output=True, text=True, check=True
    )

    assert completed.stdout == "26 files as the specification gives them\n0 []\n"
    # What is ignored is said every time.
    assert [line.split(":")[1] for line in completed.stderr.splitlines()] == [f" schemas/{name}" for name in leftovers]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("generated/python/orbitalis_wire/topics.py", "# By hand.\n"),
        ("generated/python/orbitalis_wire/py.typed", "partial\n"),
        ("generated/python/orbitalis_wire/more.py", "x = 1\n"),
    ],
)
def test_what_changes_after_a_check_is_found(copy: Path, file: str, text: str) -> None:
    assert cli.main(["check", "--root", str(copy)]) == 0
    with (copy / file).open("a") as stream:
        stream.write(text)

    assert cli.main(["check", "--root", str(copy)]) == 1


def test_a_new_schema_file_after_a_check_is_found(copy: Path) -> None:
    (copy / "schemas/Unused.avsc").write_text('{"type": "enum", "name": "Unused", "symbols": ["A"]}')

    assert cli.main(["check", "--root", str(copy)]) == 2


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"inputs": 5, "outputs": 5}',
        '{"inputs": [], "outputs": []}',
        '{"inputs": [], "outputs": [], "notes": 5}',
    ],
)
def test_a_broken_memory_is_no_trouble(copy: Path, content: str) -> None:
    (copy / ".orbitalis-codegen/seen.json").write_text(content)

    assert cli.main(["check", "--root", str(copy)]) == 0


def test_the_memory_is_no_part_of_a_repository(copy: Path) -> None:
    assert (copy / ".orbitalis-codegen/.gitignore").read_text() == "*\n"


def test_problems_as_json_and_for_github(copy: Path) -> None:
    edited(copy, ("asyncapi.yaml", "    summary: Command", "    sumary: Command"))

    as_json, github = run("--format", "json", "check", root=copy), run("check", "--format", "github", root=copy)

    assert as_json.returncode == github.returncode == 2
    assert json.loads(as_json.stdout) == {
        "level": "error",
        "file": "asyncapi.yaml",
        "line": 108,
        "column": 5,
        "code": "ORB203",
        "message": "operation with the unknown key 'sumary'",
        "hint": "did you mean 'summary'?",
    }
    assert github.stdout == (
        "::error file=asyncapi.yaml,line=108,col=5,title=ORB203::operation with the unknown key 'sumary'"
        "%0Ahint: did you mean 'summary'?\n"
    )


def test_other_trouble_as_json_and_for_github(copy: Path) -> None:
    (copy / "generated/python/orbitalis_wire/limits.py").write_text("\n")

    path = "generated/python/orbitalis_wire/limits.py"
    assert json.loads(run("check", "--format", "json", root=copy).stdout)["file"] == path
    assert run("check", "--format", "github", root=copy).stdout.startswith(f"::error file={path},title=")


def test_check_shows_what_differs(copy: Path) -> None:
    limits = copy / "generated/python/orbitalis_wire/limits.py"
    limits.write_text(limits.read_text().replace("IDENTIFIER_BYTES: Final = 255", "IDENTIFIER_BYTES: Final = 9"))

    shown = run("check", "--diff", root=copy).stdout

    assert "--- a/generated/python/orbitalis_wire/limits.py\n+++ b/generated" in shown
    assert "\n-IDENTIFIER_BYTES: Final = 9\n+IDENTIFIER_BYTES: Final = 255\n" in shown


@pytest.mark.parametrize(
    ("arguments", "status", "objects"),
    [
        ("generate", 0, 0),
        ("check", 1, 1),
        ("check --diff", 1, 1),
        ("bundle --output bundled.yaml", 0, 0),
        ("schema --output schema.json", 0, 0),
        ("schema --output /", 2, 1),
        ("rules ORB999", 2, 1),
        ("describe nowhere:Nothing", 2, 1),
        ("contract nowhere.yaml", 2, 1),
        ("diff --against nowhere", 2, 1),
    ],
)
def test_where_json_is_asked_for_nothing_else_is_written(arguments: str, status: int, objects: int, copy: Path) -> None:
    with (copy / "generated/mosquitto/core.acl").open("a") as stream:
        stream.write("pattern readwrite #\n")

    done = run(*arguments.split(), "--format", "json", root=copy)

    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, len(told)) == (status, objects), done.stderr
    assert {one["level"] for one in told} <= {"error"}
    if arguments.startswith("check"):
        assert told[0]["file"] == "generated/mosquitto/core.acl"
        assert ("-pattern readwrite #\n" in told[0].get("diff", "")) is (arguments == "check --diff")


def test_a_list_of_problems_ends_after_fifty(copy: Path) -> None:
    document = (copy / "asyncapi.yaml").read_text()
    keys = "".join(f"odd{index}: 1\n" for index in range(60))
    (copy / "asyncapi.yaml").write_text(document + keys)

    lines = run("check", root=copy).stderr.splitlines()

    assert len([line for line in lines if "ORB203" in line]) == 50
    assert lines[-2:] == [
        "... and 10 more",
        "orbitalis-codegen: 60 problems, nothing is written",
    ]


def test_a_cause_comes_before_its_consequences(copy: Path) -> None:
    edited(copy, ("asyncapi.yaml", "components:\n", "component:\n"))

    lines = run("check", root=copy).stderr.splitlines()

    assert "component" in lines[0]
    assert "ORB202" in lines[0] or "ORB203" in lines[0]


def test_a_rule_is_explained_with_an_example() -> None:
    shown = run("rules", "ORB208", "orb102")

    assert shown.returncode == 0
    assert "The target of a reference exists." in shown.stdout
    assert "+        $ref: '#/components/messages/Swich'" in shown.stdout
    assert "did you mean 'Switch'?" in shown.stdout
    assert "ORB102 large file" in shown.stdout
    assert run("rules", "ORB999").stderr.startswith("orbitalis-codegen: there is no rule ORB999")


def test_a_rule_of_changes_is_explained_with_an_example_and_its_mirror() -> None:
    shown = run("rules", "ORB679", "ORB680").stdout

    assert "ORB679 symbol added\n\n    An enum gets no symbol that its readers do not have.\n" in shown
    assert "Such a change, of level WIRE (one more symbol):\n\n    porch.yaml\n" in shown
    assert "      +                symbols: [STEADY, BLINK, FADE]\n" in shown
    assert "Its mirror is ORB680 symbol removed.\n\nInstead: give the enum a default first" in shown
    assert "(one more symbol, the other way round)" in shown
    assert "      -                symbols: [STEADY, BLINK, FADE]\n" in shown


def test_examples_are_those_that_are_tested() -> None:
    known = {
        f"{case.code} {case.name}"
        for case in (*cases_of_files(), *cases_of_contracts(), *cases_of_files(ROOT / "tests/codegen/diff"))
    }
    folders = ("tests/codegen/broken", "tests/codegen/contract/read/broken", "tests/codegen/diff")
    texts = "".join(path.read_text() for folder in folders for path in sorted((ROOT / folder).glob("*.txt")))
    sections = re.split(r"^=== ", EXAMPLES.read_text(), flags=re.MULTILINE)[1:]

    assert len({section[:6] for section in sections}) == len(sections)
    assert {section[:6] for section in sections} == {name[:6] for name in known}
    assert [section for section in sections if section.rstrip("\n") not in texts] == []


def test_version() -> None:
    assert re.fullmatch(r"orbitalis-codegen \d+\.\d+\S*\n", run("--version").stdout)


@pytest.mark.parametrize(
    "arguments", ["--help", "--version", "rules", "rules ORB208", "completion bash", "check --help"]
)
def test_what_needs_no_library_works_without_any(arguments: str, tmp_path: Path) -> None:
    for name in ("yaml", "fastavro", "jinja2"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError(name={name!r})\n")
    paths = os.pathsep.join([str(tmp_path), str(ROOT / "codegen"), str(ROOT / "avro")])

    assert run(*arguments.split(), PYTHONPATH=paths).returncode == 0
    refusal = run("generate", PYTHONPATH=paths)
    assert refusal.returncode == 2
    assert "pip install 'orbitalis-sdk[codegen]'" in refusal.stderr
    told = json.loads(run("generate", "--format", "json", PYTHONPATH=paths).stdout)
    assert told["message"] == "this needs yaml, which is not installed: pip install 'orbitalis-sdk[codegen]'"
