"""The part of a model that an emitted file depends on: its emitter gets nothing else, so the digest says all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from orbitalis_avro.types import NamedType, Record
from orbitalis_codegen.emit.header import digest_of
from orbitalis_codegen.model import Message, Model

__all__ = ["digest_of_part", "part_of"]

T = TypeVar("T", bound=Any)

_EMPTY: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("title", "version", "description"), ""),
    **{
        name: {}
        for name in (
            *("servers", "channels", "operations", "messages", "types", "timings", "limits", "state_charts", "areas"),
            "inputs",
        )
    },
    "requirements": (),
    "notes": (),
}


def part_of(model: Model, needs: Iterable[str]) -> Model:
    """The model with nothing but what a file `needs`: names of its attributes, some of them with a way of reading them.

    `channels.bare` and `types.bare` are without descriptions, `channels.own` is without those of parameters,
    `operations.summary` has summaries and `messages.bare` neither schemas nor texts; of the envelope no text is kept,
    and of state charts none about transitions.
    """
    kept: dict[str, Any] = {}
    for need in needs:
        name, _, way = need.partition(".")
        value = getattr(model, name)
        match name, way:
            case "channels", "bare" | "own":
                value = {
                    key: replace(
                        one if way == "own" else _bare(one), parameters=tuple(_bare(each) for each in one.parameters)
                    )
                    for key, one in model.channels.items()
                }
            case "state_charts", _:
                value = {
                    key: replace(one, transitions=tuple(_bare(each) for each in one.transitions))
                    for key, one in model.state_charts.items()
                }
            case "operations", _:
                summaries = way == "summary"
                value = {
                    key: replace(one, description="", summary=one.summary if summaries else "")
                    for key, one in model.operations.items()
                }
            case "envelope", _:
                value = replace(_message(model.envelope, with_schema=True), schema=None)
            case "types", "bare":
                value = {key: _bare_type(one) for key, one in model.types.items()}
            case "messages", _:
                value = {key: _message(one, with_schema=way != "bare") for key, one in model.messages.items()}
            case _:
                pass
        kept[name] = value
    return replace(model, **{**_EMPTY, "envelope": _message(model.envelope, with_schema=False), **kept})


def digest_of_part(part: Model) -> str:
    """The digest of a part of a model."""
    return digest_of(part)


def _bare(thing: T) -> T:
    return replace(thing, description="")


def _bare_type(named: NamedType) -> NamedType:
    if isinstance(named, Record):
        return replace(named, description="", fields=tuple(_bare(field) for field in named.fields))
    return _bare(named)


def _message(message: Message, *, with_schema: bool) -> Message:
    versions = tuple(replace(one, schema="", canonical_form="") for one in message.versions)
    bare = replace(message, title="", summary="", description="", versions=versions)
    return bare if with_schema else replace(bare, schema=None, canonical_form=None, fingerprint=None)
