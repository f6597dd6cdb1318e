"""The modules `plugin`, `client` and `fake` of a contract: what they have for each operation."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_avro.types import Fixed
from orbitalis_codegen.contract.model import ContractMessage, ContractOperation
from orbitalis_codegen.emit.contract_names import described, first_line, title_of
from orbitalis_codegen.emit.contract_python.named import Named
from orbitalis_codegen.emit.python import environment, text
from orbitalis_codegen.emit.python.messages import names_in

__all__ = ["emit_client", "emit_fake", "emit_package", "emit_plugin"]

_MOST_OUTPUTS = 4
"""So many types `orbitalis.output` tells type checkers about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OperationView:
    """An operation."""

    attribute: str
    docstring: str
    """Of a method of the plugin."""
    words: str
    """A docstring without what is of the plugin alone."""
    is_called: bool
    arguments: tuple[str, ...]
    """Of the decorator, or of what declares an output."""
    declared: str
    """The annotation of an output of many types, or nothing."""
    input: str
    """What it takes; `None` for an empty event."""
    output: str
    """What it gives; `None` for nothing."""
    answers: bool
    """Whether there is something to wait for."""
    sender: str
    sender_docstring: str
    canned: str


def emit_plugin(named: Named) -> str:
    """Emit the class that plugins derive from."""
    views = _views(named)
    called = any(view.is_called for view in views)
    outputs = [view for view in views if not view.is_called]
    few, many = (any(bool(view.declared) is is_many for view in outputs) for is_many in (False, True))
    imports = {
        "abc": ["abstractmethod"] if called else [],
        "dataclasses": ["dataclass"],
        "typing": ["ClassVar"] if many else [],
    }
    own = {
        "orbitalis": ["Plugin", *(["output"] if few else [])],
        "orbitalis.contract": [
            *(["contract_operation"] if called else []),
            *(["DeclaredOutput", "one_of"] if many else []),
        ],
        ".messages": _used(named, is_plugin=True),
    }
    about = named.contract.description.strip() or f"Provides {title_of(named.contract)}."
    return environment.render(
        "contract_plugin.py.jinja2",
        docstring=text.docstring(
            f"What provides {title_of(named.contract)}: derive a class, and write its methods.", indent=0
        ),
        imports=_imports(imports),
        own_imports=_imports({name: one for name, one in own.items() if name != ".messages"}),
        messages=_imports({".messages": own[".messages"]}),
        class_name=named.plugin,
        class_docstring=text.docstring(about, indent=4),
        operations=views,
    )


def emit_client(named: Named) -> str:
    """Emit the class by which cores call the operations."""
    views = _views(named)
    kinds = {_kind(view) for view in views}
    return environment.render(
        "contract_client.py.jinja2",
        docstring=text.docstring(f"How cores use {title_of(named.contract)}.", indent=0),
        imports=text.import_from("orbitalis.contract", ["ContractClient", *kinds]),
        plugin=named.plugin,
        class_name=named.client,
        class_docstring=text.docstring(
            f"The operations of {title_of(named.contract)}, for a core: `{named.client}(core, minimum=1)`.", indent=4
        ),
        operations=[(view.attribute, _kind(view), view.words) for view in views],
    )


def emit_fake(named: Named) -> str:
    """Emit the plugin for tests that answers as it is told."""
    views = [view for view in _views(named) if view.is_called]
    kinds = {_canned(view) for view in views}
    return environment.render(
        "contract_fake.py.jinja2",
        docstring=text.docstring(
            f"A stand-in for plugins that provide {title_of(named.contract)}, in tests.", indent=0
        ),
        fields=["field"] if views else [],
        contract=[text.import_from("orbitalis.contract", kinds)] if kinds else [],
        messages=_imports({".messages": _used(named, is_plugin=False)}),
        plugin=named.plugin,
        class_name=named.fake,
        class_docstring=text.docstring(
            f"Answers as it is told, such as by `fake.{views[0].canned}.returns(…)`, and notes what it was asked."
            if views
            else "Sends what it is told to.",
            indent=4,
        ),
        operations=[(view, _generic(view)) for view in views],
    )


def emit_package(named: Named) -> str:
    """Emit the module of the package itself."""
    classes = [
        name for one, name in named.types.class_names.items() if one in named.types.named and not _is_fixed(named, one)
    ]
    classes += named.unions
    modules = {".client": [named.client], ".fake": [named.fake], ".messages": classes, ".plugin": [named.plugin]}
    return environment.render(
        "contract_package.py.jinja2",
        docstring=text.docstring(
            "\n\n".join(filter(None, [f"{title_of(named.contract)}.", named.contract.description.strip()])), indent=0
        ),
        imports=_imports(modules),
        exported=text.sorted_names([name for listed in modules.values() for name in listed]),
    )


def _views(named: Named) -> list[_OperationView]:
    return [_view(operation, named) for operation in named.contract.operations.values()]


def _view(operation: ContractOperation, named: Named) -> _OperationView:
    attribute = named.attributes[operation.key]
    outputs, errors = named.python_types(operation.outputs), named.by_type(operation.errors)
    taken, given = named.union(operation.inputs), named.union(operation.outputs)
    words = described(operation) or f"The operation {operation.key}."
    raised = "\n".join(f"May raise :class:`{name}`{_because(message)}" for name, message in errors.items())
    arguments = [f"name={text.literal(operation.key)}"] if attribute != operation.key else []
    declared = ""
    if operation.has_input:
        if errors:
            arguments.append(f"errors={text.tuple_of(errors)}")
    else:
        arguments = [*outputs, *arguments, f"doc={text.literal(words)}"]
        if len(outputs) > _MOST_OUTPUTS:
            declared = f": ClassVar[DeclaredOutput[{given}]]"
    return _OperationView(
        attribute=attribute,
        docstring=text.docstring("\n\n".join(filter(None, [words, raised])), indent=8),
        words=text.docstring(words, indent=4),
        is_called=operation.has_input,
        arguments=tuple(arguments),
        declared=declared,
        input=taken,
        output=given,
        answers=bool(outputs or errors),
        sender=named.senders[operation.key],
        sender_docstring=text.docstring(
            f"Send an output of `{attribute}`; return how many cores it went to.", indent=8
        ),
        canned=named.canned[operation.key],
    )


def _because(error: ContractMessage) -> str:
    first = first_line(error)
    return f": {first}" if first else "."


def _kind(view: _OperationView) -> str:
    if not view.is_called:
        return "Outputs"
    return "Call" if view.answers else "Execution"


def _canned(view: _OperationView) -> str:
    return "Noted" if view.output == "None" else "Canned"


def _generic(view: _OperationView) -> str:
    return f"Noted[{view.input}]" if view.output == "None" else f"Canned[{view.input}, {view.output}]"


def _used(named: Named, *, is_plugin: bool) -> list[str]:
    """What the class of plugins, or of fakes, needs of the messages."""
    used: set[str] = set()
    for one in named.contract.operations.values():
        if is_plugin or one.has_input:
            used |= names_in(named.union(one.inputs), named.union(one.outputs))
        if is_plugin:
            used |= {*named.python_types(one.errors), *([] if one.has_input else named.python_types(one.outputs))}
    return [name for name in (*named.types.class_names.values(), *named.unions) if name in used]


def _is_fixed(named: Named, name: str) -> bool:
    return isinstance(named.types.named[name], Fixed)


def _imports(modules: dict[str, list[str]]) -> list[str]:
    return [text.import_from(module, imported) for module, imported in modules.items() if imported]
