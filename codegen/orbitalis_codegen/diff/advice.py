"""What to do instead of a change that affects somebody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from orbitalis_codegen.diff.rules import ChangeRule

__all__ = ["advice_for"]

_KEEP_BOTH: Final = "keep the old one beside it until no peer of the older version is left"
_NEXT_TO_IT: Final = "leave it as it is, and add a field with a default beside it"
_ALIAS_BOTH: Final = "keep the name, and say in `doc` what it means now"
_ANNOUNCE: Final = "raise the version, say it in the changelog, and accept it for the time of the change"
_ALTERNATIVE: Final = "add another operation for it, and let the old one end when nobody asks for it any more"
_SOURCE: Final = "keep the name, or accept it and say in the changelog what programs have to write"


def _for(advice: str, rules: Iterable[ChangeRule]) -> Mapping[ChangeRule, str]:
    return dict.fromkeys(rules, advice)


_R = ChangeRule
_ADVICE: Final[Mapping[ChangeRule, str]] = {
    **_for(
        _KEEP_BOTH,
        (
            *(_R.CHANNEL_REMOVED, _R.ADDRESS_CHANGED, _R.PLACEHOLDER_CHANGED, _R.CHANNEL_MESSAGE_REMOVED),
            *(_R.OPERATION_REMOVED, _R.ACTION_CHANGED, _R.OPERATION_MOVED, _R.ROLE_REMOVED),
            *(_R.OPERATION_MESSAGE_REMOVED, _R.REPLY_MOVED, _R.REPLY_MESSAGE_REMOVED, _R.REPLY_REMOVED),
            *(_R.MESSAGE_REMOVED, _R.MESSAGE_TYPE_CHANGED, _R.PAYLOAD_FORMAT_CHANGED),
            *(_R.PAYLOAD_GAINED, _R.PAYLOAD_LOST, _R.CONTRACT_REMOVED, _R.METHOD_REMOVED),
        ),
    ),
    **_for(
        _ALTERNATIVE,
        (
            *(_R.INPUT_STARTED, _R.INPUT_ENDED, _R.INPUT_ADDED, _R.INPUT_REMOVED, _R.OUTPUT_ADDED),
            *(_R.OUTPUT_REMOVED, _R.ERROR_ADDED, _R.ERROR_REMOVED, _R.BECAME_ERROR, _R.BECAME_OUTPUT),
            *(_R.PLAIN_CHANGED, _R.PLAIN_BECAME_RECORD, _R.RECORD_BECAME_PLAIN, _R.UNREADABLE),
        ),
    ),
    **_for(
        _SOURCE,
        (
            *(_R.CHANNEL_RENAMED, _R.PARAMETER_RENAMED, _R.OPERATION_RENAMED, _R.MESSAGE_RENAMED, _R.CLASS_RENAMED),
            *(_R.TIMING_REMOVED, _R.LIMIT_REMOVED, _R.TITLE_CHANGED, _R.HEADERS_CHANGED),
        ),
    ),
    **_for(
        _ANNOUNCE,
        (
            *(_R.VERSION_LOWERED, _R.OTHER_PROTOCOL, _R.QOS_RAISED, _R.QOS_LOWERED, _R.RETAIN_SET, _R.RETAIN_CLEARED),
            *(_R.REPLY_ADDED, _R.REPLY_MESSAGE_ADDED, _R.TIMING_LENGTHENED, _R.TIMING_SHORTENED, _R.LIMIT_RAISED),
            *(_R.LIMIT_LOWERED, _R.CHART_REMOVED, _R.STATE_ADDED, _R.STATE_REMOVED, _R.TRIGGER_ADDED),
            *(_R.TRIGGER_REMOVED, _R.TRANSITION_ADDED, _R.TRANSITION_REMOVED, _R.TRANSITION_CHANGED),
            *(_R.INITIAL_STATE_CHANGED, _R.OPERATION_MESSAGE_ADDED),
        ),
    ),
    **_for(
        _NEXT_TO_IT,
        (
            *(_R.TYPE_WIDENED, _R.TYPE_NARROWED, _R.TEXT_BECAME_BYTES, _R.BYTES_BECAME_TEXT, _R.TYPE_CHANGED),
            *(_R.BRANCH_ADDED, _R.BRANCH_REMOVED, _R.UNION_REORDERED, _R.BECAME_UNION, _R.UNION_ENDED),
            *(_R.LOGICAL_TYPE_ADDED, _R.LOGICAL_TYPE_REMOVED, _R.LOGICAL_TYPE_CHANGED, _R.SIZE_CHANGED),
        ),
    ),
    **_for(
        _ALIAS_BOTH, (_R.FIELD_RENAMED, _R.FIELD_ALIAS_TAKEN, _R.TYPE_RENAMED, _R.TYPE_ALIAS_TAKEN, _R.TYPE_REPLACED)
    ),
    _R.FIELD_ADDED: "add it at the end of a message of the protocol, with `default` and `since` of the next version",
    _R.FIELD_CUT: "keep it, with its default, and say in `doc` that nobody fills it any more",
    _R.FIELD_REMOVED: "keep it, with its default, and say in `doc` that nobody fills it any more",
    _R.REQUIRED_FIELD_ADDED: "give it a default, which stands for it where older peers do not write it",
    _R.REQUIRED_FIELD_REMOVED: "give it a default first, and remove it when no peer without that default is left",
    _R.FIELDS_REORDERED: "put new fields at the end",
    _R.SINCE_CHANGED: "let `since` name the version that the field was released with",
    _R.SYMBOL_ADDED: "give the enum a default first, and add the symbol when all readers have that",
    _R.SYMBOL_REMOVED: "keep it, or give the enum a default that is read instead",
    _R.SYMBOLS_REORDERED: "put new symbols at the end",
}


def advice_for(rule: ChangeRule) -> str:
    """Return what to do instead of a change under a rule, which affects somebody."""
    return _ADVICE.get(rule, _ANNOUNCE)
