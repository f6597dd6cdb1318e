"""How Avro schemas differ, told to people: field by field, in a list that is never long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from orbitalis.message.schema import Input, Output, canonical_form
from orbitalis_avro.resolution.refusal import Refusal
from orbitalis_wire import limits, messages

__all__ = ["Shapes", "closeness", "refusal_text", "schema_differences", "shape_differences", "short_name", "shortened"]

_MOST: Final = 8
"""Differences that are told."""
_STEPS: Final = 2_000
"""Types that are looked at: a schema may name one type in many places."""
_ALTERNATIVES: Final = 8
"""Schemas of each side among which the closest are looked for."""
_NAME: Final = 60
"""Characters of a name that are shown: strangers choose some of them."""
_NAMED: Final = ("record", "error", "enum", "fixed")

_Shape: TypeAlias = messages.Input | messages.Output
Shapes: TypeAlias = tuple[Sequence[messages.Input], Sequence[messages.Output]]
"""Alternative inputs and outputs of an operation."""

_Schema: TypeAlias = "bool | int | float | str | list[_Schema] | dict[str, _Schema] | None"
"""JSON that should be a schema, and of a stranger may be anything."""


def schema_differences(here: Sequence[str], there: Sequence[str]) -> tuple[str, ...]:
    """Return how the schemas of two sides differ, given as JSON texts; nothing if each of `there` is one of `here`.

    Of several alternatives, those two are compared whose names are the closest, among those of `there` that are none
    of `here`. What is no schema is compared as far as it can be read.
    """
    known = {canonical_form(text) for text in here[:_ALTERNATIVES]}
    others = [text for text in there[:_ALTERNATIVES] if canonical_form(text) not in known]
    if not others or not here:
        return ()
    mine = [_Side(text) for text in here[:_ALTERNATIVES]]
    theirs = [_Side(text) for text in others]
    pairs = [(one, other) for other in theirs for one in mine]
    closest = max(pairs, key=lambda pair: closeness(pair[0].name, pair[1].name))
    return _Comparison(*closest).differences()


def shape_differences(here: Shapes, there: Shapes, *, is_plugin: bool) -> tuple[str, ...]:
    """Return how what two sides take and give for an operation differs, where it does not fit.

    `is_plugin` says that this side is the plugin, whose input has to accept what the core sends, and whose output the
    core has to accept.
    """
    plugin, core = (here, there) if is_plugin else (there, here)
    taken, given = [Input.from_wire(one) for one in plugin[0]], [Output.from_wire(one) for one in plugin[1]]
    found: list[str] = []
    if not any(one.accepts(Input.from_wire(other)) for one in taken for other in core[0]):
        found += _differences("input", here[0], there[0])
    if not any(Output.from_wire(other).accepts(one) for one in given for other in core[1]):
        found += _differences("output", here[1], there[1])
    return tuple(found)


def refusal_text(refusal: Refusal, *, writes: bool = False) -> str:
    """Return why a schema of the other side is not read by one of this side; `writes` says that this side writes."""
    path, verb = refusal.path, refusal.verb
    if refusal.writer is not None and refusal.reader is not None:
        pair = (refusal.writer, refusal.reader) if writes else (refusal.reader, refusal.writer)
        return _sentence(path, verb, *pair)
    writer, reader = ("here", "there") if writes else ("there", "here")
    if refusal.writer is None:
        return f"{_subject(path)} {verb} {writer}, and has no default {reader}"
    what = f" ({shortened(refusal.writer)})" if refusal.writer else ""
    return f"{_subject(path)}{what} {verb} {writer}"


def shortened(text: object, longest: int = _NAME) -> str:
    """Return a text that others have chosen as it may stand in a line: in quotes, not too long."""
    shown = str(text)
    return repr(shown if len(shown) <= longest else f"{shown[: longest - 1]}…")


def short_name(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition(".")[2]


def _differences(what: str, here: Sequence[_Shape], there: Sequence[_Shape]) -> list[str]:
    texts = [[schema for shape in side for schema in shape.schemas] for side in (here, there)]
    found = schema_differences(*texts)
    if found:
        return [f"{what}: {one}" for one in found]
    mine, theirs = (" or ".join(str(Input.from_wire(one)) for one in side[:_ALTERNATIVES]) for side in (here, there))
    return [f"{what}: {shortened(mine)} here and {shortened(theirs)} there"]


class _Side:
    """The schema of one side, with the types that it defines."""

    def __init__(self, text: str) -> None:
        self.schema = _read(text)
        self.named: dict[str, _Schema] = {}
        """By full name."""
        self._steps = 0
        self._collect(self.schema, "", 0)
        self.name = self.full_name(self.schema, "") or self.kind(self.schema, "")

    def kind(self, schema: _Schema, namespace: str) -> str:
        """Return what kind of type it is, such as `record`, `union` or `int`."""
        schema = self.resolved(schema, namespace)[0]
        if isinstance(schema, list):
            return "union"
        if isinstance(schema, dict):
            return str(schema.get("type"))
        return str(schema)

    def resolved(self, schema: _Schema, namespace: str) -> tuple[_Schema, str]:
        """Return a type, where its name may stand for it, and the namespace of what is in it."""
        for _ in range(limits.NESTING_DEPTH):
            if isinstance(schema, str) and (full := _full_name(schema, namespace)) in self.named:
                return self.named[full], full.rpartition(".")[0]
            # `{"type": {"type": "array", …}}` is the same as what is in it.
            if isinstance(schema, dict) and not isinstance(inner := schema.get("type"), str) and inner is not None:
                schema = inner
                continue
            break
        if full := self.full_name(schema, namespace):
            namespace = full.rpartition(".")[0]
        return schema, namespace

    def full_name(self, schema: _Schema, namespace: str) -> str:
        """Return the name of a named type, with its namespace; of others, nothing."""
        if not isinstance(schema, dict) or schema.get("type") not in _NAMED:
            return ""
        return _full_name(str(schema.get("name")), str(schema.get("namespace", namespace) or ""))

    def shown(self, schema: _Schema, namespace: str, depth: int = 0) -> str:
        """Return a type in few words."""
        schema, namespace = self.resolved(schema, namespace)
        kind = self.kind(schema, namespace)
        if depth > 2:
            return kind
        if isinstance(schema, list):
            return " or ".join(self.shown(branch, namespace, depth + 1) for branch in schema[:_ALTERNATIVES])
        if isinstance(schema, dict):
            if full := self.full_name(schema, namespace):
                return f"{kind} {full}"
            for content in ("items", "values"):
                if content in schema:
                    return f"{kind} of {self.shown(schema[content], namespace, depth + 1)}"
        return kind

    def _collect(self, schema: _Schema, namespace: str, depth: int) -> None:
        self._steps += 1
        if self._steps > _STEPS or depth > limits.NESTING_DEPTH:
            return
        if isinstance(schema, list):
            for branch in schema:
                self._collect(branch, namespace, depth + 1)
        elif isinstance(schema, dict):
            if full := self.full_name(schema, namespace):
                self.named.setdefault(full, schema)
                namespace = full.rpartition(".")[0]
            for content in ("type", "items", "values"):
                self._collect(schema.get(content), namespace, depth + 1)
            for one in _fields(schema).values():
                self._collect(one.get("type"), namespace, depth + 1)


class _Comparison:
    """Compares two schemas, and notes as many differences as are told."""

    def __init__(self, here: _Side, there: _Side) -> None:
        self._here = here
        self._there = there
        self._found: list[str] = []
        self._steps = 0
        self._compared: set[tuple[str, str]] = set()
        """Pairs of named types: a type may contain itself."""

    def differences(self) -> tuple[str, ...]:
        """Return the differences."""
        self._compare("", self._here.schema, self._there.schema, "", "", 0)
        if not self._found:
            return (f"the schemas called {shortened(self._here.name)} differ in what is not told here",)
        if len(self._found) > _MOST:
            return (*self._found[:_MOST], "and more")
        return tuple(self._found)

    def _compare(self, path: str, here: _Schema, there: _Schema, mine: str, theirs: str, depth: int) -> None:
        self._steps += 1
        if self._steps > _STEPS or depth > limits.NESTING_DEPTH or len(self._found) > _MOST:
            return
        here, mine = self._here.resolved(here, mine)
        there, theirs = self._there.resolved(there, theirs)
        kind = self._here.kind(here, mine)
        names = self._here.full_name(here, mine), self._there.full_name(there, theirs)
        if kind != self._there.kind(there, theirs):
            self._note(path, "is", self._here.shown(here, mine), self._there.shown(there, theirs))
            return
        if names[0] != names[1]:
            self._note(path, "is called", *names)
        if names[0]:
            if names in self._compared:
                return
            self._compared.add(names)
        if isinstance(here, list) and isinstance(there, list):
            self._compare_unions(path, here, there, mine, theirs, depth)
        elif isinstance(here, dict) or isinstance(there, dict):
            one: dict[str, _Schema] = here if isinstance(here, dict) else {}
            other: dict[str, _Schema] = there if isinstance(there, dict) else {}
            self._compare_attributes(path, one, other)
            for content, sign in (("items", "[]"), ("values", "{}")):
                if content in one or content in other:
                    self._compare(path + sign, one.get(content), other.get(content), mine, theirs, depth + 1)
            self._compare_fields(path, _fields(one), _fields(other), mine, theirs, depth)

    def _compare_unions(
        self, path: str, here: list[_Schema], there: list[_Schema], mine: str, theirs: str, depth: int
    ) -> None:
        shown = self._here.shown(here, mine), self._there.shown(there, theirs)
        if shown[0] != shown[1] or len(here) != len(there):
            self._note(path, "is", *shown)
            return
        for branch, other in zip(here, there, strict=True):
            self._compare(path, branch, other, mine, theirs, depth + 1)

    def _compare_attributes(self, path: str, here: dict[str, _Schema], there: dict[str, _Schema]) -> None:
        logical = here.get("logicalType"), there.get("logicalType")
        if logical[0] != logical[1]:
            self._note(path, "has logical type", *(one or "none" for one in logical))
        elif logical[0] is not None:
            for name in ("precision", "scale"):
                if here.get(name) != there.get(name):
                    self._note(path, f"has {name}", here.get(name, 0), there.get(name, 0))
        if here.get("size") != there.get("size"):
            self._note(path, "has size", here.get("size"), there.get("size"))
        symbols = _texts(here.get("symbols")), _texts(there.get("symbols"))
        self._compare_names(path, "symbol", *symbols)

    def _compare_fields(
        self,
        path: str,
        here: dict[str, dict[str, _Schema]],
        there: dict[str, dict[str, _Schema]],
        mine: str,
        theirs: str,
        depth: int,
    ) -> None:
        self._compare_names(path, "field", list(here), list(there))
        for name, one in here.items():
            if name in there:
                inner = f"{path}.{name}" if path else name
                self._compare(inner, one.get("type"), there[name].get("type"), mine, theirs, depth + 1)

    def _compare_names(self, path: str, what: str, here: Sequence[str], there: Sequence[str]) -> None:
        """Tell which fields or symbols one side alone has, or that they are in another order."""
        among = f" of {shortened(path)}" if path else ""
        sets = set(here), set(there)
        for names, others, where in ((here, sets[1], "there"), (there, sets[0], "here")):
            for name in names:
                if name not in others and len(self._found) <= _MOST:
                    self._found.append(f"{what} {shortened(name)}{among} is missing {where}")
        if sets[0] == sets[1] and list(here) != list(there):
            first, other = next((one, other) for one, other in zip(here, there, strict=False) if one != other)
            self._found.append(
                f"the {what}s{among} are in another order: {shortened(first)} here where {shortened(other)} is there"
            )

    def _note(self, path: str, verb: str, here: object, there: object) -> None:
        self._found.append(_sentence(path, verb, here, there))


def _sentence(path: str, verb: str, here: object, there: object) -> str:
    return f"{_subject(path)} {verb} {shortened(here)} here and {shortened(there)} there"


def _subject(path: str) -> str:
    return f"field {shortened(path)}" if path else "the schema"


def _read(text: str) -> _Schema:
    import json  # which those do not need whose schemas are equal

    if len(text) > limits.SCHEMA_BYTES:
        return None
    try:
        schema: _Schema = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return schema


def _full_name(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _fields(schema: dict[str, _Schema]) -> dict[str, dict[str, _Schema]]:
    """Return the fields of a record by name."""
    fields = schema.get("fields")
    listed = fields if isinstance(fields, list) else []
    return {str(one.get("name")): one for one in listed if isinstance(one, dict)}


def _texts(listed: _Schema) -> list[str]:
    """Return the texts of a list, each once."""
    return [*dict.fromkeys(map(str, listed))] if isinstance(listed, list) else []


def closeness(one: str, other: str) -> float:
    """Return how alike two names are; the namespace counts less than what follows it."""
    if one == other:
        return 3
    short, other_short = short_name(one), short_name(other)
    if short == other_short:
        return 2
    from difflib import SequenceMatcher

    return SequenceMatcher(None, short[:_NAME], other_short[:_NAME]).ratio()
