"""Fingerprints of contracts: what counts for them, and what does not."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import pytest

from orbitalis_avro.canonical_form import canonical_form_of
from orbitalis_codegen.contract.describe import describe
from orbitalis_codegen.contract.fingerprint import PLAIN_FORMS, canonical_text_of, fingerprint_of
from orbitalis_codegen.contract.model import Contract, ContractMessage, ContractOperation, PlainType
from orbitalis_codegen.contract.read import load_contract
from orbitalis_codegen.diagnostic import Position
from orbitalis_wire.schemas import SCHEMAS
from tests.support.repository import ROOT

HERE = Position("lamps.yaml", 1, 1)


def message(form: str, plain: PlainType | None = None, key: str = "message") -> ContractMessage:
    """Make a message with a schema, given in canonical form."""
    return ContractMessage(
        key=key,
        title="",
        summary="",
        description="",
        payload=None if plain else "Level",
        plain=plain,
        schema=form,
        canonical_form=form,
        fingerprint="",
        headers=None,
        position=HERE,
    )


LEVEL = message('{"name":"Level","type":"record","fields":[{"name":"level","type":"double"}]}')
COLOUR = message('{"name":"Colour","type":"record","fields":[]}')
TEXT = message('"string"', plain="string")
DIM = ContractOperation(
    key="dim",
    summary="Dims.",
    description="",
    has_input=True,
    inputs=(LEVEL, TEXT),
    outputs=(TEXT,),
    errors=(COLOUR,),
    position=HERE,
)
ASK = replace(DIM, key="ask", inputs=(), outputs=(), errors=())
ALARM = replace(DIM, key="alarm", has_input=False, inputs=(), errors=())
LAMPS = Contract(
    title="Lamps",
    version="1.0.0",
    description="",
    operations={one.key: one for one in (DIM, ASK, ALARM)},
    types={},
    document="lamps.yaml",
    notes=(),
    inputs={},
)

CANONICAL_TEXT = """\
orbitalis-contract 1
operation alarm
output {"name":"StringMessage","type":"record","fields":[{"name":"value","type":"string"}]}
operation ask
input empty
operation dim
input {"name":"Level","type":"record","fields":[{"name":"level","type":"double"}]}
input {"name":"StringMessage","type":"record","fields":[{"name":"value","type":"string"}]}
output {"name":"StringMessage","type":"record","fields":[{"name":"value","type":"string"}]}
error {"name":"Colour","type":"record","fields":[]}
"""


def with_operations(*operations: ContractOperation) -> Contract:
    return replace(LAMPS, operations={one.key: one for one in operations})


def test_the_canonical_text_says_what_goes_over_the_wire_and_nothing_else() -> None:
    assert canonical_text_of(LAMPS) == CANONICAL_TEXT


def test_the_fingerprint_is_the_digest_of_the_text() -> None:
    assert fingerprint_of(LAMPS) == hashlib.sha256(CANONICAL_TEXT.encode()).hexdigest()
    assert re.fullmatch("[0-9a-f]{64}", fingerprint_of(LAMPS))


DESCRIBED = replace(
    LEVEL, key="Other", title="T", summary="S", description="D", headers="H", position=Position("x", 2, 3)
)


@pytest.mark.parametrize(
    "other",
    [
        replace(LAMPS, title="Lights", version="2.0.0", description="All.", document="other.yaml"),
        with_operations(ALARM, ASK, DIM),
        with_operations(replace(DIM, summary="", description="More.", position=Position("x", 7, 1)), ASK, ALARM),
        with_operations(replace(DIM, inputs=(TEXT, LEVEL)), ASK, ALARM),
        with_operations(replace(DIM, inputs=(TEXT, DESCRIBED)), ASK, ALARM),
        with_operations(replace(DIM, inputs=(TEXT, LEVEL, DESCRIBED)), ASK, ALARM),
        with_operations(replace(DIM, inputs=(message(PLAIN_FORMS["string"]), LEVEL)), ASK, ALARM),
    ],
    ids=["title", "order of operations", "description", "order of messages", "key", "twice", "spelling of a text"],
)
def test_what_no_peer_notices_does_not_count(other: Contract) -> None:
    assert fingerprint_of(other) == fingerprint_of(LAMPS)


@pytest.mark.parametrize(
    "other",
    [
        with_operations(DIM, ASK),
        with_operations(replace(DIM, key="Dim"), ASK, ALARM),
        with_operations(replace(DIM, inputs=(LEVEL,)), ASK, ALARM),
        with_operations(replace(DIM, inputs=()), ASK, ALARM),
        with_operations(replace(DIM, inputs=(COLOUR, TEXT)), ASK, ALARM),
        with_operations(replace(DIM, outputs=()), ASK, ALARM),
        with_operations(replace(DIM, outputs=(TEXT, COLOUR), errors=()), ASK, ALARM),
        with_operations(replace(DIM, errors=()), ASK, ALARM),
        with_operations(DIM, replace(ASK, has_input=False), ALARM),
        with_operations(DIM, ASK, replace(ALARM, has_input=True)),
    ],
    ids=[
        *("operation", "name", "one input", "empty input", "schema", "output", "error as output", "error"),
        *("no input", "empty event as input"),
    ],
)
def test_what_a_peer_notices_counts(other: Contract) -> None:
    assert fingerprint_of(other) != fingerprint_of(LAMPS)


@pytest.mark.parametrize(
    ("plain", "message_type"),
    [("string", "StringMessage"), ("bytes", "BytesMessage"), ("long", "Int64Message"), ("double", "Float64Message")],
)
def test_plain_payloads_count_as_the_messages_of_the_protocol(plain: PlainType, message_type: str) -> None:
    (form,) = [one.canonical_form for one in SCHEMAS if one.message_type == message_type]

    assert PLAIN_FORMS[plain] == form


def test_names_are_sorted_as_code_points() -> None:
    names = ["z", "Z", "\uffff", "\U00010000", "ä"]
    text = canonical_text_of(with_operations(*(replace(ASK, key=name) for name in names)))

    assert re.findall("operation (.*)", text) == sorted(names, key=lambda name: name.encode())


def test_canonical_forms_hold_no_line_breaks() -> None:
    with pytest.raises(ValueError, match="expected a name"):
        canonical_form_of({"type": "record", "name": "A\ninput empty", "fields": []})


def test_the_example_has_the_fingerprint_that_the_page_shows() -> None:
    page = (ROOT / "docs" / "how-to" / "describing-contracts.md").read_text()
    read = fingerprint_of(load_contract(ROOT / "examples" / "contract", "lamps.yaml"))

    assert f"\n```text\n{read}\n```\n" in page
    assert fingerprint_of(describe("examples.contract.lamps:LampsPlugin")) == read
