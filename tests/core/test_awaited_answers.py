"""The table of awaited answers: found by identifier and topic, ended by connection, bounded, and empty in the end."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from orbitalis.core.awaited_answers import AwaitedAnswer, AwaitedAnswers
from orbitalis.errors import OrbiterStateError
from orbitalis.message.schema import Input, Output
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role


def connection(name: str) -> Slot:
    return Slot(
        role=Role.CORE,
        remote_identifier=name,
        operation_name="text",
        input=Input.string(),
        output=Output.string(),
        created_at=0.0,
        waiting_since=0.0,
    )


def test_an_answer_is_found_on_its_own_connection_alone() -> None:
    answers: AwaitedAnswers[str] = AwaitedAnswers()
    one, other = connection("one"), connection("other")
    awaited = answers.add("a", one, "waiter")

    assert answers.find("a", [other, one]) is awaited
    assert awaited.waiter == "waiter"
    assert answers.find("a", [other]) is None
    assert answers.find("b", [one]) is None


def test_what_is_removed_is_gone_and_can_be_removed_again() -> None:
    answers: AwaitedAnswers[str] = AwaitedAnswers()
    slot = connection("one")
    first, second = answers.add("a", slot, "first"), answers.add("b", slot, "second")

    answers.remove(first)
    answers.remove(first)
    assert answers.find("a", [slot]) is None
    assert answers.remove_all(slot) == [second]
    assert answers.remove_all(slot) == []
    assert len(answers) == 0


def test_a_connection_takes_with_it_what_is_awaited_there_and_nothing_else() -> None:
    answers: AwaitedAnswers[str] = AwaitedAnswers()
    one, other = connection("one"), connection("other")
    mine = [answers.add(name, one, name) for name in "ab"]
    theirs = answers.add("c", other, "c")

    assert answers.remove_all(one) == mine
    assert answers.find("c", [other]) is theirs
    assert answers.remove_all(other) == [theirs]


def test_only_so_many_are_awaited() -> None:
    answers: AwaitedAnswers[str] = AwaitedAnswers(2)
    slot = connection("one")
    awaited = answers.add("a", slot, "a")
    answers.add("b", slot, "b")

    with pytest.raises(OrbiterStateError, match="2 requests wait for an answer, and no more may"):
        answers.add("c", slot, "c")
    answers.remove(awaited)
    answers.add("c", slot, "c")


def test_outputs_that_answer_nothing_are_counted_from_when_it_is_awaited() -> None:
    answers: AwaitedAnswers[str] = AwaitedAnswers()
    one, other = connection("one"), connection("other")
    answers.note_other(one)
    first = answers.add("a", one, "a")
    answers.note_other(one)
    second = answers.add("b", one, "b")
    answers.note_other(one)
    answers.note_other(other)

    assert (answers.others_since(first), answers.others_since(second)) == (2, 1)
    answers.remove_all(one)
    assert answers.others_since(first) == 0


class Table(RuleBasedStateMachine):
    """Holds the table against a plain list."""

    awaited = Bundle("awaited")

    def __init__(self) -> None:
        super().__init__()
        self.answers: AwaitedAnswers[int] = AwaitedAnswers(20)
        self.model: list[AwaitedAnswer[int]] = []
        self.slots = [connection(name) for name in "abc"]
        self.count = 0

    @rule(target=awaited, index=st.integers(0, 2))
    def add(self, index: int) -> AwaitedAnswer[int] | None:
        self.count += 1
        try:
            added = self.answers.add(str(self.count), self.slots[index], self.count)
        except OrbiterStateError:
            assert len(self.model) == 20
            return None
        self.model.append(added)
        return added

    @rule(one=awaited)
    def remove(self, one: AwaitedAnswer[int] | None) -> None:
        if one is not None:
            self.answers.remove(one)
            self.model = [other for other in self.model if other is not one]

    @rule(index=st.integers(0, 2))
    def close(self, index: int) -> None:
        gone = [one for one in self.model if one.slot is self.slots[index]]
        assert self.answers.remove_all(self.slots[index]) == gone
        self.model = [one for one in self.model if one not in gone]

    @invariant()
    def same(self) -> None:
        assert len(self.answers) == len(self.model)
        for one in self.model:
            assert self.answers.find(one.correlation_identifier, [one.slot]) is one
        assert set(self.answers._by_slot) == {one.slot for one in self.model}


TestTable = Table.TestCase
TestTable.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
