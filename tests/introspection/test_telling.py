"""What an orbiter tells: within the size of an answer, and all of it in the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orbitalis import Input, Output
from orbitalis.introspection import telling
from orbitalis.introspection.telling import Identity, tell_connections, tell_info, tell_statistics
from orbitalis.operations.operation_statistics import OperationStatistics, StatisticsByOperation
from orbitalis.protocol.config import OperationTerms, RequirementTerms
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role, SlotState
from orbitalis_wire import limits
from orbitalis_wire.codecs import CODEC_BY_CLASS
from orbitalis_wire.messages import InfoMessage, RemoteInfo, StatisticsMessage

MIDNIGHT = datetime(2030, 1, 1, tzinfo=UTC)
PLUGIN, CORE = (Identity("me", role, MIDNIGHT) for role in (Role.PLUGIN, Role.CORE))
SPEC = Input(schemas=("x" * 3000,))


def size_of(message: Any) -> int:
    """Return how many bytes an answer has."""
    return len(CODEC_BY_CLASS[type(message)].encode(message))


def info_pages(
    who: Identity,
    operations: dict[str, OperationTerms] | None = None,
    requirements: dict[str, RequirementTerms] | None = None,
    documentation: str = "",
    explanation: str = "",
    remotes: Sequence[RemoteInfo] = (),
) -> list[InfoMessage]:
    """Return all pages of what an orbiter is; each of them may be sent."""
    pages: list[InfoMessage] = []
    while not pages or pages[-1].next_cursor is not None:
        cursor = pages[-1].next_cursor if pages else None
        pages.append(
            tell_info(
                who,
                operations or {},
                lambda name: documentation,
                requirements or {},
                lambda: (explanation, remotes),
                cursor,
            )
        )
        assert size_of(pages[-1]) <= limits.INTROSPECTION_ANSWER_BYTES
        assert len(pages) < 200
    return pages


def slot(remote: str, name: str, **settings: Any) -> Slot:
    """Return a slot of a plugin."""
    given = {
        "role": Role.PLUGIN,
        "input": Input.string(),
        "output": Output.string(),
        "created_at": 1.0,
        "waiting_since": 2.0,
        "connection_identifier": "number-1",
        **settings,
    }
    return Slot(remote_identifier=remote, operation_name=name, **given)


def test_all_operations_are_told_on_pages_that_may_be_sent() -> None:
    operations = {
        f"operation-{number}": OperationTerms(input=SPEC, output=Output.string(), maximum=3) for number in range(300)
    }

    pages = info_pages(PLUGIN, operations, explanation="all is well")

    told = {name: one for page in pages for name, one in page.operations.items()}
    assert set(told) == set(operations)
    assert len(pages) > 10
    assert told["operation-7"].input.schemas == SPEC.schemas
    assert told["operation-7"].maximum == 3
    assert [page.explanation for page in pages] == ["all is well", *[""] * (len(pages) - 1)]
    assert all(page.requirements == {} for page in pages)


def test_all_requirements_are_told() -> None:
    terms = RequirementTerms(
        inputs=(SPEC,), outputs=(Output.string(),), minimum=2, maximum=4, mandatory=("b", "a"), blocklist=("z", "y")
    )

    pages = info_pages(CORE, requirements={f"need-{number}": terms for number in range(40)})

    told = {name: one for page in pages for name, one in page.requirements.items()}
    assert len(told) == 40
    one = told["need-11"]
    assert (one.minimum, one.maximum, one.mandatory, one.allowlist, one.blocklist) == (
        2,
        4,
        ("b", "a"),
        None,
        ("y", "z"),
    )
    assert len(pages) > 1


def test_an_operation_that_no_page_can_hold_is_named() -> None:
    huge = OperationTerms(input=Input(schemas=("x" * limits.SCHEMA_BYTES,)), output=Output.string())
    small = OperationTerms(input=Input.string(), output=Output.string(), allowlist=frozenset({"b", "a"}))

    (page,) = info_pages(PLUGIN, {"a": small, "huge": huge, "z": small})

    assert list(page.operations) == ["a", "z"]
    assert page.operations["a"].allowlist == ("a", "b")
    assert "operation 'huge' is left out" in page.explanation


def test_texts_of_any_length_are_cut() -> None:
    terms = OperationTerms(input=Input.string(), output=Output.string())

    (page,) = info_pages(PLUGIN, {"a": terms}, documentation="ä" * 100_000, explanation="\ud800" + "€" * 100_000)

    assert len(page.operations["a"].documentation.encode()) <= 4096
    assert 16_000 < len(page.explanation.encode()) <= 16_384


def test_documentation_is_told_as_its_author_sees_it() -> None:
    terms = OperationTerms(input=Input.string(), output=Output.string())

    (page,) = info_pages(PLUGIN, {"a": terms}, documentation="Lights up.\n\n        Or down.\n        ")

    assert page.operations["a"].documentation == "Lights up.\n\nOr down."


def test_connections_are_told_with_their_states_and_times() -> None:
    slots = [
        slot("b", "text", state=SlotState.OPEN, opened_at=3.0, last_used=3.0),
        slot("a", "text", state=SlotState.OPEN, opened_at=3.0, last_used=4.0),
        slot("a", "alpha", state=SlotState.OFFERED, connection_identifier=""),
        slot("c", "text", state=SlotState.CLOSING, opened_at=3.0, last_used=4.0, closing_at=5.0),
    ]

    message = tell_connections(PLUGIN, slots, lambda at: MIDNIGHT + timedelta(seconds=at), None)

    told = [
        (
            one.remote_identifier,
            one.operation_name,
            one.connection_identifier,
            one.state,
            (one.since - MIDNIGHT).total_seconds(),
            one.last_used_at and (one.last_used_at - MIDNIGHT).total_seconds(),
        )
        for one in message.connections
    ]
    assert told == [
        ("a", "alpha", "", SlotState.OFFERED.value, 2.0, None),
        ("a", "text", "number-1", SlotState.OPEN.value, 3.0, 4.0),
        ("b", "text", "number-1", SlotState.OPEN.value, 3.0, None),
        ("c", "text", "number-1", SlotState.CLOSING.value, 5.0, 4.0),
    ]
    assert message.next_cursor is None


@settings(max_examples=10, deadline=None)
@given(st.sets(st.text(alphabet="ab-.€", min_size=1, max_size=60), min_size=1, max_size=40))
def test_all_connections_are_told_on_pages_that_may_be_sent(remotes: set[str]) -> None:
    slots = [slot(remote, f"{'x' * 200}{number}") for remote in remotes for number in range(20)]
    seen: list[tuple[str, str]] = []
    cursor = None
    while True:
        page = tell_connections(PLUGIN, slots, lambda at: MIDNIGHT, cursor)
        assert size_of(page) <= limits.INTROSPECTION_ANSWER_BYTES
        seen += [(one.remote_identifier, one.operation_name) for one in page.connections]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == sorted(one.key for one in slots)


def test_statistics_are_told_in_pages_and_other_counts_once() -> None:
    operations = {
        f"operation-{number}": OperationStatistics(executions=number, last_error="x" * 4000, last_error_at=MIDNIGHT)
        for number in range(50)
    }
    pages: list[StatisticsMessage] = []
    while not pages or pages[-1].next_cursor is not None:
        pages.append(
            tell_statistics(PLUGIN, operations, {"bus.published": 7}, pages[-1].next_cursor if pages else None)
        )
        assert size_of(pages[-1]) <= limits.INTROSPECTION_ANSWER_BYTES

    told = {name: one for page in pages for name, one in page.operations.items()}
    assert {name: one.executions for name, one in told.items()} == {
        name: one.executions for name, one in operations.items()
    }
    assert [page.counters for page in pages] == [{"bus.published": 7}, *[{}] * (len(pages) - 1)]


def test_an_error_is_counted_with_what_it_says() -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise ValueError

    statistics = StatisticsByOperation()["text"]
    statistics.note_error(ValueError("\ud800" + "x" * 10_000))
    assert statistics.last_error is not None
    assert statistics.last_error.startswith("ValueError: ?xxx")
    assert len(statistics.last_error) == limits.ERROR_TEXT_BYTES
    assert statistics.last_error_at is not None
    statistics.note_error(Silent())

    assert (statistics.errors, statistics.last_error) == (2, "Silent")


def test_what_is_said_of_remotes_is_on_the_first_page_and_cut_off() -> None:
    terms = OperationTerms(input=SPEC, output=Output.string(), maximum=3)
    operations = {f"operation-{number}": terms for number in range(300)}
    remotes = [
        RemoteInfo(
            operation_name="operation-1",
            remote_identifier=f"core{number}",
            sharing="nothing",
            is_suspected=False,
            kind="policy",
            reasons=["the core is on the blocklist of the operation's policy"],
            count=number,
        )
        for number in range(1000)
    ]

    few, many = (
        info_pages(PLUGIN, operations, explanation="x" * 20_000, remotes=told) for told in (remotes[:3], remotes)
    )

    assert few[0].remotes == tuple(remotes[:3])
    assert 100 < len(many[0].remotes) < 200
    assert many[0].remotes == tuple(remotes[: len(many[0].remotes)])
    assert all(page.remotes == () for page in [*few[1:], *many[1:]])


def test_the_software_says_what_it_is() -> None:
    (page,) = info_pages(PLUGIN)

    assert (page.implementation, page.specification_version) == (telling.IMPLEMENTATION, "1.2.0")
    assert page.implementation_version not in ("", "unknown")
