"""What the docstrings say, as Markdown: of classes, functions and modules, and of the hooks of orbiters."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import griffe

__all__ = ["attributes", "describe", "describe_hooks"]

_ROOT = Path(__file__).resolve().parents[2]
_ROLE = re.compile(r":[a-z]+:`~?([^`]+)`")
#: Members that every orbiter has stand on a page of their own, and not again at cores and plugins.
_ORBITER = "orbitalis.orbiter.orbiter.Orbiter"
_OF_EVERY_ORBITER = (f"{_ORBITER}.", "orbitalis.orbiter.hooks.OrbiterHooks.")
_HOOK_MARK = "default"
_STARS = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}
#: Where hooks stand, with the class whose page they are on.
_ROLES = {"Every orbiter": "orbitalis.Orbiter", "Core": "orbitalis.Core", "Plugin": "orbitalis.Plugin"}


@cache
def _package(name: str) -> griffe.Module:
    folders = [_ROOT, _ROOT / "generated" / "python", _ROOT / "avro"]
    loaded = griffe.load(name, search_paths=folders, resolve_aliases=True, resolve_external=True)
    assert isinstance(loaded, griffe.Module)
    return loaded


def _object(path: str) -> griffe.Object:
    package, _, rest = path.partition(".")
    try:
        found = _package(package)[rest] if rest else _package(package)
        return found.final_target if isinstance(found, griffe.Alias) else found
    except (KeyError, griffe.AliasResolutionError):
        raise LookupError(f"{package} has no {rest}") from None


def describe(path: str) -> str:
    """Return what can be known of a class, function or value: how it is called, what it does, what it has.

    Raises:
        LookupError: There is no such thing.
    """
    found = _object(path)
    parts = [f"## `{path.rpartition('.')[2]}` {{ #{path} }}", *_call(found, path), *_text(found)]
    if isinstance(found, griffe.Class):
        if found.path != _ORBITER and any(base.path == _ORBITER for base in found.mro()):
            parts.append("It also has what [every orbiter](orbiter.md) has.")
        values, methods = _members(found)
        if values:
            rows = [f"| `{name}` | {_type(one)} | {_cell(_summary(one))} |" for name, one in values.items()]
            parts.append("\n".join(["| attribute | type | what it is |", "| --- | --- | --- |", *rows]))
        for name, method in methods.items():
            parts += [f"### `{name}` {{ #{path}.{name} }}", *_call(method, name), *_text(method)]
    return "\n\n".join(parts)


def describe_hooks(_: str = "") -> str:
    """Return a table of the hooks for each role, with when each of them is called."""
    seen: set[str] = set()
    parts: list[str] = []
    for title, path in _ROLES.items():
        owner = _object(path)
        assert isinstance(owner, griffe.Class)
        hooks = {name: one for name, one in owner.all_members.items() if _is_hook(one) and name not in seen}
        seen |= set(hooks)
        parts.append(f"## {title}")
        for name, one in sorted(hooks.items(), key=_rank):
            target = one.final_target if isinstance(one, griffe.Alias) else one
            parts += [f"### `{name}` {{ #{name} }}", *_call(target, name), *_text(target)]
    return "\n\n".join(parts)


def attributes(path: str) -> dict[str, tuple[griffe.Attribute, str]]:
    """Return the public attributes of a class that have a docstring, by name, with what that says in one line."""
    owner = _object(path)
    assert isinstance(owner, griffe.Class)
    return {name: (one, _cell(_summary(one))) for name, one in _members(owner)[0].items()}


def _summary(found: griffe.Object) -> str:
    """Return the first paragraph of a docstring in one line."""
    text = found.docstring.value if found.docstring else ""
    return _plain(" ".join(text.split("\n\n")[0].split()))


def _rank(hook: tuple[str, object]) -> tuple[bool, bool, str]:
    """Return where a hook stands: those that are called, what the loop does, and last the topics."""
    name = hook[0]
    return name.startswith("_build_"), not name.startswith("_"), name


def _is_hook(one: griffe.Object | griffe.Alias) -> bool:
    target = one.final_target if isinstance(one, griffe.Alias) else one
    return isinstance(target, griffe.Function) and any(
        str(decorator.value) == _HOOK_MARK for decorator in target.decorators
    )


def _members(owner: griffe.Class) -> tuple[dict[str, griffe.Attribute], dict[str, griffe.Function]]:
    """Return the public attributes and methods with a docstring, inherited ones, too, by name."""
    values: dict[str, griffe.Attribute] = {}
    methods: dict[str, griffe.Function] = {}
    for name, one in sorted(owner.all_members.items()):
        target = one.final_target if isinstance(one, griffe.Alias) else one
        of_every_orbiter = target.path.startswith(_OF_EVERY_ORBITER) and owner.path != _ORBITER
        if name.startswith("_") or not target.has_docstring or of_every_orbiter:
            continue
        if isinstance(target, griffe.Attribute):
            values[name] = target
        elif isinstance(target, griffe.Function):
            methods[name] = target
    return values, methods


def _call(found: griffe.Object, name: str) -> list[str]:
    """Return how something is called, as a code block."""
    if not isinstance(found, griffe.Function):
        return []
    prefix = "async def " if "async" in found.labels else "def "
    given = [parameter for parameter in found.parameters if parameter.name not in ("self", "cls")]
    returned = f" -> {found.returns}" if found.returns is not None else ""
    written = _parameters(given)
    line = f"{prefix}{name.rpartition('.')[2]}({', '.join(written)}){returned}"
    if len(line) > 88:
        line = "\n".join([f"{prefix}{name.rpartition('.')[2]}(", *(f"    {one}," for one in written), f"){returned}"])
    return [f"```python\n{line}\n```"]


def _parameters(given: list[griffe.Parameter]) -> list[str]:
    written: list[str] = []
    positional = [one for one in given if one.kind is griffe.ParameterKind.positional_only]
    is_keyword_only = False
    for parameter in given:
        kind = parameter.kind
        if kind is griffe.ParameterKind.var_positional:
            is_keyword_only = True
        elif kind is griffe.ParameterKind.keyword_only and not is_keyword_only:
            written.append("*")
            is_keyword_only = True
        star = "" if kind is None else _STARS.get(kind, "")
        text = f"{star}{parameter.name}" + (f": {parameter.annotation}" if parameter.annotation is not None else "")
        if parameter.default is not None and not star:
            text += f" = {parameter.default}"
        written.append(text)
        if positional and parameter is positional[-1]:
            written.append("/")
    return written


def _text(found: griffe.Object) -> list[str]:
    """Return what a docstring says, as paragraphs."""
    parts: list[str] = []
    if found.docstring is None:
        return parts
    for section in found.docstring.parse("google", warnings=False):
        match section:
            case griffe.DocstringSectionText():
                parts.append(_plain(section.value))
            case griffe.DocstringSectionParameters():
                parts.append("\n".join(["**Arguments**", "", *map(_item, section.value)]))
            case griffe.DocstringSectionRaises():
                rows = [f"- `{one.annotation}`: {_plain(_line(one.description))}" for one in section.value]
                parts.append("\n".join(["**Raises**", "", *rows]))
            case griffe.DocstringSectionExamples():
                parts += [str(text) for _, text in section.value]
            case griffe.DocstringSectionReturns():
                parts.append("**Returns** " + " ".join(_plain(_line(one.description)) for one in section.value))
            case griffe.DocstringSectionAdmonition():
                parts.append(f"**{section.title}** {_plain(_line(section.value.description))}")
            case _:
                raise LookupError(f"{found.path} has a section of kind {section.kind.value}")
    return parts


def _item(one: griffe.DocstringParameter) -> str:
    return f"- `{one.name}`: {_plain(_line(one.description))}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _plain(text: str) -> str:
    """Return text without roles, and with what Markdown would take for tags shown as it is."""
    return re.sub(r"(?<!`)<(?=[a-z/])", "&lt;", _ROLE.sub(r"`\1`", text))


def _type(one: griffe.Attribute) -> str:
    return f"`{one.annotation}`" if one.annotation is not None else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
