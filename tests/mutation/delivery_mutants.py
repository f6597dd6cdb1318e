"""Mutants of what is promised of data: numbers, the time for which answers are awaited, and what is dropped."""

from __future__ import annotations

from tests.mutation.mutant import Mutant

__all__ = ["DELIVERY_MUTANTS"]

DELIVERY_MUTANTS = [
    # Numbers
    Mutant(
        name="a-duplicate-is-handled",
        file="orbitalis/protocol/sequence.py",
        old="        if not self.absent & bit:\n",
        new="        if bit < 0:\n",
    ),
    Mutant(
        name="window-never-moves-in-order",
        file="orbitalis/orbiter/delivery.py",
        old="                    window.greatest = number\n",
        new="                    pass\n",
    ),
    Mutant(
        name="window-never-moves-ahead",
        file="orbitalis/protocol/sequence.py",
        old="            self.greatest = number\n",
        new="",
    ),
    Mutant(
        name="window-does-not-follow",
        file="orbitalis/orbiter/delivery.py",
        old="                        window.shift()\n",
        new="                        pass\n",
    ),
    Mutant(
        name="window-one-longer",
        file="orbitalis/protocol/sequence.py",
        old="_WINDOW: Final = limits.SEQUENCE_WINDOW\n",
        new="_WINDOW: Final = limits.SEQUENCE_WINDOW + 1\n",
    ),
    Mutant(
        name="what-comes-late-stays-missing",
        file="orbitalis/protocol/sequence.py",
        old="        self.missing -= 1\n",
        new="",
    ),
    Mutant(
        name="numbers-of-any-connection-count",
        file="orbitalis/orbiter/delivery.py",
        old="        if number is not None and event.connection_identifier is not None:\n",
        new="        if number is not None:\n",
    ),
    Mutant(
        name="each-gap-is-told",
        file="orbitalis/orbiter/delivery.py",
        old="            window.is_gap_told = True\n",
        new="",
    ),
    Mutant(
        name="what-has-not-left-has-a-number",
        file="orbitalis/orbiter/connection_publisher.py",
        old="        number = None if numbers is None else numbers.last + 1\n",
        new=(
            "        number = None if numbers is None else numbers.last + 1\n"
            "        if numbers is not None:\n            numbers.last += 1\n"
        ),
    ),
    Mutant(
        name="asides-have-numbers",
        file="orbitalis/orbiter/asides.py",
        old="is_data=False",
        new="is_data=True",
    ),
    # For how long answers are awaited
    Mutant(
        name="expired-inputs-are-handled",
        file="orbitalis/plugin/asked_inputs.py",
        old="answer.expires_at > slot.last_used",
        new="True",
    ),
    Mutant(
        name="inputs-are-not-taken-back",
        file="orbitalis/plugin/asked_inputs.py",
        old="                        answer.take_back()\n",
        new="                        pass\n",
    ),
    Mutant(
        name="answers-to-what-was-taken-back",
        file="orbitalis/orbiter/connection_publisher.py",
        old="        if answer.is_taken_back:\n            return None\n",
        new="",
    ),
    Mutant(
        name="cancels-for-peers-that-do-not-know-them",
        file="orbitalis/core/request.py",
        old=" and connection.headers.encoding in SINCE_1_1:\n",
        new=":\n",
    ),
    Mutant(
        name="no-cancels",
        file="orbitalis/core/request.py",
        old="                if has_left:\n",
        new="                if not has_left:\n",
    ),
    Mutant(
        name="inputs-are-kept-after-they-are-handled",
        file="orbitalis/plugin/answering.py",
        old="        raise\n    finally:\n        asked.end(connection.slot, answer.correlation_identifier)\n",
        new="        raise\n    finally:\n        pass\n",
    ),
    Mutant(
        name="processes-begin-with-what-nobody-waits-for",
        file="orbitalis/operations/process_pool.py",
        old="loop.call_later(left, cancel)",
        new="None",
    ),
    # What is dropped
    Mutant(
        name="what-is-dropped-is-not-answered",
        file="orbitalis/bus/dispatch.py",
        old="            self.tell_dropped(topic, event)\n",
        new="            pass\n",
    ),
    Mutant(
        name="what-is-dropped-undecoded-is-not-answered",
        file="orbitalis/bus/decoding.py",
        old="                subscription.tell_dropped(topic, Event.decode(data, _takes_nothing))\n",
        new="                pass\n",
    ),
    Mutant(
        name="answers-to-what-is-dropped-without-bound",
        file="orbitalis/plugin/asked_inputs.py",
        old="            and self._rate.admits(self._runtime.now(), limits.OVERLOADED_ANSWERS_PER_SECOND)\n",
        new="",
    ),
    Mutant(
        name="overloaded-is-as-any-failure",
        file="orbitalis/core/request.py",
        old="OverloadedError if payload.reason == OVERLOADED else OperationFailedError",
        new="OperationFailedError",
    ),
]
