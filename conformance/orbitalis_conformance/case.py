"""Cases as they stand in YAML files: read, checked, and multiplied by what each is to be run with."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from orbitalis_conformance.errors import CaseError
from orbitalis_conformance.features import unknown_feature
from orbitalis_conformance.patterns import TAGS, Pattern
from orbitalis_conformance.plain import is_list, is_mapping

__all__ = ["Case", "load_cases"]

_KEYS: Final = frozenset({"case", "about", "requirements", "needs", "subject", "peers", "steps", "each", "limit"})
_REQUIREMENT: Final = re.compile(r"ORB-[A-Z]{2}-[0-9]{2}")
_PARAMETER: Final = re.compile(r"<(\w+(?:\.\w+)?)>")
_USUAL_LIMIT: Final = 30.0
_CASES: Final = Path(__file__).with_name("cases")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case."""

    name: str
    about: str
    requirements: tuple[str, ...]
    needs: frozenset[str]
    """The features without which it cannot be run: those that it names, the subject's role, and `avro` where sent."""
    subject: Mapping[str, Any]
    """What the subject is configured to be."""
    peers: Mapping[str, Any]
    """Whom the tester plays, by name."""
    steps: tuple[Mapping[str, Any], ...]
    limit: float
    """Seconds after which it is given up."""
    place: str
    """The file and line where it stands."""


class _Loader(yaml.SafeLoader):
    """Reads YAML with the tags of patterns, and notes the line of each mapping with a `case`."""


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    made = loader.construct_mapping(node, deep=True)
    if "case" in made:
        made["(line)"] = node.start_mark.line + 1
    return made


def _construct_pattern(loader: _Loader, tag: str, node: yaml.Node) -> Pattern:
    if isinstance(node, yaml.ScalarNode):
        argument: Any = yaml.safe_load(str(node.value)) if tag not in ("matches",) else node.value
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        argument = loader.construct_mapping(node, deep=True)
    else:
        argument = None
    if tag not in TAGS:
        raise CaseError(f"line {node.start_mark.line + 1}: there is no !{tag}; there are {', '.join(TAGS)}")
    return Pattern(tag, argument)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)
_untyped: Any = _Loader  # the stub of the next one says nothing of the node
_untyped.add_multi_constructor("!", _construct_pattern)


def load_cases(folder: Path = _CASES) -> list[Case]:
    """Return all cases of a folder, in order.

    Raises:
        CaseError: One is not written as it has to be; the text says where.
    """
    cases = [case for path in sorted(folder.glob("*.yaml")) for case in _cases_of(path)]
    names = [case.name for case in cases]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CaseError(f"two cases have the name {twice[0]!r}")
    return cases


def _cases_of(path: Path) -> Iterator[Case]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except yaml.YAMLError as error:
        raise CaseError(f"{path.name}: {error}") from None
    if not is_mapping(content) or not is_list(content.get("cases")):
        raise CaseError(f"{path.name}: expected a mapping with the list `cases`")
    for given in content["cases"]:
        if not is_mapping(given) or "case" not in given:
            raise CaseError(f"{path.name}: expected a mapping with `case`, the name, got {str(given)[:100]}")
        place = f"{path.name}:{given['(line)']}"
        yield from _multiplied({key: value for key, value in given.items() if key != "(line)"}, path.stem, place)


def _multiplied(given: dict[str, Any], group: str, place: str) -> Iterator[Case]:
    """Yield a case for each combination of what stands in `each`."""
    parameters: Mapping[str, Any] = given.pop("each", {})
    for values in itertools.product(*parameters.values()):
        chosen: dict[str, Any] = {}
        for key, value in zip(parameters, values, strict=True):
            chosen[key] = value
            if is_mapping(parameters[key]):  # what belongs to a value: `<message.value>`
                chosen |= {f"{key}.{inner}": one for inner, one in parameters[key][value].items()}
        name = _filled(given["case"], chosen, place)
        unnamed = [f"{key} {chosen[key]}" for key in parameters if f"<{key}" not in given["case"]]
        full = f"{group}: {name}" + (f" ({', '.join(unnamed)})" if unnamed else "")
        yield _checked({**_filled(given, chosen, place), "case": full}, place)


def _filled(content: Any, values: Mapping[str, Any], place: str) -> Any:
    """Put what a case is run with in the place of `<name>`."""
    if isinstance(content, str):
        whole = _PARAMETER.fullmatch(content)
        if whole is not None and whole[1] in values:
            return values[whole[1]]
        return _PARAMETER.sub(lambda found: str(values[found[1]]) if found[1] in values else found[0], content)
    if isinstance(content, Pattern):
        return Pattern(content.tag, _filled(content.argument, values, place))
    if is_mapping(content):
        return {_filled(key, values, place): _filled(one, values, place) for key, one in content.items()}
    if is_list(content):
        return [_filled(one, values, place) for one in content]
    return content


def _checked(given: Mapping[str, Any], place: str) -> Case:
    if unknown := sorted(given.keys() - _KEYS):
        raise CaseError(f"{place}: a case has no {unknown[0]!r}; it has {', '.join(sorted(_KEYS))}")
    for name in ("requirements", "steps"):
        if not is_list(given.get(name)) or not given[name]:
            raise CaseError(f"{place}: expected `{name}`, a list with something in it")
    requirements = tuple(given["requirements"])
    for one in requirements:
        if not isinstance(one, str) or _REQUIREMENT.fullmatch(one) is None:
            raise CaseError(f"{place}: expected ids of requirements such as ORB-HS-01, got {one!r}")
    subject = given.get("subject", "plugin")
    role = subject if isinstance(subject, str) else subject.get("role")
    if wrong := unknown_feature(given.get("needs", ())):
        raise CaseError(f"{place}: needs: {wrong}")
    peers = _peers(given.get("peers"), role, place)
    steps = tuple(_step(one, place) for one in given["steps"])
    has_avro = any(one.get("encoding") == "avro" for one in (*peers.values(), *_all_steps(steps)))
    return Case(
        name=given["case"],
        about=given.get("about", ""),
        requirements=requirements,
        needs=frozenset([role, *given.get("needs", ()), *(["avro"] if has_avro else [])]),
        subject={"role": subject} if isinstance(subject, str) else subject,
        peers=peers,
        steps=steps,
        limit=float(given.get("limit", _USUAL_LIMIT)),
        place=place,
    )


def _peers(given: Any, role: Any, place: str) -> Mapping[str, Any]:
    if role not in ("core", "plugin"):
        raise CaseError(f"{place}: expected the subject to be a core or a plugin, got {role!r}")
    other = "plugin" if role == "core" else "core"
    if given is None:
        return {other: {}}
    if is_list(given):
        return {str(name): {} for name in given}
    if not is_mapping(given):
        raise CaseError(f"{place}: expected peers by name, got {given!r}")
    return {str(name): one or {} for name, one in given.items()}


def _step(given: Any, place: str) -> Mapping[str, Any]:
    if isinstance(given, str):
        return {given: None}
    if not is_mapping(given) or not given:
        raise CaseError(f"{place}: expected a step, got {given!r}")
    if "steps" in given:
        return {**given, "steps": tuple(_step(one, place) for one in given["steps"])}
    return given


def _all_steps(steps: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield steps, and those that are repeated within them."""
    for step in steps:
        yield step
        yield from _all_steps(step.get("steps", ()))
