"""What is in an emitted package: files, headers, names, words; the same every time."""

from __future__ import annotations

import ast
import keyword
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orbitalis_codegen.contract.model import Contract
from orbitalis_codegen.emit.contract_python import emit_contract
from orbitalis_codegen.emit.contract_python.named import Named, package_name
from orbitalis_codegen.emit.header import parse_header
from tests.codegen.contract.contracts import contract, emitted_package, lamps, message, plain, record

FILES = ["__init__.py", "_codecs.py", "client.py", "fake.py", "messages.py", "plugin.py", "py.typed"]


def bodies(made: Contract) -> dict[str, str]:
    """Return what is emitted, by the name of the file."""
    return {path.partition("/")[2]: data.decode() for path, data in emit_contract(made, "x").items()}


def changed(before: Contract, after: Contract) -> list[str]:
    """Return the files that are other ones after a change."""
    one, other = bodies(before), bodies(after)
    return [name for name in one if one[name] != other[name]]


def names_of_module(source: str) -> set[str]:
    """Return the names with a capital that a module imports or assigns."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        match node:
            case ast.ImportFrom(names=imported):
                found |= {one.name for one in imported}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
            case _:
                pass
    return {name for name in found if name[0].isupper()}


def test_a_package_has_these_files_with_headers() -> None:
    files = emit_contract(lamps(), "home_lamps")

    assert sorted(files) == [f"home_lamps/{name}" for name in FILES]
    for path, data in files.items():
        header = parse_header(data)
        assert path.endswith("py.typed") or (header is not None and header.intact)
        assert not data or b"from lamps.yaml. Do not edit: change it and" in data


def test_a_change_touches_the_files_that_depend_on_it() -> None:
    made = lamps()
    operation = made.operations["blink"]
    (blink, *others) = operation.inputs
    moved = replace(operation, position=replace(operation.position, line=99))
    described = replace(operation, summary="Other words.")
    reschemed = replace(operation, inputs=(replace(blink, schema=blink.schema + " "), *others))

    assert changed(made, replace(made, version="2.0.0", operations={**made.operations, "blink": moved})) == []
    assert changed(made, replace(made, operations={**made.operations, "blink": reschemed})) == ["_codecs.py"]
    reworded = replace(operation, inputs=(replace(blink, title="Blink", summary="Other words."), *others))
    assert changed(made, replace(made, operations={**made.operations, "blink": reworded})) == ["messages.py"]
    assert changed(made, replace(made, operations={**made.operations, "blink": described})) == [
        "client.py",
        "plugin.py",
    ]


@pytest.mark.parametrize(
    ("title", "package", "plugin"),
    [
        ("Lamps", "lamps", "LampsPlugin"),
        ("Shopping cart API", "shopping_cart_api", "ShoppingCartAPIPlugin"),
        ("2 fast", "contract_2_fast", "Contract2FastPlugin"),
        ("Größe — Maß", "größe_maß", "GrößeMaßPlugin"),
        ("!", "contract", "ContractPlugin"),
        ("class", "class_", "ClassPlugin"),
    ],
)
def test_names_follow_the_title(title: str, package: str, plugin: str) -> None:
    made = contract(title, {})

    assert package_name(made) == package
    assert Named(made).plugin == plugin


def test_names_of_operations_collide_with_nothing(tmp_path: Path) -> None:
    text = {"inputs": [plain("string")], "outputs": [plain("string")]}
    keys = [
        "send",
        "stop",
        "operations",
        "core",
        "str",
        "output",
        "class",
        "turnOn",
        "turn_on",
        "turn-on",
        "2nd",
        "_x",
        "send_quiet",
    ]
    silent = {"inputs": None, "outputs": [plain("string")]}
    made = contract(
        "Names",
        {**dict.fromkeys(keys, text), "offer": silent, "quiet": silent, "result_to_all": silent},
    )

    package: Any = emitted_package(made, tmp_path, "names_of_operations")

    operations = package.NamesClient.operations()
    assert [one.name for one in operations] == list(made.operations)
    attributes = [one.attribute for one in operations]
    assert len({*attributes}) == len(made.operations)
    assert not any(keyword.iskeyword(name) for name in attributes)
    assert attributes[:2] == ["send_", "stop_"]


def test_names_of_messages_collide_with_nothing(tmp_path: Path) -> None:
    names = [
        "Plugin",
        "Call",
        "NamesPlugin",
        "NamesClient",
        "GeneratedMessage",
        "str",
        "ClassVar",
        "CLASSES",
        "a.Same",
        "b.Same",
    ]
    parts = [message(record(name, {"x": "int"})) for name in names]
    made = contract("Names", {"take": {"inputs": parts, "outputs": parts[:1]}})

    package: Any = emitted_package(made, tmp_path, "names_of_messages")

    classes = [package.Plugin_, package.Call_, package.NamesPlugin, package.NamesClient, package.Str, package.Same_]
    for one in classes:
        assert one(x=1).encode() == b"\2"
    assert package.NamesPlugin_.take.name == "take"


def test_records_take_no_name_that_emitted_modules_use(tmp_path: Path) -> None:
    """Rather than a list of such names, the modules themselves are asked."""
    many = [message(record(f"EventOfALongName{index}", {"x": ["null", "long"]})) for index in range(8)]
    all_kinds = {
        **lamps().operations,
        **contract("More", {"many": {"inputs": many}, "all": {"inputs": None, "outputs": many}}).operations,
    }
    types = {**lamps().types, **{name: one for _, named in many for name, one in named.items()}}
    made = replace(lamps(), operations=all_kinds, types=types)
    own = {*Named(made).types.class_names.values(), *Named(made).unions}
    used = {name for body in bodies(made).values() for name in names_of_module(body)} - own
    assert {"TypeAlias", "CLASSES", "RecordCodec", "LampsPlugin"} <= used
    records = [message(record(name, {"x": "int"})) for name in sorted(used)]

    package = emitted_package(
        contract("Lamps", {"take": {"inputs": [*records, *many], "outputs": records}}), tmp_path, "names_in_use"
    )

    for name in used:
        assert getattr(package, name if name.startswith("Lamps") else f"{name}_")(x=1).encode() == b"\2"


def test_words_of_the_document_are_docstrings() -> None:
    words = 'It says """this""", \\ and \u202e that.\n\nMore.'
    made = contract("Words", {"take": {"inputs": [], "outputs": [plain("long")], "summary": words}}, words)

    for name, body in bodies(made).items():
        compile(body, name, "exec")
        assert "\u202e" not in body
    assert bodies(made)["plugin.py"].count("More.") == 2


def test_each_error_has_its_own_words_though_two_have_one_type() -> None:
    broken = record("Broken", {"hours": "long"})
    errors = [message(broken, "It broke."), message(broken, "It broke again."), message(record("Lost", {}), "It left.")]

    plugin = bodies(contract("Lamps", {"find": {"errors": errors}}))["plugin.py"]

    assert "May raise :class:`Broken`: It broke.\n" in plugin
    assert "May raise :class:`Lost`: It left.\n" in plugin


def test_a_contract_is_emitted_alike_each_time() -> None:
    assert emit_contract(lamps(), "x") == emit_contract(lamps(), "x")


def test_an_emitted_package_imports_the_runtime_alone() -> None:
    imported = {
        module
        for body in bodies(lamps()).values()
        for module in re.findall(r"^from (\S+) import", body, re.MULTILINE)
        if not module.startswith(".")
    }

    assert {name.partition(".")[0] for name in imported} <= {
        *("__future__", "abc", "collections", "dataclasses", "enum", "orbitalis", "orbitalis_avro", "typing"),
    }


def test_a_record_of_headers_is_a_dataclass_that_is_no_message(tmp_path: Path) -> None:
    made = lamps()
    sent, types = message(record("Sent", {"by": "string"}))
    headed = replace(made.operations["blink"].inputs[0], headers=sent.payload)
    operation = replace(made.operations["blink"], inputs=(headed,))
    types = {**made.types, **types}

    package: Any = emitted_package(
        replace(made, types=types, operations={"blink": operation}), tmp_path, "headers_of_messages"
    )

    assert package.Sent(by="me").by == "me"
    assert not hasattr(package.Sent, "encode")
