"""A specification that is right becomes a model that says all of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

from orbitalis_avro.canonical_form import canonical_form_of
from orbitalis_avro.types import (
    Array,
    AvroType,
    Enumeration,
    Field,
    Fixed,
    LogicalType,
    Map,
    Primitive,
    Record,
    Reference,
    Union,
)
from orbitalis_codegen import Model, SpecificationError, read_specification
from orbitalis_codegen.model import Limit, Parameter, Server, Timing
from tests.codegen.broken.cases import LAMPS, edited
from tests.support.repository import ROOT


@pytest.fixture(scope="module")
def lamps() -> Model:
    return read_specification(LAMPS)


@pytest.fixture(scope="module")
def repository() -> Model:
    return read_specification(ROOT)


def test_document(lamps: Model) -> None:
    assert (lamps.title, lamps.version) == ("Lamps", "2.1.0")
    assert lamps.description == "A small specification that is right, for tests that break it."
    assert lamps.servers == {"local": Server(key="local", host="localhost:1883", protocol="mqtt", description="")}
    assert lamps.timings == {
        "blink_interval": Timing(name="blink_interval", seconds=0.5, description="Time between two blinks.")
    }
    assert list(lamps.limits) == ["identifier_bytes", "topic_bytes", "event_bytes", "nesting_depth"]
    assert lamps.limits["nesting_depth"] == Limit(name="nesting_depth", maximum=64, description="Nesting of a payload.")


def test_channels(lamps: Model) -> None:
    command = lamps.channels["command"]

    assert list(lamps.channels) == ["command", "status"]
    assert (command.key, command.address) == ("command", "lamps/{lamp}/{sender}/command")
    assert command.description == "Commands for one lamp. [ORB-LI-01] A lamp obeys them."
    assert command.parameters == (
        Parameter(name="lamp", description="Name of the lamp.", unknown=None),
        Parameter(name="sender", description="Who sends the command.", unknown="-"),
    )
    assert command.messages == ("Switch", "Text", "Anything")
    assert (command.quality_of_service, command.retain) == (1, False)
    # The channel calls a message of its own otherwise than the components do.
    assert lamps.channels["status"].messages == ("Status", "Level")
    assert (lamps.channels["status"].quality_of_service, lamps.channels["status"].retain) == (0, True)


def test_parameters_are_in_the_order_of_the_address(tmp_path: Path) -> None:
    root = edited(tmp_path, ("asyncapi.yaml", "lamps/{lamp}/{sender}/command", "lamps/{sender}/{lamp}/command"))

    assert [parameter.name for parameter in read_specification(root).channels["command"].parameters] == [
        "sender",
        "lamp",
    ]


def test_operations(lamps: Model) -> None:
    sends = lamps.operations["coreSendsCommand"]
    receives = lamps.operations["pluginReceivesCommand"]

    assert list(lamps.operations) == [
        "coreSendsCommand",
        "pluginReceivesCommand",
        "pluginSendsStatus",
        "coreReceivesStatus",
    ]
    assert (sends.action, sends.channel, sends.roles, sends.summary) == (
        "send",
        "command",
        ("core",),
        "Command one lamp.",
    )
    assert (sends.messages, sends.reply_channel, sends.reply_messages) == (("Switch",), "status", ("Status",))
    assert (sends.quality_of_service, sends.retain) == (1, False)
    assert (receives.action, receives.roles) == ("receive", ("plugin",))
    # Without messages of its own, an operation may be any of its channel's.
    assert receives.messages == ("Switch", "Text", "Anything")
    assert lamps.operations["pluginSendsStatus"].reply_channel is None


def test_messages(lamps: Model) -> None:
    assert list(lamps.messages) == ["Switch", "Status", "Text", "Level", "Anything"]
    status, text, level, anything = (lamps.messages[key] for key in ("Status", "Text", "Level", "Anything"))
    assert (status.name, status.title, status.summary, status.record) == (
        "Status",
        "Status",
        "What a lamp does.",
        "Status",
    )
    assert (status.payload_format, status.payload_layout) == ("avro", None)
    assert (text.payload_format, text.payload_layout) == ("utf-8", None)
    assert (level.payload_format, level.payload_layout) == ("bytes", "float64")
    assert (anything.name, anything.record, anything.schema, anything.canonical_form) == (None, None, None, None)
    assert anything.description == "Whatever the two have agreed on."


def test_envelope(lamps: Model) -> None:
    assert (lamps.envelope.key, lamps.envelope.name, lamps.envelope.record) == ("Envelope", "Envelope", "Envelope")
    assert "Envelope" not in lamps.messages
    assert lamps.envelope.fingerprint == fingerprint(lamps.envelope.canonical_form or "", "CRC-64-AVRO")


def test_types(lamps: Model) -> None:
    string, integer, null = Primitive(name="string"), Primitive(name="int"), Primitive(name="null")

    def field(name: str, type_: AvroType, *default: object, description: str = "") -> Field:
        return Field(
            name=name,
            type=type_,
            description=description,
            has_default=bool(default),
            default=default[0] if default else None,
        )

    assert lamps.types["Switch"] == Record(
        name="Switch",
        class_name="Switch",
        description="Turns a lamp on or off.",
        fields=(
            field("state", Reference(name="State"), description="What it is to be."),
            field("color", Union(branches=(null, Reference(name="Color"))), None),
            field("after", Primitive(name="double"), 1, description="Seconds to wait."),
            field("labels", Map(values=string), {}),
        ),
        source="schemas/Switch.avsc",
    )
    assert lamps.types["Status"] == Record(
        name="Status",
        class_name="Status",
        description="",
        fields=(
            field("state", Reference(name="State"), "OFF"),
            field("history", Array(items=Reference(name="Status"))),
            field("checksum", Reference(name="Checksum")),
            field("since", LogicalType(name="date", underlying=integer)),
        ),
        source="schemas/Status.avsc",
    )
    assert lamps.types["State"] == Enumeration(
        name="State",
        class_name="State",
        description="",
        symbols=("ON", "OFF"),
        default="OFF",
        source="schemas/State.avsc",
    )
    assert lamps.types["Checksum"] == Fixed(
        name="Checksum", class_name="Checksum", description="", size=4, source="schemas/Status.avsc"
    )


def test_types_stand_after_what_they_refer_to(repository: Model, lamps: Model) -> None:
    for model in (repository, lamps):
        names = list(model.types)
        for name, named in model.types.items():
            needed = {mentioned for mentioned in mentions(named) if mentioned != name}
            assert needed <= set(names[: names.index(name)]), name


def mentions(named: object) -> set[str]:
    def of_type(type_: AvroType) -> set[str]:
        match type_:
            case Reference(name=name):
                return {name}
            case Array(items=inner) | Map(values=inner):
                return of_type(inner)
            case Union(branches=branches):
                return set().union(*map(of_type, branches))
            case _:
                return set()

    return set().union(*(of_type(field.type) for field in named.fields)) if isinstance(named, Record) else set()


def test_schemas_are_those_of_the_files_written_into_one_another(repository: Model) -> None:
    files = {path.stem: json.loads(path.read_text()) for path in (ROOT / "schemas").glob("*.avsc")}
    offer = files["OfferMessage"]
    operation = files["OfferedOperation"]
    operation["fields"][1]["type"] = files["Input"]
    operation["fields"][2]["type"] = files["Output"]
    offer["fields"][1]["type"]["items"] = operation
    message = repository.messages["OfferMessage"]

    assert message.schema == json.dumps(offer, separators=(",", ":"), ensure_ascii=False)
    assert message.canonical_form == to_parsing_canonical_form(parse_schema(offer))


def test_schemas_write_a_type_out_once(lamps: Model) -> None:
    for message in [*lamps.messages.values(), lamps.envelope]:
        if message.schema is not None:
            parse_schema(json.loads(message.schema))
            assert canonical_form_of(json.loads(message.schema or "")) == message.canonical_form
            assert fingerprint(message.canonical_form or "", "CRC-64-AVRO") == message.fingerprint
    assert (lamps.messages["Status"].schema or "").count('"symbols"') == 1
    assert '"items":"Status"' in (lamps.messages["Status"].schema or "")


def test_key_of_a_message_is_the_name_of_its_class(repository: Model) -> None:
    record = repository.types["GracelessCloneConnectionMessage"]

    assert record.class_name == "GracelessCloseConnectionMessage"
    assert repository.messages["GracelessCloseConnectionMessage"].name == "GracelessCloneConnectionMessage"
    assert [named.name for named in repository.types.values() if named.class_name != named.name] == [record.name]


def test_every_file_is_an_input(repository: Model) -> None:
    files = [ROOT / "asyncapi.yaml", *(ROOT / "schemas").glob("*.avsc")]

    assert repository.inputs == {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files}
    assert list(repository.inputs) == sorted(repository.inputs)


def test_namespaces(tmp_path: Path) -> None:
    root = edited(
        tmp_path,
        ("schemas/State.avsc", '"name": "State",', '"name": "State", "namespace": "house",'),
        ("schemas/Color.avsc", '"name": "Color",', '"name": "house.Color",'),
        ("schemas/Color.avsc", '"green", "type": "int"', '"green", "type": "State"'),
        ("schemas/Switch.avsc", '"type": "State"', '"type": "house.State"'),
        ("schemas/Switch.avsc", '["null", "Color"]', '["null", "house.Color", "Tint"]'),
        ("schemas/Status.avsc", '"type": "State"', '"type": "house.State"'),
        (
            "schemas/Tint.avsc",
            "",
            '{"type": "record", "name": "Tint", "fields": [{"name": "inner", "type": {"type": "record", "namespace":'
            ' "house", "name": "Inner", "fields": [{"name": "state", "type": "State"}, {"name": "outer", "type":'
            ' {"type": "fixed", "namespace": "", "name": "Outer", "size": 1}}]}}]}',
        ),
    )

    model = read_specification(root)

    assert list(model.types)[:5] == ["house.State", "house.Color", "Outer", "house.Inner", "Tint"]
    assert model.types["house.Inner"].class_name == "Inner"
    canonical_form = model.messages["Switch"].canonical_form or ""
    assert '{"name":"house.Inner","type":"record","fields":[{"name":"state","type":"house.State"}' in canonical_form
    assert '{"name":"Outer","type":"fixed","size":1}' in canonical_form


def test_types_may_contain_one_another(tmp_path: Path) -> None:
    root = edited(
        tmp_path,
        ("schemas/Color.avsc", '"green", "type": "int"', '"green", "type": ["null", "Switch"]'),
        ("schemas/Switch.avsc", '"values": "string"}, "default": {}', '"values": "Switch"}'),
    )

    model = read_specification(root)

    assert list(model.types)[:3] == ["State", "Color", "Switch"]
    assert (model.messages["Switch"].schema or "").count('"name":"Switch"') == 1


def test_the_same_is_read_whatever_the_hash_seed() -> None:
    script = "from pathlib import Path; from orbitalis_codegen import read_specification as r; print(r(Path()))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "codegen")},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("0", "1", "2")
    }

    assert len(outputs) == 1


def test_a_long_chain_of_types_is_no_trouble(tmp_path: Path) -> None:
    fields = '"fields": [{"name": "next", "type": "Link'
    links = [
        (f"schemas/Link{number}.avsc", "", f'{{"type": "record", "name": "Link{number}", {fields}{number + 1}"}}]}}')
        for number in range(2000)
    ]
    root = edited(
        tmp_path,
        *links,
        ("schemas/Link2000.avsc", "", '{"type": "enum", "name": "Link2000", "symbols": ["END"]}'),
        ("schemas/Color.avsc", '"green", "type": "int"', '"green", "type": "Link0"'),
    )

    with pytest.raises(SpecificationError) as caught:
        read_specification(root)

    assert [str(problem) for problem in caught.value.diagnostics] == [
        "schemas/Switch.avsc:3:11: ORB317 with the types it contains, 'Switch' is nested more than 64 levels deep"
    ]


def test_nothing_is_retained_unless_the_binding_says_so(tmp_path: Path) -> None:
    model = read_specification(
        edited(tmp_path, ("asyncapi.yaml", "        qos: 1\n        retain: false\n", "        qos: 1\n"))
    )

    assert (model.channels["command"].quality_of_service, model.channels["command"].retain) == (1, False)
    assert not model.operations["coreSendsCommand"].retain


def test_all_problems_are_found_in_one_run(tmp_path: Path) -> None:
    root = edited(
        tmp_path,
        ("asyncapi.yaml", "    summary: Command", "    sumary: Command"),
        ("asyncapi.yaml", "qos: 1", "qos: 3"),
        ("asyncapi.yaml", "maximum: 255", "maximum: 0"),
        ("asyncapi.yaml", "'#/channels/command/messages/Switch'", "'#/channels/command/messages/Swich'"),
        ("schemas/Color.avsc", "255", '"red"'),
        ("schemas/Text.avsc", '"string"}', '"string",}'),
        ("schemas/State.avsc", '["ON", "OFF"]', '["ON", "OFF", "OFF"]'),
    )

    with pytest.raises(SpecificationError) as caught:
        read_specification(root)

    assert [f"{problem.position} {problem.code}" for problem in caught.value.diagnostics] == [
        "schemas/Text.avsc:5:39 ORB108",
        "asyncapi.yaml:21:16 ORB427",
        "asyncapi.yaml:108:5 ORB203",
        "asyncapi.yaml:153:14 ORB412",
        "schemas/Color.avsc:5:47 ORB313",
        "schemas/State.avsc:4:28 ORB308",
        "asyncapi.yaml:112:15 ORB208",
    ]
    assert str(caught.value).splitlines()[2:4] == [
        "asyncapi.yaml:21:16: ORB427 the limit 'identifier_bytes' is 0",
        "    hint: a limit is an integer greater than zero",
    ]


@pytest.mark.parametrize(
    "name",
    [
        *(".#Color.avsc", "Color.avsc~", "#Color.avsc#", ".Color.avsc.swp", "._Color.avsc", "Color.avsc.bak"),
        *("Color.orig.avsc", "Color.avsc.orig", "Color_BACKUP_17.avsc.tmp", "Color.BASE.avsc", "~Color.avsc"),
        *(
            "Color_LOCAL_4711.avsc",
            "Color_BASE_1.avsc",
            "Color.avsc.save.1",
            "Color.avsc___jb_tmp___",
            "Color.avsc.un~",
        ),
    ],
)
def test_what_editors_leave_is_ignored_and_noted(name: str, tmp_path: Path) -> None:
    root = edited(tmp_path)
    (root / "schemas" / name).write_text("{ no JSON")

    model = read_specification(root)

    assert [str(note) for note in model.notes] == [
        f"schemas/{name}:1:1: ORB101 what an editor or a merge has left is ignored"
    ]
    assert f"schemas/{name}" not in model.inputs


@pytest.mark.parametrize("name", ["Color.AVSC", "Color.avsc.disabled", "Color.avsc.txt"])
def test_what_only_looks_like_a_schema_file_is_noted(name: str, tmp_path: Path) -> None:
    root = edited(tmp_path)
    (root / "schemas" / name).write_text("{ no JSON")

    assert [str(note) for note in read_specification(root).notes] == [
        f"schemas/{name}:1:1: ORB101 what is no schema file by its name is ignored"
    ]


@pytest.mark.parametrize("name", ["Color_old", "Color_BASE", "Color_tmp", "Part"])
def test_a_type_may_be_called_like_a_part_of_what_is_left(name: str, tmp_path: Path) -> None:
    root = edited(tmp_path)
    color = (root / "schemas/Color.avsc").read_text().replace('"Color"', f'"{name}"')
    (root / "schemas/Color.avsc").unlink()
    (root / f"schemas/{name}.avsc").write_text(color)
    switch = root / "schemas/Switch.avsc"
    switch.write_text(switch.read_text().replace('"Color"', f'"{name}"'))

    model = read_specification(root)

    assert name in model.types
    assert model.notes == ()


def test_a_lock_of_an_editor_that_leads_nowhere_is_ignored(tmp_path: Path) -> None:
    root = edited(tmp_path)
    (root / "schemas/.#Color.avsc").symlink_to("nobody@nowhere.1:2")

    assert len(read_specification(root).notes) == 1


def test_a_file_of_another_kind_beside_schemas_is_no_concern(tmp_path: Path) -> None:
    root = edited(tmp_path, ("schemas/README.md", "", "Schemas."))

    assert read_specification(root).notes == ()
