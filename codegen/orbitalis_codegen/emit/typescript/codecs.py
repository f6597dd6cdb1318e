"""The module `codecs`: the codec of every record, put together from the codec plan, and the table of messages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from orbitalis_avro.plan import ArrayStep, EnumStep, MapStep, Plan, RecordPlan, RecordStep, ScalarStep, Step, UnionStep
from orbitalis_avro.types import Array, AvroType, Enumeration, LogicalType, Map, NamedType, Record, Reference, Union
from orbitalis_codegen.emit.typescript import environment, text
from orbitalis_codegen.emit.typescript.messages import message_types
from orbitalis_codegen.emit.typescript.types import Types
from orbitalis_codegen.model import Message, Model

__all__ = ["CodecView", "Maker", "codec_views", "emit_codecs", "names_in", "support_in"]

_SCALARS = {
    "null": "nullType",
    "boolean": "boolean",
    "int": "int",
    "float": "float",
    "double": "double",
    "bytes": "bytes",
    "string": "string",
    "date": "date",
    "time-millis": "timeMillis",
    "time-micros": "timeMicros",
    "timestamp-millis": "timestampMillis",
    "timestamp-micros": "timestampMicros",
    "local-timestamp-millis": "localTimestampMillis",
    "local-timestamp-micros": "localTimestampMicros",
    "uuid": "uuid",
    "fixed-uuid": "fixedUuid",
    "big-decimal": "bigDecimal",
    "duration": "duration",
    "dataclasses-avroschema-timedelta": "timedelta",
}
"""By name of the step what `typescript/src/support` has for it."""
_SUPPORT = (
    *(*_SCALARS.values(), "array", "bigLong", "decimal", "enumeration", "field", "fixed", "lazy", "long", "map"),
    *("nullable", "record", "union", "MessageCodec"),
)
_RANKS = {
    **dict.fromkeys(("null", "boolean"), 0),
    **dict.fromkeys(("string", "float", "double"), 3),
    **dict.fromkeys(("long", "bytes", "date", "time-millis", "time-micros", "dataclasses-avroschema-timedelta"), 2),
}
"""By name of the step when it is tried in a union: what is more special comes first, as everything else does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecView:
    """The codec of a record or an enumeration."""

    comment: str
    source: str


def emit_codecs(model: Model) -> str:
    """Emit the codecs of all records and the table of messages."""
    types = Types.of(model)
    maker = Maker(types, Plan(model.types))
    codecs = codec_views(types.named.values(), maker)
    messages = [_message(message, types) for message in model.messages.values() if message.record is not None]
    used = names_in("\n".join([*(view.source for view in codecs), *messages]))
    type_names = [types.type_names[one.name] for one in types.named.values() if isinstance(one, Enumeration | Record)]
    functions = [types.function_names[name] for name in types.named if types.function_names[name] in used]
    return environment.render(
        "codecs.ts.jinja2",
        codecs=codecs,
        messages=messages,
        message_types=message_types(model, types),
        support=text.imported(
            "import",
            [*support_in(used), *([] if messages else ["type MessageCodec"])],
            "../../typescript/src/support/index.js",
        ),
        completing=text.imported("import", [name for name in functions if name in maker.completing], "./messages.js"),
        types=text.imported("import type", [*type_names, "MessageType", "MessageTypes"], "./messages.js"),
        uses_depth="NESTING_DEPTH" in used,
    )


def codec_views(named: Collection[NamedType], maker: Maker) -> list[CodecView]:
    """Make the codec of each record and enumeration."""
    later = [
        CodecView(comment=text.comment(f"The same as `{codec}`, before that is made."), source=source)
        for codec, source in maker.recursive(named)
    ]
    return later + [
        CodecView(
            comment=text.comment(f"Writes and reads the values of `{maker.types.type_names[one.name]}`."),
            source=maker.record(one) if isinstance(one, Record) else maker.enumeration(one),
        )
        for one in named
        if isinstance(one, Enumeration | Record)
    ]


