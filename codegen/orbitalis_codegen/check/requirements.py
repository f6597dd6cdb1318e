"""Requirements: the sentences of the document that carry an id, such as `[ORB-HS-03]`, and the areas of these."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from orbitalis_codegen.check import shapes
from orbitalis_codegen.check.entries import entries
from orbitalis_codegen.check.shape import Checker, View
from orbitalis_codegen.diagnostic import Position, Report, did_you_mean, shown
from orbitalis_codegen.model import Area, Requirement
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode
from orbitalis_codegen.rules import Rule

__all__ = ["read_areas", "read_requirements"]

_LIKE_AN_ID = re.compile(r"\[?\bORB-[\w-]*\]?", re.IGNORECASE)
_ID = re.compile(r"\[(ORB-([A-Z]{2})-[0-9]{2})\]")
_BLOCKS = re.compile(r"\n[ \t]*\n|\n[ \t]*(?=- )")
"""What parts a text into paragraphs and items of lists: what a requirement says ends there at the latest."""
_TEXTS = ("summary", "description")


def read_areas(checker: Checker, settings: View) -> dict[str, tuple[Area, Position]]:
    """The areas, in the order of the document, each with its place."""
    return {
        key: (Area(name=key, description=view.description()), position)
        for key, position, view in entries(checker, settings.get("areas"), shapes.AREAS, shapes.AREA)
    }


def read_requirements(
    report: Report, root: Node, areas: Mapping[str, tuple[Area, Position]]
) -> tuple[Requirement, ...]:
    """The requirements of all texts below `root`, in their order."""
    found: dict[str, tuple[Requirement, Position]] = {}
    is_whole = True
    for text, position, place in _texts(root):
        for mark, sentence in _sentences(text):
            match = _ID.fullmatch(mark)
            if match is None:
                is_whole = False
                report.add(
                    Rule.REQUIREMENT_ID, position, f"{shown(mark)} is no id of a requirement", "like [ORB-HS-03]"
                )
                continue
            identifier, area = match.groups()
            if area not in areas:
                is_whole = False
                message = f"the requirement {identifier} is of no area in 'x-orbitalis.areas'"
                report.add(Rule.REQUIREMENT_ID, position, message, did_you_mean(area, areas))
            elif not sentence:
                message = f"nothing follows the id {identifier}"
                report.add(Rule.REQUIREMENT_ID, position, message, "an id stands before its sentence")
            requirement = Requirement(identifier=identifier, area=area, text=sentence, place=place)
            other, other_position = found.setdefault(identifier, (requirement, position))
            if other is not requirement:
                message = f"the requirement {identifier} stands at {other_position} already"
                report.add(Rule.REPEATED_REQUIREMENT, position, message, "an id is never given to another one")
    used = {requirement.area for requirement, _ in found.values()}
    for name, (_, position) in areas.items():
        if is_whole and name not in used:
            report.add(Rule.UNUSED_AREA, position, f"no requirement is of the area {shown(name)}")
    return tuple(requirement for requirement, _ in found.values())


def _texts(root: Node) -> Iterator[tuple[str, Position, str]]:
    """Every text that may hold requirements, with its position and the keys that lead to its object."""
    seen: set[int] = set()
    pending: list[tuple[Node, tuple[str, ...]]] = [(root, ())]
    while pending:
        node, path = pending.pop()
        if id(node) in seen:
            # What an alias stands for is read where it is defined.
            continue
        seen.add(id(node))
        match node:
            case ObjectNode(members):
                for key in _TEXTS:
                    member = members.get(key)
                    if isinstance(member, ScalarNode) and isinstance(member.value, str):
                        yield member.value, member.position, ".".join(path)
                pending.extend((member, (*path, key)) for key, member in reversed(tuple(members.items())))
            case ListNode(items):
                pending.extend((item, (*path, str(index))) for index, item in reversed(tuple(enumerate(items))))
            case ScalarNode():
                pass


def _sentences(text: str) -> Iterator[tuple[str, str]]:
    """Everything in a text that looks like an id, with what follows until the next one or the end of the block."""
    for block in _BLOCKS.split(text):
        marks = list(_LIKE_AN_ID.finditer(block))
        for index, mark in enumerate(marks):
            end = marks[index + 1].start() if index + 1 < len(marks) else len(block)
            yield mark.group(), " ".join(block[mark.end() : end].split())
