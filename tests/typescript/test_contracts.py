"""What is emitted for TypeScript of contracts: files, names, and what the compiler and other tools say of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from orbitalis_codegen import cli
from orbitalis_codegen.contract.model import Contract
from orbitalis_codegen.emit.contract_typescript import emit_contract, reserved
from orbitalis_codegen.emit.contract_typescript.named import Named
from orbitalis_codegen.emit.header import parse_header
from tests.codegen.contract.contracts import contract, lamps, message, plain, record
from tests.codegen.contract.random_contracts import random_contract
from tests.support.repository import ROOT, run
from tests.typescript.contracts import compile_contracts, write_contracts
from tests.typescript.package import MODULES, PACKAGE, built, needs_node

pytestmark = pytest.mark.timeout(300)

FILES = ["client.ts", "codecs.ts", "fake.ts", "index.ts", "messages.ts", "operations.ts", "plugin.ts"]
PROGRAM = Path(__file__).with_name("contract_user.txt").read_text(encoding="utf-8")
MARKED = {number for number, line in enumerate(PROGRAM.splitlines(), start=1) if line.endswith("// E")}
RANDOM = 3
WORDS = [
    "arguments",
    "async",
    "await",
    "caller",
    "class",
    "constructor",
    "default",
    "delete",
    "eval",
    "hasOwnProperty",
    "isPrototypeOf",
    "length",
    "new",
    "null",
    "propertyIsEnumerable",
    "prototype",
    "__proto__",
    "static",
    "super",
    "then",
    "this",
    "toJSON",
    "toLocaleString",
    "toString",
    "typeof",
    "undefined",
    "valueOf",
    "yield",
]
CLASSES = [
    "Array",
    "Client",
    "Error",
    "Function",
    "Object",
    "Plugin",
    "Promise",
    "Proxy",
    "Request",
    "Symbol",
    "any",
    "never",
    "undefined",
]
SETTINGS = """\
[[tool.orbitalis-codegen.contracts]]
document = "lamps.yaml"
package = "lamps"
output = "python"

[[tool.orbitalis-codegen.contracts]]
document = "lamps.yaml"
package = "home-lamps"
output = "src"
language = "typescript"
"""
MEMBERS = """
import { Core, LocalBroker, Plugin } from "@orbitalis/sdk";
import { ContractClient } from "@orbitalis/sdk/contract";

const options = { identifier: "one", bus: new LocalBroker().client() };
const names = new Set();
for (const one of [new Plugin(options), new ContractClient(new Core(options), {}, {})]) {
  for (let at = one; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    Object.getOwnPropertyNames(at).forEach((name) => names.add(name));
  }
}
console.log(JSON.stringify([...names]));
"""


def many() -> Contract:
    """Make a contract in which messages can only be told apart by their names."""
    events = [message(record(f"Event{index}", {"x": ["null", "long"]})) for index in range(8)]
    empty = message(record("Empty", {}))
    broken = message(
        record("Broken", {"message": "string", "why": ("string", "x" * 90), "how": (["null", "int"], None)})
    )
    return contract(
        "Many events",
        {
            "take": {"inputs": events, "outputs": [plain("bytes"), empty], "errors": [broken]},
            "takeWhatIsVeryLongInAllOfItsNamesAndMoreThanThat": {"inputs": events[:1], "outputs": events[1:]},
            "events": {"inputs": None, "outputs": events},
            "few": {"inputs": None, "outputs": [empty, plain("long")]},
        },
    )


def words() -> Contract:
    """Make a contract whose names mean something else to TypeScript."""
    text = {"inputs": [plain("string")], "outputs": [plain("string")]}
    fields = dict.fromkeys((*WORDS, *("name", "message")), "string")
    like_error = record("Notice", {**fields, "stack": "string", "cause": "string"})
    operations = {
        **dict.fromkeys(WORDS, text),
        "notify": {
            "inputs": [message(record("Note", fields)), message(like_error)],
            "outputs": [message(record("Alone", {"name": "string", "message": "string", "stack": ["null", "string"]}))],
            "errors": [message(record("Failed", fields))],
        },
        **{f"take{name}": {"inputs": [message(record(name, {"x": "int"}))]} for name in CLASSES},
    }
    return contract("Words", operations)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write packages."""
    folder = tmp_path_factory.mktemp("contracts")
    packages = {"lamps": lamps(), "many": many(), "nothing": contract("Nothing", {}), "words": words()}
    write_contracts({**packages, **{f"random_{seed}": random_contract(seed) for seed in range(RANDOM)}}, folder)
    return folder


def bodies(made: Contract) -> Mapping[str, str]:
    """Return what is emitted, by the name of the file."""
    return {path.partition("/")[2]: data.decode() for path, data in emit_contract(made, "x").items()}


