"""Subjects that are broken on purpose, each in one place: `python -m tests.conformance.broken NAME`.

Each is the Python subject with something patched before it starts. `FAULTS` says which case has to notice.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from conformance.subjects.python import subject
from orbitalis.bus.mqtt_connection import MqttConnection
from orbitalis.core.awaited_answers import AwaitedAnswers
from orbitalis.message.schema import SchemaSpec
from orbitalis.orbiter import orbiter
from orbitalis.orbiter.connection_publisher import ConnectionPublisher
from orbitalis.plugin.asked_inputs import AskedInputs
from orbitalis.protocol.closing import Closing
from orbitalis.protocol.config import OperationTerms, RequirementTerms
from orbitalis.protocol.effects import Drain
from orbitalis.protocol.incarnations import Incarnations
from orbitalis.protocol.lifecycle import Lifecycle
from orbitalis.protocol.liveness import Liveness
from orbitalis.protocol.machine import CoreMachine, PluginMachine
from orbitalis.protocol.outbox import Outbox
from orbitalis.protocol.sequence import SequenceWindow
from orbitalis.protocol.topic_resolver import TopicResolver
from orbitalis.protocol.waiting_queries import WaitingQueries
from orbitalis_wire import channels
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import (
    AnnounceMessage,
    CloseConnectionAckMessage,
    ConfirmConnectionMessage,
    DiscoverMessage,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
    WillMessage,
)

__all__ = ["FAULTS", "Fault"]


class Fault(NamedTuple):
    """Something that a subject does wrong."""

    patch: Callable[[], None]
    case: str
    """The name of the case that has to fail."""


def _set(owner: Any, name: str, value: Any) -> Callable[[], None]:
    """Return what puts a value in the place of an attribute."""
    return lambda: setattr(owner, name, value)


def _never(owner: Any, name: str, result: Any = None) -> Callable[[], None]:
    """Return what keeps a method from doing anything."""
    return _set(owner, name, lambda *_, **__: result)


def _sends(kind: type[object], change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Callable[[], None]:
    """Return what changes how messages of one kind are sent, or keeps them from being sent."""
    send = Outbox.send

    def patched(outbox: Outbox, remote: str | None, topic: str, message: Any, **headers: Any) -> None:
        content: dict[str, Any] | None = {"topic": topic, "message": message, **headers}
        if type(message) is kind:
            content = change(dict(content or {}))
        if content is not None:
            send(outbox, remote, content.pop("topic"), content.pop("message"), **content)

    return _set(Outbox, "send", patched)


def _without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda content: {**content, name: None}


def _with(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda content: {**content, **changes}


def _field(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda content: {**content, "message": replace(content["message"], **changes)}


def _not_heard(*kinds: type[object]) -> Callable[[], None]:
    """Return what keeps a machine from taking messages of some kinds."""

    def patch() -> None:
        for machine in (CoreMachine, PluginMachine):
            machine._receivers = {kind: one for kind, one in machine._receivers.items() if kind not in kinds}

    return patch


def _goes_on_with_a_session() -> None:
    make = MqttConnection.__init__

    def patched(connection: Any, *arguments: Any, **settings: Any) -> None:
        make(connection, *arguments, **settings)
        connection._clean_start = False

    _set(MqttConnection, "__init__", patched)()


def _not_at_all(content: dict[str, Any]) -> None:
    return None


def _admits_everything(window: SequenceWindow, number: int) -> bool:
    window.greatest = max(window.greatest, number)
    return True


def _draining_takes_no_time() -> None:
    add = Outbox.add

    def patched(outbox: Outbox, effect: Any) -> None:
        if isinstance(effect, Drain):
            _closings[0].drained(effect.slot)
        else:
            add(outbox, effect)

    def prepared(closing: Closing, *arguments: Any) -> None:
        configure(closing, *arguments)
        _closings[:] = [closing]

    _closings: list[Closing] = []
    configure = Closing.configure
    _set(Closing, "configure", prepared)()
    _set(Outbox, "add", patched)()


def _all_outputs_answer_nothing() -> None:
    send = ConnectionPublisher.send

    def patched(publisher: Any, topic: str, message: Any, headers: Any, **others: Any) -> Any:
        return send(publisher, topic, message, headers)

    _set(ConnectionPublisher, "send", patched)()


FAULTS: Final[dict[str, Fault]] = {
    "offers without a correlation": Fault(
        _sends(OfferMessage, _without("correlation_identifier")),
        "handshake-plugin: an offer answers a discover, with all that a core needs to go on",
    ),
    "no offers": Fault(
        _sends(OfferMessage, _not_at_all), "handshake-plugin: a request that answers the offer is confirmed"
    ),
    "offers of quality of service 0": Fault(
        _sends(OfferMessage, _with(channel=channels.KEEPALIVE)),
        "events: quality of service and retain are as the channels say",
    ),
    "confirms of another connection": Fault(
        _sends(ConfirmConnectionMessage, _with(connection_identifier="another")),
        "handshake-plugin: a request that answers the offer is confirmed",
    ),
    "confirms without a correlation": Fault(
        _sends(ConfirmConnectionMessage, _without("correlation_identifier")),
        "handshake-plugin: a request that is repeated is confirmed again",
    ),
    "no notice that an operation is no longer available": Fault(
        _sends(OperationNoLongerAvailableMessage, _not_at_all),
        "handshake-plugin: a request for an offer that was never made is declined",
    ),
    "no rejects": Fault(
        _sends(RejectOperationMessage, _not_at_all), "handshake-core: an operation that is not required is rejected"
    ),
    "requests without setup data": Fault(
        _sends(RequestOperationMessage, _field(setup_data=None)), "handshake-core: a request carries the setup data"
    ),
    "no graceless closes": Fault(
        _sends(GracelessCloseConnectionMessage, _not_at_all),
        "handshake-core: a confirm that nobody has asked for is answered by a graceless close",
    ),
    "acknowledgements without a correlation": Fault(
        _sends(CloseConnectionAckMessage, _without("correlation_identifier")),
        "closes: a graceful close of the remote is acknowledged (subject plugin)",
    ),
    "graceful closes without data": Fault(
        _sends(GracefulCloseConnectionMessage, _field(data=None)),
        "closes: a graceful close of the subject waits for its acknowledgement (subject core)",
    ),
    "keepalives that list nothing": Fault(
        _sends(KeepaliveMessage, _with(open_connections=())),
        "keepalives: a keepalive request is answered on the topic that it names (subject plugin)",
    ),
    "keepalives to a topic of its own choice": Fault(
        _sends(KeepaliveMessage, _with(topic="orbitalis/core/subject/elsewhere")),
        "keepalives: a keepalive request is answered on the topic that it names (subject plugin)",
    ),
    "no keepalive requests": Fault(
        _sends(KeepaliveRequestMessage, _not_at_all),
        "keepalives: a remote that has missed the time for its keepalive is asked once (subject core)",
    ),
    "no announcements": Fault(
        _sends(AnnounceMessage, _not_at_all), "announcements: a plugin announces itself at its start"
    ),
    "discovers that always want late offers": Fault(
        _sends(DiscoverMessage, _with(late_offers=True)),
        "late-offers: a core says whether it wants late offers (wants False)",
    ),
    "envelopes that the peer does not read": Fault(
        _sends(KeepaliveMessage, _with(encoding=Encoding.AVRO)),
        "events: an orbiter writes json to a peer that has listed json alone (subject plugin)",
    ),
    "no maximum": Fault(
        _never(OperationTerms, "has_room", True), "handshake-plugin: an unanswered offer counts against the maximum"
    ),
    "no lists of a policy": Fault(
        _never(OperationTerms, "admits", True),
        "handshake-plugin: a core that the lists of a policy exclude is offered nothing",
    ),
    "no maximum of a requirement": Fault(
        _never(RequirementTerms, "has_room", True), "handshake-core: a plugin beyond the maximum is rejected"
    ),
    "no lists of a requirement": Fault(
        _never(RequirementTerms, "admits", True), "handshake-core: a plugin on the blocklist is rejected"
    ),
    "any schema will do": Fault(
        _never(SchemaSpec, "accepts", True),
        "schemas: an operation that takes string is not offered to a core that writes int64",
    ),
    "told topics are not looked at": Fault(
        _set(TopicResolver, "resolve", lambda resolver, kind, remote, topic, **_: topic),
        "topics: a discover that tells an offer topic of another is refused",
    ),
    "senders are not held against topics": Fault(
        _never(TopicResolver, "check_event", True),
        "topics: a RejectOperationMessage in the name of another is ignored",
    ),
    "any answer proves an incarnation": Fault(
        _never(Incarnations, "_is_proof", True),
        "incarnations: an answer with an invented correlation proves nothing (subject plugin)",
    ),
    "any incarnation is believed": Fault(
        _never(Incarnations, "admits", True), "incarnations: a close of a past incarnation is ignored"
    ),
    "one incarnation for ever": Fault(
        _set(orbiter, "new_incarnation", lambda: "0123456789abcdef"),
        "incarnations: an incarnation of an orbiter is another one after each start",
    ),
    "inputs are handled as often as they come": Fault(
        _set(SequenceWindow, "admits", _admits_everything), "data: an input is handled once, however often it comes"
    ),
    "outputs answer nothing": Fault(_all_outputs_answer_nothing, "data: an input that asks for an answer is answered"),
    "answers are for the sink": Fault(
        _never(AwaitedAnswers, "find"), "data: a request says that an answer is awaited, and for how long"
    ),
    "inputs are not taken back": Fault(
        _never(AskedInputs, "take_at_once", False), "data: an input that is taken back while it waits is not handled"
    ),
    "nobody is ever dead": Fault(
        _never(Liveness, "lose_dead_remotes"), "keepalives: a remote that is silent for too long is dead (subject core)"
    ),
    "no keepalives by itself": Fault(
        _never(Liveness, "send_due_keepalives"),
        "keepalives: keepalives come before the remote would consider the subject dead",
    ),
    "keepalives are not compared": Fault(
        _never(Liveness, "_reconcile"),
        "keepalives: a connection that the remote does not know is closed after two keepalives (subject plugin)",
    ),
    "wills are not heard": Fault(
        _not_heard(WillMessage),
        "wills: a will is followed by a keepalive request, and by death if nothing comes (subject plugin)",
    ),
    "nothing is remembered for late offers": Fault(
        _never(WaitingQueries, "remember"), "late-offers: a slot that becomes free is offered to the core that waits"
    ),
    "the wrong ones give way": Fault(
        _set(WaitingQueries, "_rank", lambda self, core, name: 2 * (core not in self._config.named)),
        "late-offers: where more queries wait than may, those of strangers for what is not there give way",
    ),
    "a session is gone on with": Fault(
        _goes_on_with_a_session, "events: an orbiter connects by MQTT 5.0 with a clean start (subject plugin)"
    ),
    "rejects are not heard": Fault(_not_heard(RejectOperationMessage), "handshake-plugin: a reject frees the slot"),
    "announcements are not heard": Fault(
        _not_heard(AnnounceMessage), "announcements: a core asks a plugin that announces what it needs"
    ),
    "offers never expire": Fault(
        _never(Lifecycle, "pop_expired", ()), "handshake-plugin: an offer that is not answered expires"
    ),
    "closes wait for ever": Fault(
        _never(Lifecycle, "pop_overdue_closes", ()),
        "closes: a graceful close that is not acknowledged is followed by a graceless one (subject plugin)",
    ),
    "acknowledgements are not heard": Fault(
        _not_heard(CloseConnectionAckMessage),
        "closes: a graceful close of the subject waits for its acknowledgement (subject plugin)",
    ),
    "graceful closes are acknowledged at once": Fault(
        _draining_takes_no_time,
        "closes: a plugin handles what has come before a graceful close, and sends its last outputs",
    ),
    "graceless closes are not heard": Fault(
        _not_heard(GracelessCloseConnectionMessage),
        "closes: a graceless close of the remote ends the connection at once (subject plugin)",
    ),
}


if __name__ == "__main__":
    FAULTS[sys.argv[1]].patch()
    asyncio.run(subject.main())
