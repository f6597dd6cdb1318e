"""The mosquitto target: an access control list for each role, bound to the name of the user.

The level of a topic that says who sends is held against the user who publishes, the one that says who receives against
the user to whom the broker delivers. Everything that no rule allows is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from orbitalis_codegen.model import Channel, Model, Operation

__all__ = ["FOLDER", "NEEDS", "emit_list", "part_of_role"]

FOLDER = "generated/mosquitto"
"""Where the lists stand, relative to the root."""
NEEDS = ("channels.bare", "operations.summary")
"""The parts of the model that the lists depend on."""

_USER: Final = "%u"
_ANY: Final = "+"

_INTRODUCTION = """\
# What {role} may do, whose identifier is the name of its user: `acl_file` of a listener that lets in nobody else.
# `write` is to publish, `read` is to be sent what others publish; anything that is not listed here is refused.
"""


def part_of_role(model: Model, role: str) -> Model:
    """The part of a model that the list of a role depends on: of operations with the same rule, the first one alone."""
    rules: dict[str, str] = {}
    for key, operation in model.operations.items():
        if role in operation.roles:
            rules.setdefault(_rule(role, operation, model.channels[operation.channel]), key)
    operations = {key: model.operations[key] for key in rules.values()}
    channels = {one.channel: model.channels[one.channel] for one in operations.values()}
    return replace(model, operations=operations, channels=channels)


def emit_list(part: Model, role: str) -> str:
    """Emit the list of a role from its part of the model."""
    rules = [(one, _rule(role, one, part.channels[one.channel])) for one in part.operations.values()]
    return "\n".join(
        [
            _INTRODUCTION.format(role=f"an {role}" if role[0] in "aeiou" else f"a {role}"),
            *(f"{_purpose(role, operation, rule)}\n{rule}\n" for operation, rule in rules),
        ]
    )


def _rule(role: str, operation: Operation, channel: Channel) -> str:
    levels = channel.address.split("/")
    access, owner = ("write", "sender") if operation.action == "send" else ("read", "recipient")
    candidates = (f"{{{owner}_identifier}}", f"{{{role}_identifier}}")
    own = next((one for one in candidates if one in levels), None)
    # Users are bound to their own level, with any other one.
    bound = [_USER if level == own else _ANY if level.startswith("{") else level for level in levels]
    return f"pattern {access} {'/'.join(bound)}"


def _purpose(role: str, operation: Operation, rule: str) -> str:
    lines = [" ".join(f"{operation.key}: {operation.summary}".rstrip(" :").split())]
    if _USER not in rule.split("/"):
        lines.append(f"No level says who {operation.action}s, so this goes for every {role}.")
    return "\n".join(f"# {line}" for line in lines)
