"""Every rule that a specification is held against, with its code and its purpose in one sentence.

`ORB1xx` is about reading files, `ORB2xx` about AsyncAPI, `ORB3xx` about Avro, `ORB4xx` about what Orbitalis asks for
beyond the two, and of accepted changes, and `ORB5xx` about contracts of users. A code is never given to another rule.
"""

from __future__ import annotations

from enum import Enum, unique
from typing import Final

__all__ = ["Rule"]


@unique
class Rule(Enum):
    """A rule: `code` and `purpose`."""

    UNREADABLE_FILE = "ORB101", "Every file that belongs to the specification exists and can be read."
    LARGE_FILE = "ORB102", "A file is not larger than a specification can reasonably be."
    NOT_UTF8 = "ORB103", "A file is text in UTF-8, without a byte order mark."
    UNPRINTABLE_CHARACTER = (
        "ORB104",
        "Text has no control characters, because they could do harm where the text is shown.",
    )
    EMPTY_FILE = "ORB105", "A file is not empty."
    YAML_SYNTAX = "ORB106", "A YAML file follows the syntax of YAML."
    YAML_BEYOND_JSON = (
        "ORB107",
        "A YAML file contains only what JSON could contain, because other tools read it as JSON.",
    )
    JSON_SYNTAX = "ORB108", "A JSON file follows the syntax of JSON, without comments or trailing commas."
    DUPLICATE_KEY = "ORB109", "A key occurs only once in its object, because readers differ in which of two they take."
    DEEP_NESTING = "ORB110", "Values are not nested deeper than a specification can reasonably be."
    MANY_VALUES = (
        "ORB111",
        "A file does not have more values, with aliases written out, than a specification can reasonably have.",
    )
    UNKNOWN_ALIAS = "ORB112", "A YAML alias names an anchor that is complete before it."
    NUMBER_RANGE = "ORB113", "A number fits into 64 bits, so that every reader reads the same number."
    TOML_SYNTAX = "ORB114", "A TOML file follows the syntax of TOML 1.0."

    ASYNCAPI_VERSION = "ORB201", "The document names a version of AsyncAPI that the generator understands."
    MISSING_KEY = "ORB202", "An object has all required keys."
    UNKNOWN_KEY = (
        "ORB203",
        "An object has no unknown keys, because most of them are misspelt.",
    )
    WRONG_KIND = "ORB204", "A value has the kind that its key requires."
    UNKNOWN_VALUE = "ORB205", "A value is one of those that its key allows."
    REFERENCE_SYNTAX = "ORB206", "A reference is a path to a file, a JSON pointer after `#`, or both."
    REFERENCE_OUTSIDE = "ORB207", "A reference stays below the root, so that the root contains the whole specification."
    UNKNOWN_REFERENCE = "ORB208", "The target of a reference exists."
    REFERENCE_CYCLE = "ORB209", "References do not form a cycle."
    REFERENCE_KIND = "ORB210", "A reference leads to an object of the kind that is expected in its place."
    REFERENCE_SIBLINGS = "ORB211", "A reference is alone in its object, because other keys would be ignored."
    UNDECLARED_PARAMETER = "ORB212", "Every parameter in an address is declared under `parameters`."
    UNUSED_PARAMETER = "ORB213", "Every parameter under `parameters` occurs in the address."
    FOREIGN_MESSAGE = "ORB214", "The messages of an operation, or of its reply, are among those of its channel."
    REPEATED_ITEM = "ORB215", "A list names each item only once."

    AVRO_UNKNOWN_TYPE = "ORB301", "A type is one of Avro's, or defined in a schema file."
    AVRO_MISSING_ATTRIBUTE = "ORB302", "A type or field has all required attributes."
    AVRO_UNKNOWN_ATTRIBUTE = (
        "ORB303",
        "No attribute of a type or field looks like a misspelt one of Avro. Others are ignored.",
    )
    AVRO_WRONG_KIND = "ORB304", "The value of an attribute has the kind that Avro requires."
    AVRO_NAME = (
        "ORB305",
        "A name consists of letters, digits and `_`, does not begin with a digit, and is not one of Avro's types.",
    )
    AVRO_REDEFINED_TYPE = "ORB306", "A name is defined only once in all schema files."
    AVRO_DUPLICATE_FIELD = "ORB307", "The fields of a record have different names."
    AVRO_SYMBOLS = "ORB308", "An enum has symbols, and all are different."
    AVRO_NESTED_UNION = "ORB309", "A union does not directly contain another union."
    AVRO_AMBIGUOUS_UNION = "ORB310", "The branches of a union are of different types."
    AVRO_EMPTY_UNION = "ORB311", "A union has branches."
    AVRO_FIXED_SIZE = "ORB312", "A fixed has a size from 1 to 1048576 bytes."
    AVRO_DEFAULT = "ORB313", "A default is a value of its type; for a union in the protocol, of the first branch."
    AVRO_INFINITE_RECORD = "ORB314", "A record does not contain itself endlessly."
    AVRO_LOGICAL_TYPE = (
        "ORB315",
        "A logical type of Avro has what it needs: the right type, size and digits.",
    )
    AVRO_ALIASES = "ORB316", "Aliases are valid names, and all are different."
    AVRO_DEEP_TYPE = "ORB317", "Types do not nest deeper than a decoder may follow."
    AVRO_FIELD_ORDER = "ORB318", "The order of a field is one of the three that Avro allows."
    AVRO_REFUSED = "ORB319", "Every schema is one that fastavro also accepts."
    AVRO_INDISTINCT_UNION = (
        "ORB320",
        "A value shows to which branch of its union it belongs, in every generated language.",
    )

    UNSUPPORTED = "ORB401", "The document uses no part of AsyncAPI that the generated code would silently ignore."
    INFO_VERSION = (
        "ORB402",
        "The version of the protocol has three numbers; versions with different first numbers are incompatible.",
    )
    UNUSABLE_KEY = "ORB403", "A key that becomes a name in generated code is a valid name there."
    NAME_COLLISION = "ORB404", "Different things have different names in generated code, in every spelling."
    FILE_COLLISION = (
        "ORB405",
        "Two file names do not differ only in upper and lower case, which some file systems ignore.",
    )
    ADDRESS_CHARACTER = (
        "ORB406",
        "An address has no MQTT wildcards, spaces or control characters, no %c, no %u, and no $ at its beginning.",
    )
    ADDRESS_LEVEL = "ORB407", "A level of an address is either text or one parameter, and is not empty."
    ADDRESS_PARAMETER_REPEATED = "ORB408", "A parameter occurs only once in an address."
    ADDRESS_COLLISION = "ORB409", "No topic belongs to two channels."
    PLACEHOLDER = "ORB410", "The text for an unknown parameter can be a level of a topic."
    INLINE_MESSAGE = "ORB411", "A channel refers to messages of `components.messages`, whose keys name their classes."
    MQTT_BINDING = "ORB412", "An operation says with which quality of service it is published: 0, 1 or 2."
    CHANNEL_BINDING = "ORB413", "The operations of a channel have the same quality of service and the same `retain`."
    IDLE_CHANNEL = "ORB414", "Every channel has an operation, because only that says its quality of service."
    ROLE = "ORB415", "The tags of an operation say which role it belongs to: core, plugin or both."
    MESSAGE_NAME = (
        "ORB416",
        "A message has the name of its payload's record, which peers register; without a payload it has none.",
    )
    SHARED_NAME = "ORB417", "A message type belongs to only one message."
    PAYLOAD_BY_REFERENCE = "ORB418", "A payload is a reference to a schema file, not a second definition of it."
    SCHEMA_FORMAT = "ORB419", "The format of a schema is that of Avro."
    PAYLOAD_RECORD = "ORB420", "The payload of a message is a record."
    PAYLOAD_FORMAT = "ORB421", "A payload that is sent as text or number is a record of one matching field `value`."
    SCHEMA_FILE_TYPE = "ORB422", "A schema file defines one record, enum or fixed."
    SCHEMA_FILE_NAME = (
        "ORB423",
        "A schema file has the name of the type that it defines, or of the message that carries it.",
    )
    UNUSED_SCHEMA = "ORB424", "Every schema file is used by a message."
    ENVELOPE_FIELD = "ORB425", "The envelope begins with the six fields that every peer knows."
    TIMING = "ORB426", "A timing is a finite number of seconds greater than zero."
    LIMIT = "ORB427", "A limit is an integer greater than zero."
    ADDRESS_LENGTH = "ORB428", "An address has topics that are no longer than `x-orbitalis.limits.topic_bytes` allows."
    UNKNOWN_STATE = "ORB429", "A state chart begins in one of its states, and its transitions connect its states."
    UNKNOWN_TRIGGER = "ORB430", "A transition names a trigger of its state chart."
    REPEATED_TRANSITION = "ORB431", "For each role, a state and a trigger lead to only one state."
    UNREACHABLE_STATE = "ORB432", "Every state, and the start of every transition, can be reached by its role."
    NO_WAY_OUT = "ORB433", "Every state leads to another one."
    UNUSED_TRIGGER = "ORB434", "Every trigger has a transition."
    DESCRIPTION = "ORB435", "Everything that `x-orbitalis` defines has a description."
    REQUIREMENT_ID = (
        "ORB436",
        "The id of a requirement is like `[ORB-HS-03]`, has a known area, and stands before its sentence.",
    )
    REPEATED_REQUIREMENT = "ORB437", "The id of a requirement is used only once."
    UNUSED_AREA = "ORB438", "Every area has a requirement."
    GROWTH_VERSION = (
        "ORB439",
        "A field that was added later names its version, such as `1.1`; that is not the first one of the protocol.",
    )
    GROWTH_PLACE = "ORB440", "Only messages of the protocol and the envelope grow; types inside them do not."
    GROWTH_END = "ORB441", "A record grows at its end: no field was added earlier than the one before it."
    GROWTH_DEFAULT = (
        "ORB442",
        "A field that was added later has a default, which is used where the field is not written.",
    )
    ACCEPTANCE = "ORB443", "Each entry of accepted.toml says which change is accepted, why, and when that ends."
    ACCEPTED_NOTHING = "ORB444", "An entry of accepted.toml is about a change that there is, and has not ended."

    CONTRACT_IGNORED = "ORB501", "Parts of a document that have no meaning in a contract are ignored."
    CONTRACT_EMPTY = "ORB502", "A contract has at least one operation."
    CONTRACT_PAYLOAD = (
        "ORB503",
        "A payload is a record, or one of `string`, `bytes`, `long` and `double`, for which the protocol has messages.",
    )
    CONTRACT_HEADERS = "ORB504", "Headers in Avro are a record."
    CONTRACT_NO_PAYLOAD = "ORB505", "A message without a payload is an input or an answer, and is the only one."
    CONTRACT_ERROR = "ORB506", "A declared error (`x-error`) is a record, in the reply of an operation that cores call."
    CONTRACT_EMPTY_INPUT = (
        "ORB507",
        "An empty input (`x-input: empty`) belongs to an operation that cores call and that lists no messages.",
    )
    CONTRACT_ALTERNATIVES = (
        "ORB508",
        "The payloads with which an operation answers are different, so that each shows which one it is.",
    )
    CONTRACT_SETTINGS = "ORB509", "Each contract that pyproject.toml lists has a package of its own."

    def __init__(self, code: str, purpose: str) -> None:
        self.code = code
        self.purpose = purpose

    @property
    def stage(self) -> int:
        """How early it is looked at: a breach may be the cause of those of rules with greater numbers."""
        if self.code < _FIRST_OF_ASYNCAPI or self in _OTHER_WORLDS:
            return 0
        return 2 if self in _CONSEQUENCES else 1

    @property
    def title(self) -> str:
        """The rule's name in words."""
        return self.name.lower().replace("_", " ")


_FIRST_OF_ASYNCAPI: Final = "ORB200"
_OTHER_WORLDS: Final = frozenset({Rule.ASYNCAPI_VERSION, Rule.SCHEMA_FORMAT, Rule.REFERENCE_SYNTAX})
"""Rules that are broken where something is used that is not supported at all: that has to be known first."""
_CONSEQUENCES: Final = frozenset(
    {
        Rule.UNKNOWN_REFERENCE,
        Rule.UNUSED_PARAMETER,
        Rule.UNDECLARED_PARAMETER,
        Rule.FOREIGN_MESSAGE,
        Rule.AVRO_UNKNOWN_TYPE,
        Rule.AVRO_REFUSED,
        Rule.IDLE_CHANNEL,
        Rule.CHANNEL_BINDING,
        Rule.UNUSED_SCHEMA,
        Rule.UNKNOWN_STATE,
        Rule.UNKNOWN_TRIGGER,
        Rule.UNREACHABLE_STATE,
        Rule.NO_WAY_OUT,
        Rule.UNUSED_TRIGGER,
        Rule.UNUSED_AREA,
        Rule.REQUIREMENT_ID,
    }
)
"""Rules about how parts fit together: they are also broken where another part is missing or misspelt."""
