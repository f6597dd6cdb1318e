"""Every rule by which a change between two versions is judged, with its code and its purpose in one sentence.

`ORB6xx` is about the protocol and about schemas, `ORB7xx` about states and contracts. A code is never given to another
rule. Each rule has a mirror: the one that the same change is reported under when it is made the other way round.
"""

from __future__ import annotations

from enum import Enum, unique
from functools import total_ordering

__all__ = ["ChangeRule", "Level"]


@total_ordering
@unique
class Level(Enum):
    """How far a change reaches; a later one is worse."""

    NONE = "NONE"
    """Nobody is affected."""
    SOURCE = "SOURCE"
    """A generated name changes, so that programs that use it have to be changed."""
    BEHAVIOUR = "BEHAVIOUR"
    """Peers understand each other, and something goes otherwise: a quality of service, a timing, a limit, a state."""
    WIRE = "WIRE"
    """A peer cannot decode or route, or reads a wrong value."""

    def __lt__(self, other: Level) -> bool:
        order = list(Level)
        return order.index(self) < order.index(other)


@unique
class ChangeRule(Enum):
    """A rule: `code`, the code of its `mirror`, and `purpose`."""

    VERSION_RAISED = "ORB601", "ORB602", "If something is added, the second number of the version is raised."
    VERSION_LOWERED = (
        "ORB602",
        "ORB601",
        "A version is never lowered, because peers would then know less than they should.",
    )
    OTHER_PROTOCOL = (
        "ORB603",
        "ORB603",
        "The first number of the version stays, because another number means another protocol.",
    )
    REQUIREMENT_ADDED = (
        "ORB604",
        "ORB605",
        "A requirement may be added for something new; older peers do not follow it.",
    )
    REQUIREMENT_REMOVED = "ORB605", "ORB604", "A requirement is removed only when no peer relies on it any more."
    REQUIREMENT_REWORDED = "ORB606", "ORB606", "A requirement may be worded better if it means the same."

    CHANNEL_ADDED = "ORB611", "ORB612", "A channel may be added: peers that do not know it do not use it."
    CHANNEL_REMOVED = "ORB612", "ORB611", "A channel stays as long as peers publish to it or read it."
    CHANNEL_RENAMED = "ORB613", "ORB613", "A channel keeps its key, because generated code is named after it."
    ADDRESS_CHANGED = "ORB614", "ORB614", "An address stays, because peers would publish where nobody listens."
    PARAMETER_RENAMED = (
        "ORB615",
        "ORB615",
        "A parameter of an address keeps its name, because arguments are named after it.",
    )
    PLACEHOLDER_CHANGED = "ORB616", "ORB616", "The text for an unknown parameter stays, because peers look for it."
    CHANNEL_MESSAGE_ADDED = (
        "ORB617",
        "ORB618",
        "A message may be added to a channel: peers ignore messages that they do not know.",
    )
    CHANNEL_MESSAGE_REMOVED = "ORB618", "ORB617", "A message stays on its channel as long as peers send it there."

    OPERATION_ADDED = "ORB621", "ORB622", "An operation may be added: older peers do not use it."
    OPERATION_REMOVED = "ORB622", "ORB621", "An operation stays as long as peers rely on its other side."
    OPERATION_RENAMED = "ORB623", "ORB623", "An operation keeps its key, because generated code is named after it."
    ACTION_CHANGED = "ORB624", "ORB624", "An operation keeps its action: a sender does not become a receiver."
    OPERATION_MOVED = (
        "ORB625",
        "ORB625",
        "An operation keeps its channel, because peers would send where nobody listens.",
    )
    ROLE_ADDED = "ORB626", "ORB627", "An operation may also be given to another role."
    ROLE_REMOVED = "ORB627", "ORB626", "A role keeps its operations, because a broker would refuse them."
    QOS_RAISED = "ORB628", "ORB629", "A quality of service stays: a higher one needs packets that peers do not expect."
    QOS_LOWERED = (
        "ORB629",
        "ORB628",
        "A quality of service stays: with a lower one, messages can be lost that were safe before.",
    )
    RETAIN_SET = (
        "ORB630",
        "ORB631",
        "A message that is not retained stays so, because late subscribers would get outdated messages.",
    )
    RETAIN_CLEARED = (
        "ORB631",
        "ORB630",
        "A message that is retained stays so, because late subscribers would get nothing.",
    )
    REPLY_ADDED = "ORB632", "ORB633", "No reply is expected that older peers do not send."
    REPLY_REMOVED = "ORB633", "ORB632", "A reply stays as long as peers wait for it."
    REPLY_MOVED = "ORB634", "ORB634", "A reply keeps its channel, because peers wait for it there."
    OPERATION_MESSAGE_ADDED = "ORB635", "ORB636", "A message may be added to an operation: older peers ignore it."
    OPERATION_MESSAGE_REMOVED = (
        "ORB636",
        "ORB635",
        "A message stays part of its operation as long as peers rely on it.",
    )
    REPLY_MESSAGE_ADDED = "ORB637", "ORB638", "No new message is added to a reply: peers that wait would ignore it."
    REPLY_MESSAGE_REMOVED = "ORB638", "ORB637", "A message stays part of a reply as long as peers wait for it."

    MESSAGE_ADDED = "ORB641", "ORB642", "A message may be added: peers ignore messages that they do not know."
    MESSAGE_REMOVED = "ORB642", "ORB641", "A message stays as long as peers send it."
    MESSAGE_RENAMED = "ORB643", "ORB643", "A message keeps its key, because its class is named after it."
    MESSAGE_TYPE_CHANGED = (
        "ORB644",
        "ORB644",
        "A message keeps its name, because peers know it on the wire by that name.",
    )
    PAYLOAD_FORMAT_CHANGED = "ORB645", "ORB645", "A payload is sent in the format that peers read."
    PAYLOAD_GAINED = (
        "ORB646",
        "ORB647",
        "A message without a fixed payload keeps none, because peers have agreed on what it contains.",
    )
    PAYLOAD_LOST = "ORB647", "ORB646", "A message with a fixed payload keeps it."
    CLASS_RENAMED = "ORB648", "ORB648", "A type keeps the name of its class."

    FIELD_GROWN = (
        "ORB651",
        "ORB652",
        "A message of the protocol grows at its end, by fields with `default` and `since`.",
    )
    FIELD_CUT = "ORB652", "ORB651", "A field that came with a version stays in all later ones."
    FIELD_ADDED = (
        "ORB653",
        "ORB654",
        "A field of a payload is added with a default, which readers use where the field is not written.",
    )
    FIELD_REMOVED = (
        "ORB654",
        "ORB653",
        "Only a field with a default is removed, because older readers then use the default.",
    )
    REQUIRED_FIELD_ADDED = (
        "ORB655",
        "ORB656",
        "No field without a default is added, because older messages do not have it.",
    )
    REQUIRED_FIELD_REMOVED = "ORB656", "ORB655", "A field without a default stays, because older readers need it."
    FIELD_RENAMED = (
        "ORB657",
        "ORB658",
        "A field keeps its name, because an alias for the old name helps only newer readers.",
    )
    FIELD_ALIAS_TAKEN = (
        "ORB658",
        "ORB657",
        "A field does not take the name of its alias, because that helps only older readers.",
    )
    FIELDS_REORDERED = "ORB659", "ORB659", "Fields keep their order, except in payloads of peers that resolve schemas."
    DEFAULT_ADDED = "ORB660", "ORB661", "A field may get a default, because the written bytes stay the same."
    DEFAULT_REMOVED = "ORB661", "ORB660", "A field may lose its default, because every written message has a value."
    DEFAULT_CHANGED = "ORB662", "ORB662", "A default may change, because it is not sent."
    ALIAS_ADDED = "ORB663", "ORB664", "An alias may be added, so that readers find a field or type with another name."
    ALIAS_REMOVED = "ORB664", "ORB663", "An alias stays as long as somebody writes that name."
    SINCE_CHANGED = (
        "ORB665",
        "ORB665",
        "A field keeps its `since`, because readers find the versions of a message by it.",
    )
    TYPE_WIDENED = (
        "ORB666",
        "ORB667",
        "A number keeps its type, because readers with the narrower type do not read a wider one.",
    )
    TYPE_NARROWED = (
        "ORB667",
        "ORB666",
        "A number keeps its type, because a narrower type does not read what was written as a wider one.",
    )
    TEXT_BECAME_BYTES = (
        "ORB668",
        "ORB669",
        "A text stays a text, because bytes that are not UTF-8 cannot be read as a text.",
    )
    BYTES_BECAME_TEXT = (
        "ORB669",
        "ORB668",
        "Bytes stay bytes, because bytes that are not UTF-8 cannot be read as a text.",
    )
    TYPE_CHANGED = "ORB670", "ORB670", "A type is replaced only by one that reads what was written."
    BRANCH_ADDED = "ORB671", "ORB672", "A union gets no branch that its readers do not have."
    BRANCH_REMOVED = "ORB672", "ORB671", "A union keeps its branches as long as their values are written."
    UNION_REORDERED = (
        "ORB673",
        "ORB673",
        "The branches of a union keep their order, because a value is written with the index of its branch.",
    )
    BECAME_UNION = (
        "ORB674",
        "ORB675",
        "A type does not become a union, because its readers do not have the other branches.",
    )
    UNION_ENDED = (
        "ORB675",
        "ORB674",
        "A union does not become one type as long as values of its other branches are written.",
    )
    LOGICAL_TYPE_ADDED = (
        "ORB676",
        "ORB677",
        "A type gets no logical type, because the same bytes would mean something else.",
    )
    LOGICAL_TYPE_REMOVED = "ORB677", "ORB676", "A type keeps its logical type, because that says what its bytes mean."
    LOGICAL_TYPE_CHANGED = (
        "ORB678",
        "ORB678",
        "A logical type stays the same, because values would be wrong by a factor without an error.",
    )
    SYMBOL_ADDED = "ORB679", "ORB680", "An enum gets no symbol that its readers do not have."
    SYMBOL_REMOVED = "ORB680", "ORB679", "An enum keeps its symbols as long as they are written."
    SYMBOLS_REORDERED = (
        "ORB681",
        "ORB681",
        "The symbols of an enum keep their order, because a symbol is written as its index.",
    )
    SYMBOL_DEFAULT_CHANGED = (
        "ORB682",
        "ORB682",
        "The default of an enum may change, because it is only used for unknown symbols.",
    )
    SIZE_CHANGED = "ORB683", "ORB683", "A fixed keeps its size."
    TYPE_RENAMED = (
        "ORB684",
        "ORB685",
        "A type keeps its name, because an alias for the old name helps only newer readers.",
    )
    TYPE_ALIAS_TAKEN = (
        "ORB685",
        "ORB684",
        "A type does not take the name of its alias, because that helps only older readers.",
    )
    TYPE_REPLACED = "ORB686", "ORB686", "A type keeps its full name, because readers know it by that name."
    UNREADABLE = "ORB687", "ORB687", "Two versions of a schema fit as a whole, not only part by part."

    TIMING_ADDED = "ORB691", "ORB692", "A timing may be added."
    TIMING_REMOVED = "ORB692", "ORB691", "A timing stays, because programs refer to it by its name."
    TIMING_LENGTHENED = (
        "ORB693",
        "ORB694",
        "A timing stays: with a longer one, peers give up before this side acts.",
    )
    TIMING_SHORTENED = "ORB694", "ORB693", "A timing stays: with a shorter one, this side gives up before peers act."
    LIMIT_ADDED = "ORB695", "ORB696", "A limit may be added for something new."
    LIMIT_REMOVED = "ORB696", "ORB695", "A limit stays, because programs refer to it by its name."
    LIMIT_RAISED = (
        "ORB697",
        "ORB698",
        "A limit stays: with a higher one, this side sends what peers with the old limit refuse.",
    )
    LIMIT_LOWERED = "ORB698", "ORB697", "A limit stays: with a lower one, this side refuses what peers send."

    CHART_ADDED = "ORB711", "ORB712", "A state chart may be added."
    CHART_REMOVED = "ORB712", "ORB711", "A state chart stays, because programs refer to it."
    STATE_ADDED = "ORB713", "ORB714", "A state is added only with care, because peers do not know it."
    STATE_REMOVED = "ORB714", "ORB713", "A state stays as long as peers rely on it."
    TRIGGER_ADDED = "ORB715", "ORB716", "A trigger is added only with care, because it does nothing at older peers."
    TRIGGER_REMOVED = "ORB716", "ORB715", "A trigger stays, because it still happens at older peers."
    TRANSITION_ADDED = (
        "ORB717",
        "ORB718",
        "A trigger that did nothing in a state still does nothing, as at older peers.",
    )
    TRANSITION_REMOVED = "ORB718", "ORB717", "A trigger that changes a state still changes it, as at older peers."
    TRANSITION_CHANGED = "ORB719", "ORB719", "A trigger leads from a state to the same state as at older peers."
    INITIAL_STATE_CHANGED = "ORB720", "ORB720", "A state chart keeps its initial state."

    CONTRACT_ADDED = "ORB731", "ORB732", "A contract may be added."
    CONTRACT_REMOVED = "ORB732", "ORB731", "A contract stays as long as somebody uses its plugins."
    TITLE_CHANGED = "ORB733", "ORB733", "A contract keeps its title, because its classes are named after it."
    METHOD_ADDED = "ORB734", "ORB735", "An operation may be added to a contract: older cores do not ask for it."
    METHOD_REMOVED = "ORB735", "ORB734", "An operation of a contract stays as long as cores ask for it."
    INPUT_STARTED = "ORB736", "ORB737", "An operation that a plugin performs on its own stays such an operation."
    INPUT_ENDED = "ORB737", "ORB736", "An operation that cores call stays such an operation."
    INPUT_ADDED = "ORB738", "ORB739", "An operation gets no input that older plugins do not accept."
    INPUT_REMOVED = "ORB739", "ORB738", "An operation keeps its inputs as long as cores send them."
    OUTPUT_ADDED = "ORB740", "ORB741", "An operation gets no output that older cores do not know."
    OUTPUT_REMOVED = (
        "ORB741",
        "ORB740",
        "An operation keeps its outputs, because newer cores would not read those of older plugins.",
    )
    ERROR_ADDED = "ORB742", "ORB743", "An operation gets no declared error that older cores do not know."
    ERROR_REMOVED = "ORB743", "ORB742", "An operation keeps its declared errors as long as plugins raise them."
    BECAME_ERROR = (
        "ORB744",
        "ORB745",
        "An output does not become a declared error, because that is raised at the caller.",
    )
    BECAME_OUTPUT = (
        "ORB745",
        "ORB744",
        "A declared error does not become an output, because that is returned to the caller.",
    )
    PLAIN_CHANGED = (
        "ORB746",
        "ORB746",
        "A plain payload keeps its type, because the type decides in which message it is sent.",
    )
    PLAIN_BECAME_RECORD = "ORB747", "ORB748", "A plain payload stays plain, because a record is another message."
    RECORD_BECAME_PLAIN = "ORB748", "ORB747", "A record stays a record, because a plain payload is another message."
    HEADERS_CHANGED = "ORB749", "ORB749", "Headers keep their record; they are not sent, but programs use its class."

    def __init__(self, code: str, mirror: str, purpose: str) -> None:
        self.code = code
        self.mirror_code = mirror
        self.purpose = purpose

    @property
    def mirror(self) -> ChangeRule:
        """The rule of the same change the other way round."""
        return next(rule for rule in ChangeRule if rule.code == self.mirror_code)

    @property
    def title(self) -> str:
        """The rule's name in words."""
        return self.name.lower().replace("_", " ")
