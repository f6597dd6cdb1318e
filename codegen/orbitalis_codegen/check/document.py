"""The document as a whole: all its parts, read one after the other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orbitalis_codegen.check import shapes
from orbitalis_codegen.check.channels import ChannelDraft, read_channels
from orbitalis_codegen.check.entries import entries
from orbitalis_codegen.check.messages import MessageDraft, Payload, read_messages, read_payload
from orbitalis_codegen.check.operations import Binding, read_binding, read_operations
from orbitalis_codegen.check.requirements import read_areas, read_requirements
from orbitalis_codegen.check.settings import read_limits, read_timings
from orbitalis_codegen.check.shape import Checker, Shape, View, view_of
from orbitalis_codegen.check.states import read_state_charts
from orbitalis_codegen.check.unread import check_unread
from orbitalis_codegen.diagnostic import Report, shown
from orbitalis_codegen.model import Area, Limit, Operation, Requirement, Server, StateChart, Timing
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode
from orbitalis_codegen.read.reference import DATA_KEYS, is_reference
from orbitalis_codegen.rules import Rule

__all__ = ["DocumentDraft", "check_version", "read_document"]

_UNDERSTOOD = re.compile(r"3\.[01]\.[0-9]+")
_THREE_NUMBERS = re.compile(r"(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDraft:
    """All that the document says without a look into schema files."""

    title: str
    version: str
    description: str
    servers: dict[str, Server]
    timings: dict[str, Timing]
    limits: dict[str, Limit]
    state_charts: dict[str, StateChart]
    areas: dict[str, Area]
    requirements: tuple[Requirement, ...]
    messages: dict[str, MessageDraft]
    envelope: Payload | None
    channels: dict[str, ChannelDraft]
    operations: dict[str, Operation]
    bindings: dict[str, Binding]
    """By channel; each has one unless something is wrong."""


def read_document(checker: Checker, root: Node, document: str) -> DocumentDraft | None:
    """Read the tree of the file `document`; `None` if it makes no sense to look at its parts."""
    view = _root(checker, root)
    if view is None:
        return None
    _check_references(checker, root)
    check_unread(checker, view)
    info = _part(checker, view, "info", shapes.INFO)
    settings = _part(checker, view, "x-orbitalis", shapes.SETTINGS)
    components = _part(checker, view, "components", shapes.COMPONENTS)
    messages = None if components is None else _part(checker, components, "messages", shapes.MESSAGES)
    drafts = {} if messages is None else read_messages(checker, messages, document)
    if components is not None:
        _check_components(checker, components)
    areas = {} if settings is None else read_areas(checker, settings)
    limits = {} if settings is None else read_limits(checker, settings)
    channels = read_channels(checker, view.get("channels"), drafts, limits, document)
    operations, bindings = read_operations(checker, view.get("operations"), channels, document)
    envelope = None if settings is None else settings.get("envelope")
    return DocumentDraft(
        title="" if info is None else info.text("title"),
        version="" if info is None else _version(checker, info),
        description="" if info is None else info.text("description"),
        servers=_read_servers(checker, view.get("servers")),
        timings={} if settings is None else read_timings(checker, settings),
        limits=limits,
        state_charts={} if settings is None else read_state_charts(checker, settings),
        areas={key: area for key, (area, _) in areas.items()},
        requirements=read_requirements(checker.report, root, areas),
        messages=drafts,
        envelope=None if envelope is None else read_payload(checker, envelope),
        channels=channels,
        operations=operations,
        bindings=bindings,
    )


def check_version(report: Report, root: Node, understood: re.Pattern[str] = _UNDERSTOOD) -> bool:
    """Whether the document `root` follows a version of AsyncAPI that is `understood`; reported if it does not."""
    node = root.members.get("asyncapi") if isinstance(root, ObjectNode) else None
    if not isinstance(node, ScalarNode) or understood.fullmatch(str(node.value)):
        return True
    hint = "put it in quotes" if isinstance(node.value, float) else "3.0.x and 3.1.x are understood"
    message = f"the document follows AsyncAPI {shown(node.value)}"
    if str(node.value).startswith("2."):
        message = f"AsyncAPI 2 is not supported: {message}"
        hint = "convert it to 3.0.0, as the converter of AsyncAPI does: npx @asyncapi/cli convert"
    report.add(Rule.ASYNCAPI_VERSION, node.position, message, hint)
    return False


def _root(checker: Checker, root: Node) -> View | None:
    """The document, if it is one of a version that is understood; of another one every line would be wrong."""
    view = view_of(root, shapes.DOCUMENT, checker.report) if check_version(checker.report, root) else None
    if view is not None:
        view.optional_text("asyncapi")
        view.optional_text("defaultContentType")
    return view


def _part(checker: Checker, view: View, key: str, shape: Shape) -> View | None:
    node = view.get(key)
    return None if node is None else view_of(node, shape, checker.report)


def _version(checker: Checker, info: View) -> str:
    version = info.optional_text("version")
    if version is not None and not _THREE_NUMBERS.fullmatch(version):
        message = f"the version of the protocol is {shown(version)}"
        checker.report.add(Rule.INFO_VERSION, info.position_of("version"), message, "like 1.0.0")
    return version or ""


def _read_servers(checker: Checker, node: Node | None) -> dict[str, Server]:
    return {
        key: Server(
            key=key, host=view.text("host"), protocol=view.text("protocol"), description=view.text("description")
        )
        for key, _, view in entries(checker, node, shapes.SERVERS, shapes.SERVER)
    }


def _check_components(checker: Checker, components: View) -> None:
    """Look at components that nobody refers to; those that somebody does are looked at there as well."""
    for _ in entries(checker, components.get("parameters"), shapes.PARAMETERS, shapes.PARAMETER):
        pass
    bindings = components.get("operationBindings")
    for _, _, view in entries(checker, bindings, shapes.MESSAGES, shapes.OPERATION_BINDINGS):
        read_binding(checker, view)


def _check_references(checker: Checker, root: Node) -> None:
    """Follow every reference, those in parts that nothing else reads among them."""
    seen: set[int] = set()
    pending = [root]
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        match node:
            case ObjectNode(members):
                if is_reference(node):
                    checker.resolver.follow(node)
                pending.extend(member for key, member in members.items() if key not in DATA_KEYS)
            case ListNode(items):
                pending.extend(items)
            case _:
                pass
