"""Addresses of channels: what stands in them, how long topics get, and which channel one belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orbitalis_codegen.diagnostic import Position, Report, shown
from orbitalis_codegen.rules import Rule

__all__ = ["Address", "check_collisions", "check_length", "read_address"]

_PARAMETER = re.compile(r"\{([^{}]*)\}")
_SUBSTITUTED = re.compile("%[cu]")
"""What mosquitto replaces in a rule of an access list, by the identifier of the client and the name of its user."""

_RESERVED = {"$share": "subscriptions that several clients share", "$SYS": "what a broker tells of itself"}
"""First levels to which MQTT gives a meaning of its own."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address, level by level."""

    text: str
    levels: tuple[tuple[str, bool], ...]
    """Of each level its text or the name of its parameter, and whether it is a parameter."""
    position: Position

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in their order."""
        return tuple(name for name, is_parameter in self.levels if is_parameter)

    @property
    def shortest_topic(self) -> int:
        """Bytes of UTF-8 of a topic whose parameters take one each."""
        return len("/".join("-" if is_parameter else name for name, is_parameter in self.levels).encode())

    def may_equal(self, other: Address) -> bool:
        """Whether one topic can belong to both addresses."""
        return len(self.levels) == len(other.levels) and all(
            mine == theirs or mine[1] or theirs[1] for mine, theirs in zip(self.levels, other.levels, strict=True)
        )


def read_address(text: str, position: Position, report: Report) -> Address | None:
    """The address that `text` spells; `None` if it is not one, which is reported."""
    wildcards = sorted(set(text) & {"+", "#"})
    if wildcards:
        message = f"the address {shown(text)} holds the MQTT wildcard {wildcards[0]}"
        report.add(Rule.ADDRESS_CHARACTER, position, message, "a part that varies is a parameter: {name}")
        return None
    # An address becomes a line of an access list: a line break would add a rule, and a space may end one.
    unusable = next((one for one in text if one.isspace() or not one.isprintable()), None)
    if unusable is not None:
        what = "a space" if unusable == " " else f"the character U+{ord(unusable):04X}"
        message = f"the address {shown(text)} holds {what}"
        hint = "an address has no spaces, and nothing that cannot be printed"
        report.add(Rule.ADDRESS_CHARACTER, position, message, hint)
        return None
    if substituted := _SUBSTITUTED.search(text):
        message = f"the address {shown(text)} holds {substituted.group()}, which a broker replaces in its access lists"
        report.add(Rule.ADDRESS_CHARACTER, position, message, "write no % before c or u")
        return None
    first = text.split("/", 1)[0]
    if first in _RESERVED:
        message = f"the address {shown(text)} begins with {first}, which stands for {_RESERVED[first]}"
        report.add(Rule.ADDRESS_CHARACTER, position, message, "begin it with something else")
        return None
    levels: list[tuple[str, bool]] = []
    for level in text.split("/"):
        parameter = _PARAMETER.fullmatch(level)
        name = parameter.group(1) if parameter else level
        if not name:
            what = "an empty level" if parameter is None else "a parameter without a name"
            report.add(Rule.ADDRESS_LEVEL, position, f"the address {shown(text)} has {what}")
            return None
        if parameter is None and ("{" in level or "}" in level):
            message = f"the level {shown(level)} of the address {shown(text)} is neither text nor one parameter"
            report.add(Rule.ADDRESS_LEVEL, position, message, "a parameter fills a level: .../{name}/...")
            return None
        if parameter is not None and (name, True) in levels:
            message = f"the parameter {shown(name)} stands twice in the address {shown(text)}"
            report.add(Rule.ADDRESS_PARAMETER_REPEATED, position, message)
            return None
        levels.append((name, parameter is not None))
    return Address(text, tuple(levels), position)


def check_length(address: Address, most: int, report: Report) -> None:
    """Report an address if no topic of it has `most` bytes or fewer."""
    if address.shortest_topic > most:
        message = f"topics of the address {shown(address.text)} have at least {address.shortest_topic} bytes"
        report.add(Rule.ADDRESS_LENGTH, address.position, message, f"'topic_bytes' allows {most}")


def check_collisions(addresses: dict[str, Address], report: Report) -> None:
    """Report every channel, by its key, whose topics another one before it may have as well."""
    seen: list[tuple[str, Address]] = []
    for key, address in addresses.items():
        for other_key, other in seen:
            if address.may_equal(other):
                message = f"a topic may belong to {shown(key)} as well as to {shown(other_key)} ({other.text})"
                hint = "let the two differ in a level that is text in both"
                report.add(Rule.ADDRESS_COLLISION, address.position, message, hint)
                break
        seen.append((key, address))
