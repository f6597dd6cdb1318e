"""Traces of the simulator, replayed: our machine does the same again, and one that does not is caught."""

from __future__ import annotations

import json
import sys
from itertools import islice

import pytest

from orbitalis_conformance.outcome import Status
from orbitalis_conformance.replay import replay_all
from orbitalis_conformance.report import as_text
from tests.simulation.recording import traces

pytestmark = pytest.mark.timeout(120)

DRIVER = [sys.executable, "-m", "conformance.subjects.python.machine"]
COUNT = 30
LINES = [json.dumps(trace) for trace in traces(7, COUNT)]
#: What is wrong with a machine, as what is done before the driver starts.
FAULTS = {
    "no lists": "from orbitalis.protocol.config import OperationTerms as T; T.admits = lambda *_: True",
    "no maximum": "from orbitalis.protocol.config import RequirementTerms as T; T.has_room = lambda *_: True",
    "any proof": "from orbitalis.protocol.incarnations import Incarnations as T; T._is_proof = lambda *_: True",
    "no keepalives": "from orbitalis.protocol.liveness import Liveness as T; T.send_due_keepalives = lambda *_: None",
    "one identifier": "from orbitalis.protocol.outbox import Outbox as T; T.challenge = lambda *_: 'always this'",
    "no expiry": "from orbitalis.protocol.lifecycle import Lifecycle as T; T.pop_expired = lambda *_: ()",
}


def test_the_same_seeds_give_the_same_traces() -> None:
    assert [json.dumps(trace) for trace in islice(traces(7, COUNT), 10)] == LINES[:10]


def test_our_machine_does_the_same_again() -> None:
    summary = replay_all(LINES, DRIVER)

    assert summary.exit_status == 0, as_text(summary)
    assert len(summary.outcomes) == COUNT


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_machine_is_caught(fault: str) -> None:
    program = f"{FAULTS[fault]}\nfrom conformance.subjects.python.machine import main; main()"
    summary = replay_all(LINES, [sys.executable, "-c", program])

    assert summary.counts[Status.FAILED] > 0


def test_a_driver_that_fails_is_told_from_a_machine_that_does() -> None:
    program = 'import sys\nfor line in sys.stdin: print(\'{"error": "it is late"}\', flush=True)'
    summary = replay_all(LINES[:2], [sys.executable, "-c", program])

    assert [one.status for one in summary.outcomes] == [Status.ERROR, Status.ERROR]
    assert "it is late" in summary.outcomes[0].text


def test_a_machine_may_lack_effects() -> None:
    leaves_out = (
        "import json, sys\n"
        "from conformance.subjects.python.machine import Driver\n"
        "driver = Driver()\n"
        "for line in sys.stdin:\n"
        "    content = json.loads(line)\n"
        "    answer = driver.call(content.pop('call'), content)\n"
        "    answer['effects'] = [one for one in answer['effects'] if one['effect'] != 'message_received']\n"
        "    print(json.dumps({**answer, 'lacks': ['message_received']}), flush=True)\n"
    )

    assert replay_all(LINES[:10], [sys.executable, "-c", leaves_out]).exit_status == 0
    program = leaves_out.replace("['message_received']", "[]")
    assert replay_all(LINES[:10], [sys.executable, "-c", program]).exit_status == 1
