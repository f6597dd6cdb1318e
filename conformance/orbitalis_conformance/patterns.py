"""What a case expects of a value, and the references to earlier events in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from orbitalis_conformance.errors import CaseError
from orbitalis_conformance.plain import is_list, is_mapping

__all__ = ["TAGS", "Pattern", "mismatch", "resolve"]

_REFERENCE: Final = re.compile(r"\$\{([^}]*)\}")
_ABSENT: Final = object()


@dataclass(frozen=True)
class Pattern:
    """A tag of a case with its argument, such as `!not json`."""

    tag: str
    argument: Any

    def __repr__(self) -> str:
        """Show it as it stands in the case."""
        return f"!{self.tag}" if self.argument in (None, "") else f"!{self.tag} {self.argument!r}"


def _any(argument: Any, value: Any) -> bool:
    return value is not None and value is not _ABSENT


def _absent(argument: Any, value: Any) -> bool:
    return value is None or value is _ABSENT


def _not(argument: Any, value: Any) -> bool:
    return mismatch(argument, value) is not None


def _has(argument: Any, value: Any) -> bool:
    wanted = argument if is_list(argument) else [argument]
    if is_list(value):
        return all(any(mismatch(one, given) is None for given in value) for one in wanted)
    return (isinstance(value, str) or is_mapping(value)) and all(one in value for one in wanted)


def _matches(argument: Any, value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(argument, value) is not None


def _one_of(argument: Any, value: Any) -> bool:
    return any(mismatch(one, value) is None for one in argument)


def _at_least(argument: Any, value: Any) -> bool:
    return isinstance(value, int | float) and value >= argument


def _at_most(argument: Any, value: Any) -> bool:
    return isinstance(value, int | float) and value <= argument


def _length(argument: Any, value: Any) -> bool:
    return (isinstance(value, str) or is_list(value) or is_mapping(value)) and len(value) == argument


def _no_longer(argument: Any, value: Any) -> bool:
    return isinstance(value, str) and len(value.encode()) <= argument


def _not_in(argument: Any, value: Any) -> bool:
    return isinstance(value, str) and not any(one in value for one in argument)


def _set(argument: Any, value: Any) -> bool:
    return is_list(value) and len(value) == len(argument) and _has(argument, value)


def _exactly(argument: Any, value: Any) -> bool:
    return bool(value == argument)


TAGS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "any": _any,
    "absent": _absent,
    "not": _not,
    "has": _has,
    "matches": _matches,
    "one_of": _one_of,
    "at_least": _at_least,
    "at_most": _at_most,
    "length": _length,
    "bytes_at_most": _no_longer,
    "set": _set,
    "not_in": _not_in,
    "exactly": _exactly,
}
"""What a tag asks of a value."""


def mismatch(expected: Any, value: Any, at: str = "") -> str | None:
    """Return where a value is not as expected, and how; `None` if it is.

    A mapping expects the keys that it has, and leaves others alone.
    """
    if isinstance(expected, Pattern):
        if TAGS[expected.tag](expected.argument, value):
            return None
    elif is_mapping(expected):
        if is_mapping(value):
            for key, one in expected.items():
                if found := mismatch(one, value.get(key, _ABSENT), f"{at}.{key}" if at else str(key)):
                    return found
            return None
    elif is_list(expected):
        if is_list(value) and len(value) == len(expected):
            for index, (one, given) in enumerate(zip(expected, value, strict=True)):
                if found := mismatch(one, given, f"{at}[{index}]"):
                    return found
            return None
    elif expected is None:
        if value is None or value is _ABSENT:
            return None
    elif isinstance(expected, bool) or isinstance(value, bool):
        if expected is value:
            return None
    elif expected == value:
        return None
    shown = "nothing" if value is _ABSENT else repr(value)
    return f"{at or 'the value'}: expected {expected!r}, got {shown}"


def resolve(content: Any, look_up: Callable[[str], Any]) -> Any:
    """Return a part of a case with what its references stand for: `${offer.reply_topic}`."""
    if isinstance(content, str):
        whole = _REFERENCE.fullmatch(content)
        if whole is not None:
            return look_up(whole[1])
        return _REFERENCE.sub(lambda found: _text(found[1], look_up(found[1])), content)
    if isinstance(content, Pattern):
        return Pattern(content.tag, resolve(content.argument, look_up))
    if is_mapping(content):
        return {resolve(key, look_up): resolve(one, look_up) for key, one in content.items()}
    if is_list(content):
        return [resolve(one, look_up) for one in content]
    return content


def _text(reference: str, value: object) -> str:
    if not isinstance(value, str):
        raise CaseError(f"${{{reference}}} stands in a text, and is none: {value!r}")
    return value
