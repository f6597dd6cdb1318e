"""Configurations, messages and effects of our state machines as JSON, as `docs/reference/conformance.md` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orbitalis.message import Input, Output
from orbitalis.protocol.config import (
    CoreConfig,
    OperationTerms,
    OrbiterConfig,
    PluginConfig,
    RequirementTerms,
    TopicLayout,
)
from orbitalis.protocol.effects import (
    CloseReason,
    ComplianceChanged,
    ConnectionClosed,
    ConnectionOpened,
    Drain,
    Effect,
    MessageReceived,
    ObstacleMet,
    PendingRequestDiscarded,
    Prepare,
    ProtocolMessage,
    RemoteLost,
    Send,
    Subscribe,
    SuspicionChanged,
    Unsubscribe,
    WatchWill,
)
from orbitalis.protocol.headers import Headers
from orbitalis.protocol.limits import Limits
from orbitalis.protocol.transitions import Role
from orbitalis_conformance.values import class_of, codec_of, from_json, to_json

__all__ = [
    "HEADERS",
    "MachineHeaders",
    "config_from_json",
    "config_to_json",
    "effects_to_json",
    "headers_to_json",
    "message_from_json",
    "message_to_json",
]

HEADERS: Final = (
    "identifier",
    "publisher_identifier",
    "incarnation",
    "correlation_identifier",
    "connection_identifier",
    "open_connections",
    "readable_encodings",
    "late_offers",
)
"""What a machine reads of an event beside its message."""
_SETTINGS: Final = (
    "identifier",
    "discover_topic",
    "announce_topic",
    "pending_requests_expire_after",
    "consider_others_dead_after",
    "suspicion_grace",
    "send_keepalive_before_timelimit",
    "graceful_close_timeout",
    "close_connection_if_unused_after",
)
_LIMITS: Final = ("known_remotes", "pending_requests", "remote_events_per_second", "stranger_events_per_second")
_OF_CORES: Final = ("late_offers", "discovering_interval", "discovering_interval_when_compliant")
_REASONS: Final = {
    CloseReason.LOCAL: "local",
    CloseReason.REMOTE: "remote",
    CloseReason.REMOTE_DEAD: "dead",
    CloseReason.REMOTE_RESTARTED: "restarted",
    CloseReason.REMOTE_FORGOT: "forgot",
    CloseReason.STOPPED: "stopped",
}


@dataclass(frozen=True, kw_only=True)
class MachineHeaders:
    """Headers of an event that a machine is handed."""

    identifier: str = ""
    publisher_identifier: str = ""
    incarnation: str | None = None
    correlation_identifier: str | None = None
    connection_identifier: str | None = None
    open_connections: Sequence[str] | None = None
    readable_encodings: Sequence[str] | None = None
    late_offers: bool | None = None


# Configuration


def config_to_json(config: OrbiterConfig) -> dict[str, Any]:
    """Return a configuration as JSON."""
    made: dict[str, Any] = {name: to_json(getattr(config, name)) for name in _SETTINGS}
    made["limits"] = {name: to_json(getattr(config.limits, name)) for name in _LIMITS}
    if isinstance(config, CoreConfig):
        made |= {name: getattr(config, name) for name in _OF_CORES}
        made["requirements"] = {name: _requirement_to_json(terms) for name, terms in config.requirements.items()}
    elif isinstance(config, PluginConfig):
        made["operations"] = {name: _operation_to_json(terms) for name, terms in config.operations.items()}
    return made


def _set_to_json(given: Input | Output) -> dict[str, Any]:
    return {
        "schemas": list(given.schemas),
        "support_empty_schema": given.support_empty_schema,
        "support_undefined_schema": given.support_undefined_schema,
    }


def _operation_to_json(terms: OperationTerms) -> dict[str, Any]:
    return {
        "input": _set_to_json(terms.input),
        "output": _set_to_json(terms.output),
        "maximum": terms.maximum,
        "allowlist": None if terms.allowlist is None else sorted(terms.allowlist),
        "blocklist": sorted(terms.blocklist),
        "exact": list(terms.exact),
    }


def _requirement_to_json(terms: RequirementTerms) -> dict[str, Any]:
    return {
        "inputs": [_set_to_json(one) for one in terms.inputs],
        "outputs": [_set_to_json(one) for one in terms.outputs],
        "minimum": terms.minimum,
        "maximum": terms.maximum,
        "mandatory": list(terms.mandatory),
        "allowlist": None if terms.allowlist is None else list(terms.allowlist),
        "blocklist": None if terms.blocklist is None else list(terms.blocklist),
        "exact": list(terms.exact),
    }


def config_from_json(role: str, content: Mapping[str, Any]) -> CoreConfig | PluginConfig:
    """Return a configuration of a core or a plugin, given as JSON."""
    given = {name: content[name] for name in _SETTINGS if name in content}
    given["limits"] = Limits(**content.get("limits", {}))
    if role == "core":
        given |= {name: content[name] for name in _OF_CORES if name in content}
        requirements = {name: _requirement_of(one) for name, one in content.get("requirements", {}).items()}
        return CoreConfig(topics=TopicLayout(Role.CORE, given["identifier"]), requirements=requirements, **given)
    operations = {name: _operation_of(one) for name, one in content.get("operations", {}).items()}
    return PluginConfig(topics=TopicLayout(Role.PLUGIN, given["identifier"]), operations=operations, **given)


def _operation_of(content: Mapping[str, Any]) -> OperationTerms:
    allowed = content["allowlist"]
    return OperationTerms(
        input=Input(**{**content["input"], "schemas": tuple(content["input"]["schemas"])}),
        output=Output(**{**content["output"], "schemas": tuple(content["output"]["schemas"])}),
        maximum=content["maximum"],
        allowlist=None if allowed is None else frozenset(allowed),
        blocklist=frozenset(content["blocklist"]),
        exact=tuple(content["exact"]),
    )


def _requirement_of(content: Mapping[str, Any]) -> RequirementTerms:
    lists = {name: None if content[name] is None else tuple(content[name]) for name in ("allowlist", "blocklist")}
    return RequirementTerms(
        inputs=tuple(Input(**{**one, "schemas": tuple(one["schemas"])}) for one in content["inputs"]),
        outputs=tuple(Output(**{**one, "schemas": tuple(one["schemas"])}) for one in content["outputs"]),
        minimum=content["minimum"],
        maximum=content["maximum"],
        mandatory=tuple(content["mandatory"]),
        exact=tuple(content["exact"]),
        **lists,
    )


# Messages


def message_to_json(message: ProtocolMessage) -> dict[str, Any]:
    """Return a message as JSON."""
    return {"type": codec_of(type(message)).message_type, "fields": to_json(message)}


def message_from_json(content: Mapping[str, Any]) -> ProtocolMessage:
    """Return a message, given as JSON."""
    made: ProtocolMessage = from_json(class_of(content["type"]), content["fields"])
    return made


def headers_to_json(headers: Headers) -> dict[str, Any]:
    """Return headers as JSON, without those that are null."""
    found = ((name, getattr(headers, name)) for name in HEADERS)
    return {name: to_json(value) for name, value in found if value is not None}


# Effects


def effects_to_json(effects: Sequence[Effect]) -> list[dict[str, Any]]:
    """Return effects as JSON, without what is for people alone."""
    return [_effect_to_json(one) for one in effects if not isinstance(one, ObstacleMet)]


def _effect_to_json(effect: Effect) -> dict[str, Any]:
    remote = effect.remote_identifier
    match effect:
        case Send():
            headers = {name: to_json(value) for name in HEADERS if (value := getattr(effect, name, None)) is not None}
            return {
                "effect": "send",
                "remote": remote,
                "topic": effect.topic,
                "channel": effect.channel.key,
                "message": message_to_json(effect.message),
                "identifier": effect.event_identifier,
                "encoding": effect.encoding.value,
                **headers,
            }
        case MessageReceived():
            kind = codec_of(type(effect.message)).message_type
            return {"effect": "message_received", "remote": remote, "type": kind}
        case Prepare():
            return {
                "effect": "prepare",
                "remote": remote,
                "operation": effect.slot.operation_name,
                "connection": effect.connection_identifier,
                "topics": list(effect.slot.local_topics),
            }
        case Drain():
            slot = effect.slot
            connection = slot.connection_identifier
            return {"effect": "drain", "remote": remote, "operation": slot.operation_name, "connection": connection}
        case Subscribe():
            return {"effect": "subscribe", "remote": remote, "topic": effect.topic}
        case Unsubscribe():
            return {"effect": "unsubscribe", "remote": remote, "topics": list(effect.topics)}
        case ConnectionOpened():
            return {"effect": "connection_opened", "remote": remote, "operation": effect.slot.operation_name}
        case PendingRequestDiscarded():
            return {"effect": "pending_request_discarded", "remote": remote, "operation": effect.slot.operation_name}
        case ConnectionClosed():
            return {
                "effect": "connection_closed",
                "remote": remote,
                "operation": effect.slot.operation_name,
                "reason": _REASONS[effect.reason],
                "data": to_json(effect.data),
            }
        case RemoteLost():
            return {"effect": "remote_lost", "remote": remote, "reason": _REASONS[effect.reason]}
        case WatchWill():
            return {"effect": "watch_will", "remote": remote, "wanted": effect.is_wanted}
        case SuspicionChanged():
            return {"effect": "suspicion_changed", "remote": remote, "suspected": effect.is_suspected}
        case ComplianceChanged():
            return {"effect": "compliance_changed", "compliant": effect.compliant}
        case ObstacleMet():
            raise ValueError("an obstacle is for people alone")
