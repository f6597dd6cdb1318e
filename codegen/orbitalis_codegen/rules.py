"""Every rule that a specification is held against, with its code and its purpose in one sentence.

`ORB1xx` is about reading files, `ORB2xx` about AsyncAPI, `ORB3xx` about Avro, `ORB4xx` about what Orbitalis asks for
beyond the two, and `ORB5xx` about contracts of users. A code is never given to another rule.
"""

from __future__ import annotations

from enum import Enum, unique
from typing import Final

__all__ = ["Rule"]


@unique
class Rule(Enum):
    """A rule: `code` and `purpose`."""

    UNREADABLE_FILE = "ORB101", "Every file that belongs to the specification exists and can be read."
    LARGE_FILE = "ORB102", "A file is no larger than a specification can sensibly be."
    NOT_UTF8 = "ORB103", "A file is text in UTF-8, without a byte order mark."
    UNPRINTABLE_CHARACTER = "ORB104", "Text holds no control characters, which could do harm wherever it is shown."
    EMPTY_FILE = "ORB105", "A file says something."
    YAML_SYNTAX = "ORB106", "A YAML file follows the syntax of YAML."
    YAML_BEYOND_JSON = (
        "ORB107",
        "A YAML file holds nothing that JSON could not hold, since other tools read it as such.",
    )
    JSON_SYNTAX = "ORB108", "A JSON file follows the syntax of JSON, without comments or trailing commas."
    DUPLICATE_KEY = "ORB109", "A key stands once in its object; of two, readers take whichever they like."
    DEEP_NESTING = "ORB110", "Values are nested no deeper than a specification can sensibly be."
    MANY_VALUES = "ORB111", "A file has no more values, aliases written out, than a specification can sensibly have."
    UNKNOWN_ALIAS = "ORB112", "A YAML alias names an anchor that is complete before it."
    NUMBER_RANGE = "ORB113", "A number fits 64 bits, so that every reader reads the same."
    TOML_SYNTAX = "ORB114", "A TOML file follows the syntax of TOML 1.0."

    ASYNCAPI_VERSION = "ORB201", "The document says that it follows a version of AsyncAPI that is understood here."
    MISSING_KEY = "ORB202", "An object has the keys that it cannot do without."
    UNKNOWN_KEY = (
        "ORB203",
        "An object has no keys with an unknown meaning, which are misspelt ones more often than not.",
    )
    WRONG_KIND = "ORB204", "A value is of the kind that its key asks for."
    UNKNOWN_VALUE = "ORB205", "A value is one of those that its key knows."
    REFERENCE_SYNTAX = "ORB206", "A reference is a path to a file, a JSON pointer after `#`, or both."
    REFERENCE_OUTSIDE = "ORB207", "A reference stays below the root, so that the root holds all of the specification."
    UNKNOWN_REFERENCE = "ORB208", "What a reference refers to exists."
    REFERENCE_CYCLE = "ORB209", "References do not lead back to themselves."
    REFERENCE_KIND = "ORB210", "A reference leads to the kind of object that is expected in its place."
    REFERENCE_SIBLINGS = "ORB211", "A reference stands alone in its object; keys beside it would be ignored."
    UNDECLARED_PARAMETER = "ORB212", "Every parameter in an address is declared under `parameters`."
    UNUSED_PARAMETER = "ORB213", "Every parameter under `parameters` stands in the address."
    FOREIGN_MESSAGE = "ORB214", "The messages of an operation, or of its reply, are among those of its channel."
    REPEATED_ITEM = "ORB215", "A list names each thing once."

    AVRO_UNKNOWN_TYPE = "ORB301", "A type is one of Avro's or defined in a schema file."
    AVRO_MISSING_ATTRIBUTE = "ORB302", "A type or field has the attributes that it cannot do without."
    AVRO_UNKNOWN_ATTRIBUTE = (
        "ORB303",
        "No attribute of a type or field looks like one of Avro's misspelt. Others are ignored.",
    )
    AVRO_WRONG_KIND = "ORB304", "An attribute's value is of the kind that Avro asks for."
    AVRO_NAME = (
        "ORB305",
        "A name is made of letters, digits and `_`, begins with no digit, and is not a type of Avro's.",
    )
    AVRO_REDEFINED_TYPE = "ORB306", "A name is defined once in all schema files."
    AVRO_DUPLICATE_FIELD = "ORB307", "The fields of a record have different names."
    AVRO_SYMBOLS = "ORB308", "An enum has symbols, all different."
    AVRO_NESTED_UNION = "ORB309", "A union does not immediately contain another one."
    AVRO_AMBIGUOUS_UNION = "ORB310", "The branches of a union are of different types."
    AVRO_EMPTY_UNION = "ORB311", "A union has branches."
    AVRO_FIXED_SIZE = "ORB312", "A fixed has a size from 1 to 1048576 bytes."
    AVRO_DEFAULT = "ORB313", "A default is a value of its type; of a union, of the first branch."
    AVRO_INFINITE_RECORD = "ORB314", "A record does not contain itself without end."
    AVRO_LOGICAL_TYPE = (
        "ORB315",
        "A logical type of Avro's has what it needs: the type to stand on, its size, its digits.",
    )
    AVRO_ALIASES = "ORB316", "Aliases are valid names, all different."
    AVRO_DEEP_TYPE = "ORB317", "Types contain one another no deeper than a decoder may follow."
    AVRO_FIELD_ORDER = "ORB318", "The order of a field is one of the three that Avro knows."
    AVRO_REFUSED = "ORB319", "Every schema is one that fastavro accepts as well."
    AVRO_INDISTINCT_UNION = "ORB320", "A value shows of which branch of its union it is, in every language emitted."

    UNSUPPORTED = "ORB401", "No part of AsyncAPI is used that the generated code would silently not follow."
    INFO_VERSION = "ORB402", "The version of the protocol has three numbers; the first tells incompatible ones apart."
    UNUSABLE_KEY = "ORB403", "A key that names something in generated code is a name there too."
    NAME_COLLISION = "ORB404", "Different things have different names in generated code, whatever its spelling."
    FILE_COLLISION = "ORB405", "Two files do not differ in upper and lower case alone, which some file systems ignore."
    ADDRESS_CHARACTER = (
        "ORB406",
        "An address holds no MQTT wildcards, spaces or control characters, no %c and no %u.",
    )
    ADDRESS_LEVEL = "ORB407", "A level of an address is either text or one parameter, and not empty."
    ADDRESS_PARAMETER_REPEATED = "ORB408", "A parameter stands in an address once."
    ADDRESS_COLLISION = "ORB409", "No topic belongs to two channels."
    PLACEHOLDER = "ORB410", "What stands in the place of an unknown parameter can stand in a level of a topic."
    INLINE_MESSAGE = "ORB411", "A channel refers to messages of `components.messages`, whose keys name their classes."
    MQTT_BINDING = "ORB412", "An operation says with which quality of service it is published: 0, 1 or 2."
    CHANNEL_BINDING = "ORB413", "The operations of a channel agree on quality of service and retaining."
    IDLE_CHANNEL = "ORB414", "Every channel has an operation, or nobody would know its quality of service."
    ROLE = "ORB415", "The tags of an operation say whose it is: the core's, the plugin's or both."
    MESSAGE_NAME = (
        "ORB416",
        "A message is named like its payload's record, which is what peers register; without one it is not.",
    )
    SHARED_NAME = "ORB417", "A message type stands for one message."
    PAYLOAD_BY_REFERENCE = "ORB418", "A payload is a reference to a schema file, and no second definition of it."
    SCHEMA_FORMAT = "ORB419", "The format of a schema is Avro's."
    PAYLOAD_RECORD = "ORB420", "The payload of a message is a record."
    PAYLOAD_FORMAT = "ORB421", "A payload that goes out as text or number is a record of one field `value` which fits."
    SCHEMA_FILE_TYPE = "ORB422", "A schema file defines one record, enum or fixed."
    SCHEMA_FILE_NAME = (
        "ORB423",
        "A schema file is called like the type that it defines, or like the message that carries it.",
    )
    UNUSED_SCHEMA = "ORB424", "Every schema file serves a message."
    ENVELOPE_FIELD = "ORB425", "The envelope begins with the six fields that every peer knows."
    TIMING = "ORB426", "A timing is a finite number of seconds greater than zero."
    LIMIT = "ORB427", "A limit is an integer greater than zero."
    ADDRESS_LENGTH = "ORB428", "An address has topics that are no longer than `x-orbitalis.limits.topic_bytes` allows."
    UNKNOWN_STATE = "ORB429", "A state chart begins in one of its states, and its transitions lead from and to them."
    UNKNOWN_TRIGGER = "ORB430", "A transition happens on a trigger of its state chart."
    REPEATED_TRANSITION = "ORB431", "Of a role, a state and a trigger lead to one state."
    UNREACHABLE_STATE = "ORB432", "Every state, and the beginning of every transition, can be reached by its role."
    NO_WAY_OUT = "ORB433", "Every state leads on to another one."
    UNUSED_TRIGGER = "ORB434", "Every trigger has a transition."
    DESCRIPTION = "ORB435", "What `x-orbitalis` defines says what it is."
    REQUIREMENT_ID = (
        "ORB436",
        "The id of a requirement is like `[ORB-HS-03]`, of a known area, and stands before its sentence.",
    )
    REPEATED_REQUIREMENT = "ORB437", "The id of a requirement stands once."
    UNUSED_AREA = "ORB438", "Every area has a requirement."
    GROWTH_VERSION = (
        "ORB439",
        "A field that came later says since which version, such as `1.1`: after the first of this protocol version.",
    )
    GROWTH_PLACE = "ORB440", "Nothing grows but messages of the protocol and the envelope; types inside of them do not."
    GROWTH_END = "ORB441", "A record grows at its end: no field came earlier than the one before it."
    GROWTH_DEFAULT = "ORB442", "A field that came later has a default, which it has where it is not written."

    CONTRACT_IGNORED = "ORB501", "What has no meaning in a contract is left out of what is made from it."
    CONTRACT_EMPTY = "ORB502", "A contract has an operation."
    CONTRACT_PAYLOAD = (
        "ORB503",
        "A payload is a record, or one of `string`, `bytes`, `long` and `double`, for which the protocol has messages.",
    )
    CONTRACT_HEADERS = "ORB504", "Headers in Avro are a record."
    CONTRACT_NO_PAYLOAD = "ORB505", "A message without a payload is an input or an answer, and the only one."
    CONTRACT_ERROR = "ORB506", "A declared error (`x-error`) is a record, and a reply of an operation that is called."
    CONTRACT_EMPTY_INPUT = (
        "ORB507",
        "An input that is empty (`x-input: empty`) is that of an operation that is called and lists no messages.",
    )
    CONTRACT_ALTERNATIVES = (
        "ORB508",
        "The payloads that an operation answers with differ, so that each says which it is.",
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
