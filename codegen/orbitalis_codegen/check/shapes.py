"""The objects of AsyncAPI 3 and of `x-orbitalis`, with their keys."""

from __future__ import annotations

from orbitalis_codegen.check.shape import Shape

__all__ = [
    "AREA",
    "AREAS",
    "CHANNEL",
    "CHANNELS",
    "COMPONENTS",
    "DOCUMENT",
    "INFO",
    "LIMIT",
    "LIMITS",
    "MESSAGE",
    "MESSAGES",
    "MQTT_OPERATION_BINDING",
    "OPERATION",
    "OPERATIONS",
    "OPERATION_BINDINGS",
    "PARAMETER",
    "PARAMETERS",
    "REPLY",
    "SCHEMA",
    "SERVER",
    "SERVERS",
    "SETTINGS",
    "STATE",
    "STATES",
    "STATE_CHART",
    "STATE_CHARTS",
    "TAG",
    "TIMING",
    "TIMINGS",
    "TRANSITION",
    "TRIGGER",
    "TRIGGERS",
    "X_PAYLOAD",
]

_TEXTS = ("title", "summary", "description")
_DOCUMENTATION = (*_TEXTS, "tags", "externalDocs")
_TRAITS = {"traits": "write what the traits say where they are used"}

DOCUMENT = Shape(
    name="document",
    required=("asyncapi", "info", "channels", "operations", "components", "x-orbitalis"),
    optional=("id", "servers", "defaultContentType"),
)
INFO = Shape(
    name="info",
    required=("title", "version"),
    optional=("description", "termsOfService", "contact", "license", "tags", "externalDocs"),
)
SERVERS = Shape(name="servers", any_key=True)
SERVER = Shape(
    name="server",
    required=("host", "protocol"),
    optional=(*_DOCUMENTATION, "protocolVersion", "pathname", "security", "bindings"),
    unsupported={"variables": "write the host, path and port out"},
)
CHANNELS = Shape(name="channels", any_key=True)
CHANNEL = Shape(
    name="channel",
    required=("address", "messages"),
    optional=(*_DOCUMENTATION, "parameters", "servers", "bindings"),
)
PARAMETERS = Shape(name="parameters", any_key=True)
PARAMETER = Shape(
    name="parameter",
    optional=("description", "examples", "location", "x-unknown"),
    unsupported={
        "enum": "the generated code would take any value; name the values in the description",
        "default": "the generated code would not fill it in",
    },
)
OPERATIONS = Shape(name="operations", any_key=True)
OPERATION = Shape(
    name="operation",
    required=("action", "channel", "tags", "bindings"),
    optional=("title", "summary", "description", "externalDocs", "security", "messages", "reply"),
    unsupported=_TRAITS,
)
OPERATION_BINDINGS = Shape(
    name="operation bindings",
    required=("mqtt",),
    optional=(
        *("http", "ws", "kafka", "anypointmq", "amqp", "amqp1", "mqtt5", "nats", "jms", "sns", "solace", "sqs"),
        *("stomp", "redis", "mercure", "ibmmq", "googlepubsub", "pulsar", "ros2"),
    ),
)
MQTT_OPERATION_BINDING = Shape(
    name="MQTT operation binding",
    required=("qos",),
    optional=("retain", "bindingVersion"),
    unsupported={"messageExpiryInterval": "published events would not expire; state it as a timing of `x-orbitalis`"},
)
REPLY = Shape(
    name="reply",
    required=("channel",),
    optional=("messages",),
    unsupported={"address": "say in the description which field holds the topic"},
)
MESSAGES = Shape(name="messages", any_key=True)
MESSAGE = Shape(
    name="message",
    optional=(*_DOCUMENTATION, "name", "payload", "contentType", "bindings", "examples", "deprecated", "x-payload"),
    unsupported={
        "headers": "the headers are fields of the envelope (`x-orbitalis.envelope`)",
        "correlationId": "correlation is a field of the envelope (`x-orbitalis.envelope`)",
        **_TRAITS,
    },
)
SCHEMA = Shape(name="schema", required=("schemaFormat", "schema"))
X_PAYLOAD = Shape(name="x-payload", required=("format",), optional=("layout",))
TAG = Shape(name="tag", required=("name",), optional=("description", "externalDocs"))
COMPONENTS = Shape(
    name="components",
    required=("messages",),
    optional=(
        *("schemas", "servers", "channels", "operations", "securitySchemes", "serverVariables", "parameters"),
        *("correlationIds", "replies", "replyAddresses", "externalDocs", "tags", "operationTraits", "messageTraits"),
        *("serverBindings", "channelBindings", "operationBindings", "messageBindings"),
    ),
)

SETTINGS = Shape(name="x-orbitalis", required=("envelope", "areas", "timings", "limits", "states"))
AREAS = Shape(name="areas", any_key=True)
AREA = Shape(name="area", required=("description",))
TIMINGS = Shape(name="timings", any_key=True)
TIMING = Shape(name="timing", required=("seconds", "description"))
LIMITS = Shape(
    name="limits",
    # Generated code is held to these.
    required=("identifier_bytes", "topic_bytes", "event_bytes", "nesting_depth"),
    any_key=True,
)
LIMIT = Shape(name="limit", required=("maximum", "description"))
STATE_CHARTS = Shape(name="state charts", any_key=True)
STATE_CHART = Shape(
    name="state chart", required=("description", "roles", "initial", "states", "triggers", "transitions")
)
STATES = Shape(name="states", any_key=True)
STATE = Shape(name="state", required=("description",), optional=("title",))
TRIGGERS = Shape(name="triggers", any_key=True)
TRIGGER = Shape(name="trigger", required=("description",), optional=("title",))
TRANSITION = Shape(name="transition", required=("from", "trigger", "to", "description"), optional=("roles",))