def names_in(source: str) -> set[str]:
    """Return the names in some source, without what is quoted in it and what properties are called."""
    return set(re.findall(r"\b\w+\b(?!:)", re.sub(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", "", source)))


def support_in(used: Collection[str]) -> list[str]:
    """Return what is to be imported of `typescript/src/support`, of some names."""
    types = ("Codec", "Decimal", "Duration", "RecordCodec")
    return [*(name for name in _SUPPORT if name in used), *(f"type {name}" for name in types if name in used)]


def _message(message: Message, types: Types) -> str:
    message_type = message.name or message.key
    codec = types.codec_names[message.record or ""]
    options = [text.literal(one) for one in (message.payload_format, message.payload_layout) if one]
    return text.bracketed(
        f"{message_type}: new MessageCodec(", [f"SCHEMAS.{message_type}", codec, *options], "),", indent=2
    )


class Maker:
    """Writes the source of codecs."""

    def __init__(self, types: Types, plan: Plan) -> None:
        self.types = types
        self._plan = plan
        self._of_protocol = False
        self.completing: set[str] = set()
        """The functions that fill in what an older version lacks."""

    def recursive(self, named: Iterable[NamedType]) -> Iterator[tuple[str, str]]:
        """Yield the codec of each record that contains itself, and the statement by which others refer to it."""
        for one in named:
            if isinstance(one, Record) and (plan := self._plan.records[one.name]).is_recursive:
                codec, type_name = self.types.codec_names[one.name], self.types.type_names[one.name]
                yield codec, f"const {_later(codec)}: Codec<{type_name}> = lazy(() => {codec}, {plan.minimum});"

    def enumeration(self, enumeration: Enumeration) -> str:
        """Return the statement that makes the codec of an enumeration."""
        name = self.types.type_names[enumeration.name]
        opening = f"export const {self.types.codec_names[enumeration.name]}: Codec<{name}> = enumeration("
        symbols = text.bracketed("[", map(text.literal, enumeration.symbols), "]", indent=2)
        return text.bracketed(opening, [text.literal(name), symbols], ");")

    def record(self, record: Record) -> str:
        """Return the statement that makes the codec of a record."""
        plan = self._plan.records[record.name]
        self._of_protocol = record.name in self.types.of_protocol
        fields: list[str] = []
        for field, step in zip(self.types.fields(record), plan.fields, strict=True):
            codec = self._codec(field.field.type, step.step)
            fields.append(
                text.bracketed(f"{field.name}: field(", [text.literal(field.field.name), codec], ")", indent=4)
            )
        name = self.types.type_names[record.name]
        options = f"{{ {', '.join(self._options(record, plan))} }}"
        opening = f"export const {self.types.codec_names[record.name]}: RecordCodec<{name}> = record("
        if not fields:
            return text.bracketed(opening, [text.literal(name), "{}", options], ");")
        listed = "".join(f"\n    {one}," for one in fields)
        return text.bracketed(opening, [text.literal(name), f"{{{listed}\n  }}", options], ");", broken=True)

    def _options(self, record: Record, plan: RecordPlan) -> list[str]:
        options = [f"minimum: {plan.minimum}"]
        if len(plan.lengths) > 1:
            function = self.types.function_names[record.name]
            self.completing.add(function)
            options.append(f"complete: {function}")
        if plan.is_recursive:
            options.append("deepest: NESTING_DEPTH")
        if record.name in self.types.errors:
            options.append(f"class: {self.types.type_names[record.name]}")
        if record.name in self.types.tagged:
            options.append(f"tag: {text.literal(self.types.type_names[record.name])}")
        return options

    def _codec(self, type_: AvroType, step: Step) -> str:
        match type_, step:
            case _, ScalarStep():
                return self._scalar(step)
            case Reference(name=name), EnumStep():
                return self.types.codec_names[name]
            case Reference(name=name), RecordStep():
                codec = self.types.codec_names[name]
                return _later(codec) if self._plan.records[name].is_recursive else codec
            case Array(items=inner), ArrayStep(items=items):
                return f"array({self._codec(inner, items)})"
            case Map(values=inner), MapStep(values=values):
                return f"map({self._codec(inner, values)})"
            case Union(branches=types), UnionStep(branches=steps):
                return self._union(type_, types, step, steps)
            case LogicalType(underlying=underlying), _:
                return self._codec(underlying, step)
            case _:
                raise ValueError(f"{type_} has no codec in TypeScript")

    def _union(self, type_: Union, types: tuple[AvroType, ...], step: UnionStep, steps: tuple[Step, ...]) -> str:
        branches = [self._codec(*pair) for pair in zip(types, steps, strict=True)]
        null_index = step.null_index
        if null_index is not None:
            return f"nullable({branches[1 - null_index]}{', 1' if null_index else ''})"
        ranks = [_RANKS.get(one.name, 1) if isinstance(one, ScalarStep) else 1 for one in steps]
        tests = sorted(range(len(steps)), key=lambda index: (ranks[index], index))
        annotation = self.types.annotation(type_, of_protocol=self._of_protocol)
        arguments = (f"[{', '.join(branches)}]", f"[{', '.join(map(str, tests))}]", text.literal(annotation))
        return f"union<{annotation}>({', '.join(arguments)})"

    def _scalar(self, step: ScalarStep) -> str:
        match step.name:
            case "long":
                return "long" if self._of_protocol else "bigLong"
            case "fixed":
                return f"fixed({step.size})"
            case "decimal":
                size = f", {step.size}" if step.underlying == "fixed" else ""
                return f"decimal({step.precision}, {step.scale}{size})"
            case name:
                return _SCALARS[name]


def _later(codec: str) -> str:
    return f"{codec}Later"