def changed(before: Contract, after: Contract) -> list[str]:
    """Return the files that are other ones after a change."""
    one, other = bodies(before), bodies(after)
    return [name for name in one if one[name] != other[name]]


def test_a_package_has_these_files_with_headers() -> None:
    files = emit_contract(lamps(), "home-lamps")

    assert sorted(files) == [f"home-lamps/{name}" for name in FILES]
    for data in files.values():
        header = parse_header(data)
        assert header is not None
        assert header.intact
        assert b"from lamps.yaml. Do not edit: change it and" in data


def test_a_change_touches_the_files_that_depend_on_it() -> None:
    made = lamps()
    operation = made.operations["blink"]
    (blink, *others) = operation.inputs
    moved = replace(operation, position=replace(operation.position, line=99))
    reschemed = replace(operation, inputs=(replace(blink, schema=blink.schema + " "), *others))

    assert changed(made, replace(made, version="2.0.0", operations={**made.operations, "blink": moved})) == []
    assert changed(made, replace(made, operations={**made.operations, "blink": reschemed})) == ["codecs.ts"]
    described = replace(operation, summary="Other words.")
    assert "codecs.ts" not in changed(made, replace(made, operations={**made.operations, "blink": described}))


def test_names_of_operations_collide_with_nothing() -> None:
    text = {"inputs": [plain("string")], "outputs": [plain("string")]}
    keys = ["send", "stop", "core", "delete", "constructor", "turnOn", "turn_on", "turn-on", "2nd", "_x", "then"]
    silent = {"inputs": None, "outputs": [plain("string")]}

    named = Named(contract("Names", {**dict.fromkeys(keys, text), "quiet": silent, "sendQuiet": text}))

    members = [*named.attributes.values(), *named.senders.values(), *named.canned.values()]
    assert len({*named.attributes.values()}) == len(named.attributes)
    assert list(named.attributes.values())[:11] == [
        *("send_", "stop_", "core_", "delete", "constructor_", "turnOn", "turnOn_", "turnOn__", "operation2nd", "x"),
        "then_",
    ]
    assert named.senders["quiet"] not in named.attributes.values()
    assert not reserved.ATTRIBUTES & {*members}


def test_messages_that_go_together_have_their_name_in_them() -> None:
    one, other, alone = (message(record(name, {"x": "int"})) for name in ("One", "Other", "Alone"))
    failed = message(record("Failed", {"x": "int"}))
    made = contract(
        "Tags",
        {
            "either": {"inputs": [one, other], "outputs": [alone], "errors": [failed]},
            "again": {"inputs": [alone, plain("long")]},
        },
    )

    assert Named(made).types.tagged == {"One", "Other"}
    assert 'readonly $type: "One";' in bodies(made)["messages.ts"]
    assert '{ minimum: 1, tag: "Other" }' in bodies(made)["codecs.ts"]


def test_each_error_has_its_own_words_though_two_have_one_type() -> None:
    broken = record("Broken", {"hours": "long"})
    errors = [message(broken, "It broke."), message(broken, "It broke again."), message(record("Lost", {}), "It left.")]

    plugin = bodies(contract("Lamps", {"find": {"errors": errors}}))["plugin.ts"]

    assert "May throw `Broken`: It broke.\n" in plugin
    assert "May throw `Lost`: It left.\n" in plugin


def test_a_default_may_be_of_any_branch_of_a_union() -> None:
    part = record("Part", {"x": "int"})
    fields = {
        "note": (["string", "null"], None),
        "part": (["null", part, {"type": "map", "values": "long"}], {"x": 3}),
        "weights": (["null", "Part", {"type": "map", "values": "long"}], {"y": 2}),
    }

    made = bodies(contract("Parts", {"take": {"inputs": [message(record("One", fields))]}}))["messages.ts"]

    assert "note: fields.note ?? null,\n" in made
    assert "part: fields.part === undefined ? part({ x: 3 }) : fields.part,\n" in made
    assert 'weights: fields.weights === undefined ? new Map([["y", 2n]]) : fields.weights,\n' in made


def test_records_of_a_union_have_their_name_in_them() -> None:
    inner = [{"type": "record", "name": name, "fields": [{"name": "x", "type": "int"}]} for name in ("One", "Other")]
    holder = message(record("Holder", {"either": {"type": "array", "items": ["null", *inner]}}))
    made = contract("Unions", {"hold": {"inputs": [holder]}})

    assert Named(made).types.tagged == {"One", "Other"}
    assert '{ minimum: 1, tag: "Other" }' in bodies(made)["codecs.ts"]


