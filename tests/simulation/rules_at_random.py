"""What cores require and plugins allow, by chance: :func:`policy_at_random`, :func:`rules_at_random`."""

from __future__ import annotations

from random import Random
from typing import Any

from orbitalis.operations.policy import Policy

__all__ = ["policy_at_random", "rules_at_random"]


def rules_at_random(choose: Random, plugins: list[str]) -> dict[str, Any]:
    """Return bounds and lists of a constraint, as its arguments, for some of these plugins."""
    minimum = choose.choice([0, 1, 1, 2])
    mandatory = [choose.choice(plugins)] if choose.random() < 0.2 else []
    maximum = choose.choice([None, None, minimum, minimum + 1])
    listed = choose.sample(plugins, choose.randint(0, len(plugins)))
    lists: dict[str, list[str]] = {}
    if choose.random() < 0.15:
        lists["allowlist"] = listed
    elif choose.random() < 0.15:
        lists["blocklist"] = [plugin for plugin in listed if plugin not in mandatory]
    return {"minimum": minimum, "maximum": maximum, "mandatory": mandatory, **lists}


def policy_at_random(choose: Random, cores: list[str]) -> Policy:
    """Return a policy for some of these cores."""
    listed = choose.sample(cores, choose.randint(0, len(cores)))
    maximum = choose.choice([None, None, 1, 2])
    if choose.random() < 0.1:
        return Policy(maximum=maximum, allowlist=listed)
    return Policy(maximum=maximum, blocklist=listed if choose.random() < 0.1 else None)
