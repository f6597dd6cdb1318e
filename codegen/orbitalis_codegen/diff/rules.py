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

    VERSION_RAISED = "ORB601", "ORB602", "A version says that something was added by raising its second number."
    VERSION_LOWERED = "ORB602", "ORB601", "A version is never lowered, or peers are told less than there is."
    OTHER_PROTOCOL = "ORB603", "ORB603", "The first number of the version stays, since another one is another protocol."
    REQUIREMENT_ADDED = "ORB604", "ORB605", "A requirement may be added for what is new; older peers do not follow it."
    REQUIREMENT_REMOVED = "ORB605", "ORB604", "A requirement goes only when nobody relies on it any more."
    REQUIREMENT_REWORDED = "ORB606", "ORB606", "A requirement may be worded better, and means the same."

    CHANNEL_ADDED = "ORB611", "ORB612", "A channel may be added: peers that do not know it do without."
    CHANNEL_REMOVED = "ORB612", "ORB611", "A channel stays as long as peers publish to it or read it."
    CHANNEL_RENAMED = "ORB613", "ORB613", "A channel keeps its key, which names it in generated code."
    ADDRESS_CHANGED = "ORB614", "ORB614", "An address stays, or peers publish where nobody listens."
    PARAMETER_RENAMED = "ORB615", "ORB615", "A parameter of an address keeps its name, which arguments are called by."
    PLACEHOLDER_CHANGED = "ORB616", "ORB616", "What stands for an unknown parameter stays, since peers look for it."
    CHANNEL_MESSAGE_ADDED = (
        "ORB617",
        "ORB618",
        "A message may be added to a channel: peers ignore one they do not know.",
    )
    CHANNEL_MESSAGE_REMOVED = "ORB618", "ORB617", "A message stays on its channel as long as peers send it there."

    OPERATION_ADDED = "ORB621", "ORB622", "An operation may be added, with which older peers do nothing."
    OPERATION_REMOVED = "ORB622", "ORB621", "An operation stays as long as peers count on its other side."
    OPERATION_RENAMED = "ORB623", "ORB623", "An operation keeps its key, which names it in generated code."
    ACTION_CHANGED = "ORB624", "ORB624", "An operation keeps its action: who sent goes on sending."
    OPERATION_MOVED = "ORB625", "ORB625", "An operation keeps its channel, or peers send where nobody listens."
    ROLE_ADDED = "ORB626", "ORB627", "An operation may become that of another role, too."
    ROLE_REMOVED = "ORB627", "ORB626", "A role keeps its operations: a broker refuses it what is no longer its own."
    QOS_RAISED = "ORB628", "ORB629", "A quality of service stays: a greater one costs packets that peers do not expect."
    QOS_LOWERED = (
        "ORB629",
        "ORB628",
        "A quality of service stays: with a lower one, messages get lost that did not before.",
    )
    RETAIN_SET = "ORB630", "ORB631", "What is not retained stays so, or late subscribers get what is long over."
    RETAIN_CLEARED = "ORB631", "ORB630", "What is retained stays so, or late subscribers get nothing."
    REPLY_ADDED = "ORB632", "ORB633", "A reply is not asked for that older peers do not send."
    REPLY_REMOVED = "ORB633", "ORB632", "A reply stays as long as peers wait for it."
    REPLY_MOVED = "ORB634", "ORB634", "A reply keeps its channel, where peers wait for it."
    OPERATION_MESSAGE_ADDED = "ORB635", "ORB636", "A message may be added to an operation: older peers ignore it."
    OPERATION_MESSAGE_REMOVED = (
        "ORB636",
        "ORB635",
        "A message stays part of its operation as long as peers count on it.",
    )
    REPLY_MESSAGE_ADDED = "ORB637", "ORB638", "A reply stays one that peers know: those that wait ignore another one."
    REPLY_MESSAGE_REMOVED = "ORB638", "ORB637", "A reply stays possible as long as peers wait for it."

    MESSAGE_ADDED = "ORB641", "ORB642", "A message may be added: peers that do not know it ignore it."
    MESSAGE_REMOVED = "ORB642", "ORB641", "A message stays as long as peers send it."
    MESSAGE_RENAMED = "ORB643", "ORB643", "A message keeps its key, which names its class."
    MESSAGE_TYPE_CHANGED = "ORB644", "ORB644", "A message keeps its name, by which peers know it on the wire."
    PAYLOAD_FORMAT_CHANGED = "ORB645", "ORB645", "A payload goes out in the format that peers read."
    PAYLOAD_GAINED = (
        "ORB646",
        "ORB647",
        "A message without a payload of its own stays one: peers have agreed on what it holds.",
    )
    PAYLOAD_LOST = "ORB647", "ORB646", "A message with a payload of its own keeps it."
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
        "A field of a payload is added with a default, which stands for it where it is not written.",
    )
    FIELD_REMOVED = "ORB654", "ORB653", "Only a field with a default goes, which then stands for it at older readers."
    REQUIRED_FIELD_ADDED = (
        "ORB655",
        "ORB656",
        "No field without a default is added: what was written before does not have it.",
    )
    REQUIRED_FIELD_REMOVED = "ORB656", "ORB655", "A field without a default stays, since older readers need it."
    FIELD_RENAMED = "ORB657", "ORB658", "A field keeps its name: an alias helps newer readers alone."
    FIELD_ALIAS_TAKEN = (
        "ORB658",
        "ORB657",
        "A field is not given the name of its alias: that helps older readers alone.",
    )
    FIELDS_REORDERED = "ORB659", "ORB659", "Fields keep their order, except in payloads of peers that resolve schemas."
    DEFAULT_ADDED = "ORB660", "ORB661", "A field may get a default, which changes nothing of what is written."
    DEFAULT_REMOVED = "ORB661", "ORB660", "A field may lose its default: what is written has a value anyway."
    DEFAULT_CHANGED = "ORB662", "ORB662", "A default may change: it does not travel."
    ALIAS_ADDED = "ORB663", "ORB664", "An alias may be added: readers find by it what has another name."
    ALIAS_REMOVED = "ORB664", "ORB663", "An alias stays as long as something is written under that name."
    SINCE_CHANGED = (
        "ORB665",
        "ORB665",
        "A field goes on saying which version it came with, since versions are read by it.",
    )
    TYPE_WIDENED = (
        "ORB666",
        "ORB667",
        "A number stays in its type: a wider one is not read by those with the narrower one.",
    )
    TYPE_NARROWED = (
        "ORB667",
        "ORB666",
        "A number stays in its type: a narrower one does not read what is written wider.",
    )
    TEXT_BECAME_BYTES = "ORB668", "ORB669", "A text stays a text: bytes that are not UTF-8 cannot be read as one."
    BYTES_BECAME_TEXT = "ORB669", "ORB668", "Bytes stay bytes: those that are not UTF-8 cannot be read as a text."
    TYPE_CHANGED = "ORB670", "ORB670", "A type stays one that reads what was written."
    BRANCH_ADDED = "ORB671", "ORB672", "A union gets no branch that its readers do not have."
    BRANCH_REMOVED = "ORB672", "ORB671", "A union keeps its branches as long as values of them are written."
    UNION_REORDERED = "ORB673", "ORB673", "The branches of a union keep their order, which is that of their indexes."
    BECAME_UNION = "ORB674", "ORB675", "A type becomes no union whose other values its readers do not have."
    UNION_ENDED = "ORB675", "ORB674", "A union stays one as long as values of its other branches are written."
    LOGICAL_TYPE_ADDED = "ORB676", "ORB677", "A type gets no logical type: the same bytes would mean something else."
    LOGICAL_TYPE_REMOVED = "ORB677", "ORB676", "A type keeps its logical type, which says what its bytes mean."
    LOGICAL_TYPE_CHANGED = (
        "ORB678",
        "ORB678",
        "A logical type stays the same, or values are off by a factor without a trace.",
    )
    SYMBOL_ADDED = "ORB679", "ORB680", "An enum gets no symbol that its readers do not have."
    SYMBOL_REMOVED = "ORB680", "ORB679", "An enum keeps its symbols as long as they are written."
    SYMBOLS_REORDERED = "ORB681", "ORB681", "The symbols of an enum keep their order, which is that of their indexes."
    SYMBOL_DEFAULT_CHANGED = (
        "ORB682",
        "ORB682",
        "The default of an enum may change: it stands for symbols that nobody here knows.",
    )
    SIZE_CHANGED = "ORB683", "ORB683", "A fixed keeps its size."
    TYPE_RENAMED = "ORB684", "ORB685", "A type keeps its name: an alias helps newer readers alone."
    TYPE_ALIAS_TAKEN = "ORB685", "ORB684", "A type is not given the name of its alias: that helps older readers alone."
    TYPE_REPLACED = "ORB686", "ORB686", "A type keeps its full name, by which readers know it."
    UNREADABLE = "ORB687", "ORB687", "Two versions of a schema go together as a whole, not only part by part."

    TIMING_ADDED = "ORB691", "ORB692", "A timing may be added."
    TIMING_REMOVED = "ORB692", "ORB691", "A timing stays, since programs refer to it by its name."
    TIMING_LENGTHENED = (
        "ORB693",
        "ORB694",
        "A timing stays: with a longer one, peers give up before the other side acts.",
    )
    TIMING_SHORTENED = "ORB694", "ORB693", "A timing stays: with a shorter one, this side gives up before peers act."
    LIMIT_ADDED = "ORB695", "ORB696", "A limit may be added for what is new."
    LIMIT_REMOVED = "ORB696", "ORB695", "A limit stays, since programs refer to it by its name."
    LIMIT_RAISED = "ORB697", "ORB698", "A limit stays: peers with the old one refuse what is beyond it."
    LIMIT_LOWERED = "ORB698", "ORB697", "A limit stays: with a lower one, what peers send is refused."

    CHART_ADDED = "ORB711", "ORB712", "A state chart may be added."
    CHART_REMOVED = "ORB712", "ORB711", "A state chart stays, since programs refer to it."
    STATE_ADDED = "ORB713", "ORB714", "A state is not added lightly: peers do not know that it exists."
    STATE_REMOVED = "ORB714", "ORB713", "A state stays as long as peers count on it."
    TRIGGER_ADDED = "ORB715", "ORB716", "A trigger is not added lightly: at older peers it does nothing."
    TRIGGER_REMOVED = "ORB716", "ORB715", "A trigger stays, since at older peers it goes on happening."
    TRANSITION_ADDED = "ORB717", "ORB718", "What did nothing in a state goes on doing nothing, as at older peers."
    TRANSITION_REMOVED = "ORB718", "ORB717", "What changes a state goes on doing so, as at older peers."
    TRANSITION_CHANGED = "ORB719", "ORB719", "A trigger leads from a state to the same one as at older peers."
    INITIAL_STATE_CHANGED = "ORB720", "ORB720", "A state chart begins where it began."

    CONTRACT_ADDED = "ORB731", "ORB732", "A contract may be added."
    CONTRACT_REMOVED = "ORB732", "ORB731", "A contract stays as long as somebody uses its plugins."
    TITLE_CHANGED = "ORB733", "ORB733", "A contract keeps its title, after which its classes are called."
    METHOD_ADDED = "ORB734", "ORB735", "An operation may be added to a contract: older cores do not ask for it."
    METHOD_REMOVED = "ORB735", "ORB734", "An operation of a contract stays as long as cores ask for it."
    INPUT_STARTED = "ORB736", "ORB737", "An operation that a plugin does by itself stays one."
    INPUT_ENDED = "ORB737", "ORB736", "An operation that is called stays one."
    INPUT_ADDED = "ORB738", "ORB739", "An operation gets no input that older plugins do not take."
    INPUT_REMOVED = "ORB739", "ORB738", "An operation keeps its inputs as long as cores send them."
    OUTPUT_ADDED = "ORB740", "ORB741", "An operation gets no output that older cores do not know."
    OUTPUT_REMOVED = (
        "ORB741",
        "ORB740",
        "An operation keeps its outputs: newer cores cannot read those of older plugins.",
    )
    ERROR_ADDED = "ORB742", "ORB743", "An operation gets no declared error that older cores do not know."
    ERROR_REMOVED = "ORB743", "ORB742", "An operation keeps its declared errors as long as plugins raise them."
    BECAME_ERROR = "ORB744", "ORB745", "An output stays one: as a declared error, it is raised at the caller."
    BECAME_OUTPUT = "ORB745", "ORB744", "A declared error stays one: as an output, it is returned to the caller."
    PLAIN_CHANGED = "ORB746", "ORB746", "A plain payload keeps its type, which names the message it travels in."
    PLAIN_BECAME_RECORD = "ORB747", "ORB748", "A plain payload stays plain: a record is another message."
    RECORD_BECAME_PLAIN = "ORB748", "ORB747", "A record stays a record: a plain payload is another message."
    HEADERS_CHANGED = "ORB749", "ORB749", "Headers keep their record; they do not travel, but programs use its class."

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