@needs_node
def test_the_compiler_finds_the_mistakes_and_nothing_else(folder: Path) -> None:
    assert len(MARKED) >= 20
    (folder / "user.ts").write_text(PROGRAM, encoding="utf-8")

    said = compile_contracts(folder, status=2)

    found = re.findall(r"^(\S+?)\((\d+),\d+\): error", said, re.MULTILINE)
    assert {name.rpartition("/")[2] for name, _ in found} == {"user.ts"}, said
    assert {int(line) for _, line in found} == MARKED, said
    (folder / "user.ts").unlink()


@needs_node
def test_what_is_emitted_is_formatted_and_without_reproach(folder: Path) -> None:
    config = (PACKAGE / "eslint.config.js").read_text(encoding="utf-8")
    (folder / "eslint.config.js").write_text(config)
    (folder / "faulty.ts").write_text("export const one: any = 1;\n")
    for name in ("@eslint", "eslint", "typescript-eslint", "typescript"):
        (folder / "node_modules" / name).symlink_to(MODULES / name)
    eslint: list[str | Path] = ["node", MODULES / "eslint" / "bin" / "eslint.js", "--config", "eslint.config.js"]
    prettier: list[str | Path] = ["node", MODULES / "prettier" / "bin" / "prettier.cjs", "--check"]
    packages = [path.name for path in folder.iterdir() if (path / "index.ts").exists()]

    assert "no-explicit-any" in run([*eslint, "faulty.ts"], folder=folder, status=1)
    run([*eslint, *packages], folder=folder)
    shutil.copy(ROOT / ".editorconfig", folder)
    run([*prettier, *packages], folder=folder)


@needs_node
def test_what_emitted_code_needs_is_reserved() -> None:
    folder = built() / "members"
    folder.mkdir(exist_ok=True)
    (folder / "members.mjs").write_text(MEMBERS)

    members = set(json.loads(run(["node", folder / "members.mjs"])))

    assert members <= reserved.ATTRIBUTES


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a folder with a contract that its pyproject.toml lists for both languages."""
    shutil.copy(ROOT / "examples" / "contract" / "lamps.yaml", tmp_path)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_contract_writes_a_package(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["contract", "lamps.yaml", "--language", "typescript"]) == 0
    assert capsys.readouterr().out.endswith("7 files written, 0 unchanged, 0 removed\n")

    assert sorted(path.name for path in (project / "lamps").iterdir()) == FILES
    committed = ROOT / "examples" / "contract" / "typescript" / "lamps"
    for name in FILES:
        theirs = (committed / name).read_text().replace("examples/contract/lamps.yaml", "lamps.yaml")
        assert (project / "lamps" / name).read_text() == theirs


@pytest.mark.parametrize(
    ("package", "said"), [("not/one", "'not/one' is not the name of a package"), ("1st", "a letter first")]
)
def test_a_package_needs_a_name(package: str, said: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["contract", "lamps.yaml", "--language", "typescript", "--package", package]) == 2

    assert said in capsys.readouterr().err


def test_a_package_may_be_called_like_a_module_of_python(project: Path) -> None:
    text = (project / "lamps.yaml").read_text()
    (project / "queue.yaml").write_text(text.replace("title: Lamps", "title: Queue"))

    assert cli.main(["contract", "queue.yaml", "--language", "typescript"]) == 0

    assert (project / "queue" / "index.ts").exists()


def test_generate_and_check_know_both_languages(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["generate"]) == 0
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().out.endswith("14 files as the specification gives them\n")
    assert sorted(path.name for path in (project / "src" / "home-lamps").iterdir()) == FILES

    shutil.copy(project / "src" / "home-lamps" / "fake.ts", project / "src" / "home-lamps" / "stale.ts")
    (project / "src" / "home-lamps" / "plugin.ts").write_text("// mine\n")
    assert cli.main(["check"]) == 1
    said = capsys.readouterr().err
    assert "src/home-lamps/stale.ts: stale" in said
    assert "src/home-lamps/plugin.ts: changed by hand" in said
    assert cli.main(["generate"]) == 0
    assert cli.main(["check"]) == 0


def test_what_is_noted_and_what_differs_is_said_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = project / "old"
    old.mkdir()
    for name in ("lamps.yaml", "pyproject.toml"):
        shutil.copy(project / name, old)
    text = (project / "lamps.yaml").read_text() + "servers: {home: {host: localhost, protocol: mqtt}}\n"
    (project / "lamps.yaml").write_text(text.replace("name: hours, type: long", "name: hours, type: string"))

    assert cli.main(["diff", "--against", "old"]) == 1
    said = capsys.readouterr().out
    assert cli.main(["generate"]) == 0

    assert capsys.readouterr().err.count("note: ") == 1
    assert len(re.findall(r"^\S+:\d+:\d+", said, re.MULTILINE)) == len(
        set(re.findall(r"^\S+:\d+:\d+.*", said, re.MULTILINE))
    )
