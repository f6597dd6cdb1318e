"""What the command `diff` does: read both versions, compare them, and say what changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import ParamSpec, TypeVar

from orbitalis_codegen.contract.read import load_contract
from orbitalis_codegen.contract.settings import SETTINGS_FILE, read_settings
from orbitalis_codegen.diagnostic import Position, SpecificationError
from orbitalis_codegen.diff.accepted import check_acceptances, read_acceptances
from orbitalis_codegen.diff.change import Change, by_weight
from orbitalis_codegen.diff.contracts import compare_contracts
from orbitalis_codegen.diff.places import Places
from orbitalis_codegen.diff.protocol import compare_models
from orbitalis_codegen.diff.report import breaking, lines_of, summary
from orbitalis_codegen.diff.rules import ChangeRule, Level
from orbitalis_codegen.diff.versions import UnusableVersionError, is_folder, version_at
from orbitalis_codegen.output import Format
from orbitalis_codegen.specification import load

__all__ = ["Outcome", "run"]

P = ParamSpec("P")
T = TypeVar("T")

_DOCUMENT = "asyncapi.yaml"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a comparison has found."""

    lines: tuple[str, ...]
    """What is to be printed."""
    summary: str
    is_breaking: bool
    """Whether anything affects somebody and is not accepted."""


def run(root: Path, against: str, contract: str | None, form: Format, *, is_exact: bool = False) -> Outcome:
    """Compare what `root` has with a version of it: a folder or a commit of git; or one `contract` of it alone.

    Raises:
        SpecificationError: One of the versions cannot be used, or `accepted.toml` accepts what there is not.
        UnusableVersionError: There is no version `against`, or it has nothing to compare with.
    """
    if contract is not None:
        root, contract = _below(root, contract)
    where = f"{against.rstrip('/')}/" if is_folder(against) else f"{against}:"
    # What the old version neither lists nor has would all be new, and break nothing.
    if contract is None:
        marks = [_DOCUMENT, SETTINGS_FILE, *dict.fromkeys(one.document for one in read_settings(root))]
    else:
        marks = [contract, PurePosixPath(contract).name]
    with version_at(root, against, marks, is_whole=contract is None) as old:
        versions = _Comparison(old, root, where).compare(contract)
    accepted = read_acceptances(root)
    known = {change.fingerprint: version for change, version in versions}
    check_acceptances(accepted.values(), known, is_all=contract is None)
    changes = by_weight(change for change, _ in versions)
    broken = breaking(changes, accepted, is_exact=is_exact)
    return Outcome(
        tuple(lines_of(changes, accepted, form, where, is_exact=is_exact)),
        summary(changes, broken, is_exact=is_exact),
        bool(broken),
    )


def _below(root: Path, contract: str) -> tuple[Path, str]:
    """Return a contract's path relative to the root, with `/`; one outside of the root has its own folder as root."""
    for path in (root / contract, Path(contract)):
        resolved = path.resolve()
        if path.exists() and resolved.is_relative_to(root.resolve()):
            return root, resolved.relative_to(root.resolve()).as_posix()
    path = Path(contract)
    return (path.parent, path.name) if path.exists() else (root, PurePosixPath(contract).as_posix())


class _Comparison:
    """Reads both versions and compares them."""

    def __init__(self, old: Path, new: Path, where: str) -> None:
        self._old = old
        self._new = new
        self._where = where

    def compare(self, contract: str | None) -> list[tuple[Change, str]]:
        """Return all changes, or those of one contract, each with the new version of what has changed."""
        if contract is not None:
            name = contract if (self._old / contract).exists() else PurePosixPath(contract).name
            return self._contract(name if (self._old / name).exists() else contract, contract)
        before, after = self._before(read_settings, self._old), read_settings(self._new)
        found = self._protocol() if (self._new / _DOCUMENT).exists() or not (before or after) else []
        # A document may be listed for several languages.
        documents = ([*dict.fromkeys(one.document for one in settings)] for settings in (before, after))
        return found + self._listed(*documents)

    def _before(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read the old version; what is wrong with it is told to be there."""
        try:
            return read(*args, **kwargs)
        except SpecificationError as error:
            raise SpecificationError(
                tuple(
                    replace(one, position=replace(one.position, file=f"{self._where}{one.position.file}"))
                    for one in error.diagnostics
                )
            ) from None

    def _protocol(self) -> list[tuple[Change, str]]:
        if not (self._old / _DOCUMENT).exists():
            raise UnusableVersionError(
                f"{self._where}{_DOCUMENT} does not exist, so there is no older protocol to compare with: "
                "write --contract FILE to compare a contract alone"
            )
        old, new = self._before(load, self._old), load(self._new)
        places = Places(self._old, _DOCUMENT, old.types), Places(self._new, _DOCUMENT, new.types)
        return [(change, new.version) for change in compare_models(old, new, *places)]

    def _listed(self, before: Sequence[str], after: Sequence[str]) -> list[tuple[Change, str]]:
        """Compare the contracts that both versions have; one of the same title in another file has moved.

        The old version may have a contract without listing it.
        """
        found: list[tuple[Change, str]] = []
        before = [*before, *(one for one in after if one not in before and (self._old / one).is_file())]
        gone, new = (
            [one for one in listed if one not in other] for listed, other in ((before, after), (after, before))
        )
        titles = {load_contract(self._new, one).title: one for one in new}
        moved: dict[str, str] = {}
        for document in gone if new else ():
            if (now := titles.pop(self._before(load_contract, self._old, document).title, None)) is not None:
                moved[now] = document
        for document in gone:
            if document not in moved.values():
                message = f"the contract {document} is gone"
                affected = "all plugins and cores that use it"
                found.append((_whole(ChangeRule.CONTRACT_REMOVED, Level.WIRE, document, message, affected), "0"))
        for document in after:
            if document in before or document in moved:
                found += self._contract(moved.get(document, document), document)
                continue
            message = f"the contract {document} is new"
            change = _whole(ChangeRule.CONTRACT_ADDED, Level.NONE, document, message, "")
            found.append((change, load_contract(self._new, document).version))
        return found

    def _contract(self, before: str, after: str) -> list[tuple[Change, str]]:
        old, new = self._before(load_contract, self._old, before), load_contract(self._new, after)
        places = Places(self._old, old.document, old.types), Places(self._new, new.document, new.types)
        return [(change, new.version) for change in compare_contracts(old, new, places[0].of, places[1].of)]


def _whole(rule: ChangeRule, level: Level, document: str, message: str, affected: str) -> Change:
    position = Position(document, 1, 1)
    is_gone = rule is ChangeRule.CONTRACT_REMOVED
    return Change(
        rule=rule,
        level=level,
        exact_level=level,
        subject=document,
        was=document if is_gone else "",
        now="" if is_gone else document,
        message=message,
        before=position if is_gone else None,
        after=None if is_gone else position,
        affected=affected,
    )
