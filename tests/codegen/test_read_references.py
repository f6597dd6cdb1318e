"""References are followed wherever they lead: through others, across files, and past every way of spelling them."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbitalis_codegen import SpecificationError, read_specification
from orbitalis_codegen.diagnostic import Report
from orbitalis_codegen.read.files import SourceFiles
from orbitalis_codegen.read.node import ObjectNode, plain
from orbitalis_codegen.read.reference import Resolver
from tests.codegen.broken.cases import edited


def follow(root: Path, reference: str) -> object:
    (root / "asyncapi.yaml").write_text(f"start:\n  $ref: {reference!r}\n" + DOCUMENT)
    (root / "parts").mkdir()
    (root / "parts" / "other.yaml").write_text(OTHER)
    (root / "parts" / "list.json").write_text('[{"value": "in a list"}]')
    report = Report()
    files = SourceFiles(root, report)
    tree = files.read("asyncapi.yaml")
    assert isinstance(tree, ObjectNode)
    target = Resolver(files, "asyncapi.yaml", report).follow(tree.members["start"])
    if target is None:
        raise report.error()
    return plain(target.node)


DOCUMENT = """
plain: {value: plain}
again: {$ref: '#/plain'}
far: {$ref: './parts/other.yaml#/back'}
holder: {$ref: '#/held'}
held: {inner: {value: held}}
a/b~c: {value: escaped}
'ä 1': {value: encoded}
loop: {$ref: '#/loop/inner'}
"""
OTHER = """
own: {value: other}
back: {$ref: '../asyncapi.yaml#/plain'}
near: {$ref: '#/own'}
"""


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("#/plain", {"value": "plain"}),
        ("#/again", {"value": "plain"}),
        ("#/far", {"value": "plain"}),
        ("#/holder/inner", {"value": "held"}),
        ("#/a~1b~0c", {"value": "escaped"}),
        ("#/%C3%A4%201", {"value": "encoded"}),
        ("asyncapi.yaml#/plain", {"value": "plain"}),
        ("./parts/other.yaml#/own", {"value": "other"}),
        ("parts/other.yaml#/near", {"value": "other"}),
        ("parts/../parts//other.yaml#/own", {"value": "other"}),
        ("parts/list.json#/0", {"value": "in a list"}),
        ("parts/list.json", [{"value": "in a list"}]),
        ("#/plain/value", "plain"),
    ],
)
def test_references_are_followed(reference: str, value: object, tmp_path: Path) -> None:
    assert follow(tmp_path, reference) == value


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("#/start", "ORB209"),
        ("#/loop", "ORB209"),
        ("#/nothing", "ORB208"),
        ("#/plain/value/deeper", "ORB208"),
        ("parts/list.json#/1", "ORB208"),
        ("parts/list.json#/-1", "ORB208"),
        ("parts/list.json#/\u0660", "ORB208"),
        ("parts/none.yaml", "ORB101"),
        ("parts", "ORB101"),
        ("../asyncapi.yaml", "ORB207"),
        ("file:///etc/passwd", "ORB206"),
        ("//host/asyncapi.yaml", "ORB206"),
        ("#plain", "ORB206"),
    ],
)
def test_references_to_nothing_are_reported(reference: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(SpecificationError) as caught:
        follow(tmp_path, reference)

    assert [problem.code for problem in caught.value.diagnostics] == [code]


def test_a_link_out_of_the_root_is_not_followed(tmp_path: Path) -> None:
    root = edited(tmp_path / "root")
    outside = tmp_path / "Text.avsc"
    (root / "schemas" / "Text.avsc").rename(outside)
    (root / "schemas" / "Text.avsc").symlink_to(outside)

    with pytest.raises(SpecificationError) as caught:
        read_specification(root)

    assert {problem.code for problem in caught.value.diagnostics} == {"ORB207"}


def test_a_link_to_itself_is_reported(tmp_path: Path) -> None:
    root = edited(tmp_path)
    (root / "schemas" / "Text.avsc").unlink()
    (root / "schemas" / "Text.avsc").symlink_to("Text.avsc")

    with pytest.raises(SpecificationError) as caught:
        read_specification(root)

    assert {problem.code for problem in caught.value.diagnostics} == {"ORB101"}


def test_a_message_may_lie_behind_several_references(tmp_path: Path) -> None:
    definition = "    Anything:\n      description: Whatever the two have agreed on.\n"
    root = edited(
        tmp_path,
        ("asyncapi.yaml", definition, "    Anything:\n      $ref: './more.yaml#/far'\n"),
        (
            "asyncapi.yaml",
            "        $ref: '#/components/messages/Anything'",
            "        $ref: '#/components/messages/Alias'",
        ),
        (
            "asyncapi.yaml",
            "  messages:\n    Switch:\n",
            "  messages:\n    Alias: {$ref: '#/components/messages/Anything'}\n    Switch:\n",
        ),
        ("more.yaml", "", "far: {$ref: '#/near'}\nnear: {description: Whatever two files agree on.}\n"),
    )

    model = read_specification(root)

    assert model.messages["Anything"].description == "Whatever two files agree on."
    assert model.channels["command"].messages == ("Switch", "Text", "Anything")
    # What only refers to a message is none.
    assert "Alias" not in model.messages
    assert "more.yaml" in model.inputs


def test_parts_of_an_operation_may_be_references(tmp_path: Path) -> None:
    root = edited(
        tmp_path,
        ("asyncapi.yaml", "    reply: *answer\n", "    reply:\n      $ref: '#/components/replies/answer'\n"),
        (
            "asyncapi.yaml",
            "components:\n",
            "components:\n  replies:\n    answer:\n      channel:\n        $ref: '#/channels/status'\n"
            "  tags:\n    plugin:\n      name: plugin\n",
        ),
        (
            "asyncapi.yaml",
            "    tags:\n      - name: plugin\n    bindings: *reliable",
            "    tags:\n      - $ref: '#/components/tags/plugin'\n    bindings: *reliable",
        ),
    )

    operation = read_specification(root).operations["pluginReceivesCommand"]

    assert operation.roles == ("plugin",)
    # Without messages of its own, a reply may be any of its channel's.
    assert (operation.reply_channel, operation.reply_messages) == ("status", ("Status", "Level"))


def test_a_file_that_cannot_be_opened_is_the_fault_of_all_who_mention_it(tmp_path: Path) -> None:
    root = edited(tmp_path)
    document = root / "asyncapi.yaml"
    text = document.read_text()
    mentions = text.count("$ref: '#/components/messages/")
    assert mentions > 1
    document.write_text(text.replace("$ref: '#/components/messages/", "$ref: 'components/messages/"))

    with pytest.raises(SpecificationError) as raised:
        read_specification(root)

    found = [one for one in raised.value.diagnostics if "is none of" in one.message]
    assert len({one.position for one in found}) == mentions
    assert {one.hint for one in found} == {"what stands in the same file is meant by '#/...'"}
