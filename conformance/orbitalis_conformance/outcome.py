"""What has become of the cases of one run."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import yaml

from orbitalis_conformance.errors import ToolError
from orbitalis_conformance.plain import is_mapping

__all__ = ["Expectations", "Outcome", "Status", "Summary"]


class Status(StrEnum):
    """What has become of a case."""

    PASSED = "passed"
    FAILED = "failed"
    """The subject did something wrong."""
    EXPECTED = "failed as expected"
    """The subject did something wrong, and a list says that it does."""
    UNEXPECTED_PASS = "passed unexpectedly"
    """A list says that the subject fails here, and it does not."""
    SKIPPED = "skipped"
    """The subject does without a feature that the case needs."""
    ERROR = "error"
    """The tester could not find out: the case, the broker or the tester is at fault."""


#: What makes a run fail.
BAD = (Status.FAILED, Status.UNEXPECTED_PASS, Status.ERROR)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What has become of one case."""

    name: str
    status: Status
    seconds: float
    requirements: tuple[str, ...]
    """Those of the case, or the ones that were broken."""
    text: str = ""
    """Why."""
    log: Sequence[str] = field(default=(), repr=False)
    """What happened, if it did not pass."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What has become of all cases."""

    subject: str
    outcomes: Sequence[Outcome]
    seconds: float

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many cases have each status."""
        return Counter(one.status for one in self.outcomes)

    @property
    def exit_status(self) -> int:
        """0 if all is as it has to be, 1 if the subject is at fault, 2 if the tester is."""
        counts = self.counts
        if counts.get(Status.ERROR, 0):
            return 2
        return 1 if any(counts.get(one, 0) for one in BAD) else 0


class Expectations:
    """A list of cases that a subject is known to fail: patterns of names, each with its reason."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """Take reasons by pattern, as :mod:`fnmatch` has them."""
        self._reasons = reasons

    @classmethod
    def read(cls, path: Path) -> Expectations:
        """Read a YAML file: a mapping from pattern to reason.

        Raises:
            ToolError: It cannot be read, or is none.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise ToolError(f"{path}: {error}") from None
        if not is_mapping(content) or not all(isinstance(one, str) for item in content.items() for one in item):
            raise ToolError(f"{path}: expected a mapping from the name of a case, or a pattern of names, to a reason")
        return cls(content)

    def reason(self, name: str) -> str | None:
        """Return why a case is expected to fail; `None` if it is not."""
        for pattern, reason in self._reasons.items():
            if name == pattern or fnmatch.fnmatchcase(name, pattern):
                return reason
        return None

    def unused(self, names: Sequence[str]) -> list[str]:
        """Return the patterns that are none of these cases."""

        def is_used(pattern: str) -> bool:
            return any(name == pattern or fnmatch.fnmatchcase(name, pattern) for name in names)

        return [one for one in self._reasons if not is_used(one)]
