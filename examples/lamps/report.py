"""Reports: what an orbiter has to tell, as a line of JSON for programs and as a sentence for people."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Report", "enumerate_words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Something that happened to one orbiter."""

    orbiter: str
    """Whose report it is."""
    event: str
    """What happened; :meth:`sentence` knows all there are."""
    remotes: tuple[str, ...] = ()
    """Who else was involved."""
    operations: tuple[str, ...] = ()
    """Which operations it was about."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What else there is to say."""
    at: float = field(default_factory=time.time)
    """When, in seconds since 1970."""

    def to_line(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_line(cls, line: str | bytes) -> Report:
        """Read what :meth:`to_line` wrote.

        Raises:
            ValueError: The line is something else.
        """
        try:
            fields = json.loads(line)
            return cls(**{**fields, "remotes": tuple(fields["remotes"]), "operations": tuple(fields["operations"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"no report: {line!r}") from error

    def sentence(self) -> str:
        """Return it as the end of a sentence that begins with the orbiter's name."""
        who, what, values = enumerate_words(self.remotes), enumerate_words(self.operations), self.values
        match self.event:
            case "started":
                return "has started"
            case "stopped":
                return "has stopped, having told everybody it was connected with"
            case "asks":
                return f"asks for {what}"
            case "hears":
                return f"hears {who} ask"
            case "offers":
                return f"offers {who} {what}"
            case "is offered":
                return f"is offered {what} by {who}"
            case "is asked":
                return f"is requested by {who} to provide {what}"
            case "is rejected":
                return f"hears that {who} does not take {what}: {values['reason']}"
            case "confirms":
                return f"confirms {what} to {who}: connected"
            case "is confirmed":
                return f"has the confirmation of {who} for {what}: connected"
            case "compliant":
                return "is compliant: it has everything that it needs"
            case "not compliant":
                return f"is not compliant: it needs more lamps for {what}"
            case "executes":
                return f"executes {what} ({values['mode']}): sent to {who}"
            case "cannot execute":
                return f"cannot execute {what}: {values['reason']}"
            case "changed":
                brightness = f"at {values['power']:.0%} " if values["power"] < 1 else ""
                return f"is {'ON' if values['is_on'] else 'OFF'} {brightness}now".replace("  ", " ")
            case "status":
                brightness = f" at {values['power']:.0%}" if values["power"] < 1 else ""
                return f"learns from {who}: it is {'ON' if values['is_on'] else 'OFF'}{brightness}"
            case "energy":
                return f"learns from {who}: it has used {_energy(values['kwh'])}"
            case "dead":
                return f"has not heard of {who} for too long, and takes it for dead"
            case "closed":
                return f"is no longer connected with {who} for {what}"
            case "reconnected":
                return "has found the bus again"
            case event:
                return event


def _energy(kwh: float) -> str:
    return f"{kwh:.3f} kWh" if kwh >= 0.1 else f"{kwh * 3.6e6:.3g} J"


def enumerate_words(words: Iterable[str]) -> str:
    """Return words as people enumerate them: `a`, `a and b`, `a, b and c`; those that come twice have a number."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    *others, last = [f"{word} ({n} times)" if n > 1 else word for word, n in counts.items()] or ["nothing"]
    return f"{', '.join(others)} and {last}" if others else last
