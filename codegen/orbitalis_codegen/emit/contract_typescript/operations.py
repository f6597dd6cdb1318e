"""The modules `operations`, `plugin`, `client` and `fake` of a contract: what they have for each operation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from orbitalis_codegen.contract.model import ContractMessage, ContractOperation, PlainType
from orbitalis_codegen.emit.contract_names import described, first_line, title_of
from orbitalis_codegen.emit.contract_typescript.named import Named
from orbitalis_codegen.emit.typescript import environment, text

__all__ = ["emit_client", "emit_fake", "emit_index", "emit_operations", "emit_plugin"]

_PLAIN_SETS: Final[dict[PlainType, str]] = {"string": "text", "bytes": "bytes", "long": "int64", "double": "float64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _OperationView:
    """An operation."""

    attribute: str
    comment: str
    """Of a member of a class or an object."""
    is_called: bool
    declaration: str
    """The statement that declares it, as a property."""
    signature: str
    """Of the method of the plugin."""
    registration: str
    """The statement that has the method called."""
    sender: str
    """The head of what sends outputs, and its comment."""
    sender_comment: str
    client: str
    """The property of the client."""
    kind: str
    """What makes that property."""
    canned: str
    """The property of the fake."""
    answer: str
    """The head of the method of the fake."""
    answered: str
    """What that method returns."""


def emit_operations(named: Named) -> str:
    """Emit what cores and plugins declare of each operation."""
    views = list(_views(named))
    used = set(re.findall(r"\w+(?=[,()])", "\n".join(view.declaration for view in views)))
    sets = ("bytes", "empty", "float64", "int64", "message", "nothing", "oneOf", "text")
    has_messages = any("CODECS." in view.declaration for view in views)
    return environment.render(
        "contract_operations.ts.jinja2",
        comment=text.comment(f"The operations of {title_of(named.contract)}, as cores and plugins declare them."),
        imports=[
            text.imported(
                "import", ["defineOperation", *(one for one in sets if one in used)] if views else [], "@orbitalis/sdk"
            ),
            text.imported("import", ["CODECS"] if has_messages else [], "./codecs.js"),
        ],
        name=named.operations,
        title=text.comment(f"The operations of {title_of(named.contract)}."),
        operations=views,
    )


def emit_plugin(named: Named) -> str:
    """Emit the class that plugins derive from."""
    views = list(_views(named))
    about = named.contract.description.strip() or f"Provides {title_of(named.contract)}."
    return environment.render(
        "contract_plugin.ts.jinja2",
        comment=text.comment(f"What provides {title_of(named.contract)}: derive a class, and write its methods."),
        imports=_imports(
            {
                "@orbitalis/sdk": ["Plugin", "type OrbiterOptions", "type Request"],
                "@orbitalis/sdk/contract": ["type Answer", "type Done"],
            },
            ["Plugin", *(f"OrbiterOptions {view.signature if view.is_called else view.sender}" for view in views)],
            named,
        ),
        own=text.imported("import", [named.operations] if views else [], "./operations.js"),
        name=named.operations,
        class_name=named.plugin,
        class_comment=text.comment(about),
        operations=views,
    )


def emit_client(named: Named) -> str:
    """Emit the class by which cores call the operations."""
    views = list(_views(named))
    about = f"The operations of {title_of(named.contract)}, for a core: `new {named.client}(core, {{ minimum: 1 }})`."
    kinds = {view.kind for view in views}
    return environment.render(
        "contract_client.ts.jinja2",
        comment=text.comment(f"How cores use {title_of(named.contract)}."),
        contract=text.imported("import", ["ContractClient", *kinds], "@orbitalis/sdk/contract"),
        own=text.imported("import", [named.operations], "./operations.js"),
        name=named.operations,
        class_name=named.client,
        class_comment=text.comment(about),
        operations=views,
    )


def emit_fake(named: Named) -> str:
    """Emit the plugin for tests that answers as it is told."""
    views = [view for view in _views(named) if view.is_called]
    about = (
        f"Answers as it is told, such as by `fake.{_first_canned(named)}.returns(…)`, and notes what it was asked."
        if views
        else "Sends what it is told to."
    )
    return environment.render(
        "contract_fake.ts.jinja2",
        comment=text.comment(f"A stand-in for plugins that provide {title_of(named.contract)}, in tests."),
        imports=_imports(
            {"@orbitalis/sdk/contract": ["Canned", "Noted"]},
            [f"{view.canned} {view.answer}" for view in views],
            named,
        ),
        plugin=text.imported("import", [named.plugin], "./plugin.js"),
        plugin_name=named.plugin,
        class_name=named.fake,
        class_comment=text.comment(about),
        operations=views,
    )


def emit_index(named: Named) -> str:
    """Emit the module of the package itself."""
    words = "\n\n".join(filter(None, [f"{title_of(named.contract)}.", named.contract.description.strip()]))
    return environment.render(
        "contract_index.ts.jinja2",
        comment=text.comment(words),
        modules={
            "client": named.client,
            "codecs": "CODECS",
            "fake": named.fake,
            "operations": named.operations,
            "plugin": named.plugin,
        },
    )


def _views(named: Named) -> Iterator[_OperationView]:
    for operation in named.contract.operations.values():
        yield _view(operation, named)


def _view(operation: ContractOperation, named: Named) -> _OperationView:
    attribute = named.attributes[operation.key]
    declared = f"{named.operations}.{attribute}"
    taken = named.union(operation.inputs) or ("undefined" if operation.has_input else "never")
    given = named.union(operation.outputs) or "never"
    kind = _kind(operation.has_input, bool(operation.outputs or operation.errors))
    words = described(operation) or f"The operation {operation.key}."
    thrown = [f"May throw `{name}`{_because(message)}" for name, message in named.by_type(operation.errors).items()]
    request = f"request: Request<{taken}, {given}>"
    method = [f"message: {taken}", request] if operation.inputs else [request]
    result = f"Promise<{given if operation.outputs else 'undefined'}>"
    return _OperationView(
        attribute=attribute,
        comment=text.comment("\n\n".join([words, *thrown]), indent=2),
        is_called=operation.has_input,
        declaration=_declaration(operation, attribute, words, named),
        signature=text.bracketed(
            f"abstract {attribute}(", method, f"): {f'Answer<{given}>' if operation.outputs else 'Done'};", indent=2
        ),
        registration=_registration(operation, declared, attribute),
        sender=text.bracketed(
            f"{named.senders[operation.key]}(",
            [f"value: {given}", "options: { readonly core?: string } = {}"],
            "): Promise<number> {",
            indent=2,
        ),
        sender_comment=text.comment(
            f"Send an output of `{attribute}` to every core, or to one; returns how many that were.", indent=2
        ),
        client=text.bracketed(f"readonly {attribute} = {kind}(", ["this.core", declared], ");", indent=2),
        kind=kind,
        canned=_canned(named.canned[operation.key], taken, given if operation.outputs else ""),
        answer=text.bracketed(
            f"override {attribute}(", [f"message: {taken}"] if operation.inputs else [], f"): {result} {{", indent=2
        ),
        answered=f"this.{named.canned[operation.key]}.answer({'message' if operation.inputs else 'undefined'})",
    )


def _declaration(operation: ContractOperation, attribute: str, words: str, named: Named) -> str:
    parts = [
        f"name: {text.literal(operation.key)},",
        _set("input", operation.inputs, "empty" if operation.has_input else "nothing", named),
        _set("output", operation.outputs, "nothing", named),
    ]
    if operation.errors:
        parts.append(_set("errors", operation.errors, "nothing", named))
    parts.append(text.assigned("documentation:", f"{text.literal(words)},", indent=4))
    return f"{attribute}: defineOperation({{" + "".join(f"\n    {one}" for one in parts) + "\n  }),"


def _set(key: str, messages: tuple[ContractMessage, ...], otherwise: str, named: Named) -> str:
    """Write a property with the set of payloads that some messages are."""
    sets = dict.fromkeys(
        f"message(CODECS.{named.types.type_names[one.payload]})"
        if one.payload is not None
        else _PLAIN_SETS[one.plain or "string"]
        for one in messages
    )
    if len(sets) < 2:
        return f"{key}: {''.join(sets) or otherwise},"
    return text.bracketed(f"{key}: oneOf(", sets, "),", indent=4)


def _canned(name: str, taken: str, given: str) -> str:
    """Write the property that has the canned answers of an operation, or notes what comes if it gives nothing."""
    if not given:
        return f"readonly {name} = new Noted<{taken}>();"
    line = f"readonly {name} = new Canned<{taken}, {given}>();"
    if 2 + len(line) <= text.LINE_LENGTH:
        return line
    return f"readonly {name} = new Canned<\n    {taken},\n    {given}\n  >();"


def _registration(operation: ContractOperation, declared: str, attribute: str) -> str:
    if not operation.has_input:
        return f"this.operation({declared}, null);"
    called = f"this.{attribute}({'request.value, request' if operation.inputs else 'request'})"
    line = f"this.operation({declared}, (request) => {called});"
    if 4 + len(line) <= text.LINE_LENGTH:
        return line
    return f"this.operation({declared}, (request) =>\n      {called},\n    );"


def _kind(is_called: bool, answers: bool) -> str:
    if not is_called:
        return "outputs"
    return "call" if answers else "execution"


def _first_canned(named: Named) -> str:
    return next(named.canned[key] for key, one in named.contract.operations.items() if one.has_input)


def _because(error: ContractMessage) -> str:
    first = first_line(error)
    return f": {first}" if first else "."


def _imports(modules: dict[str, list[str]], sources: Iterable[str], named: Named) -> list[str]:
    """Import what some sources use: of packages, and of the messages."""
    used = set(re.findall(r"\w+", " ".join(sources)))
    lines: list[str] = []
    for module, offered in modules.items():
        wanted = [one for one in offered if one.removeprefix("type ") in used]
        lines.append(_imported(wanted, module))
    types = [name for name in (*named.types.type_names.values(), *named.unions) if name in used]
    lines.append(text.imported("import type", types, "./messages.js"))
    return [*filter(None, lines)]


def _imported(names: list[str], module: str) -> str:
    """Import names; types alone by a statement of their own kind."""
    if all(one.startswith("type ") for one in names):
        return text.imported("import type", [one.removeprefix("type ") for one in names], module)
    return text.imported("import", names, module)
