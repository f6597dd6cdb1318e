"""Messages of users, made of the values that were read: by a function for each class, worked out once.

dacite, which does that for dataclasses-avroschema, looks at the annotations anew for every value, which takes ten times
as long as reading it. It is left to do what is rare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, make_dataclass
from enum import Enum
from functools import partial
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, TypeGuard, Union, cast, get_args, get_origin, get_type_hints

from dacite import Config, from_dict

__all__ = ["Build", "builder_of"]

Build: TypeAlias = Callable[[Any], Any]

_AS_READ: Final = (bool, int, float, str)


def builder_of(record_class: type[Any], config: Config) -> Build:
    """Return what makes an object of a dataclass of the values of its fields, as dacite does with this `config`."""
    if not all(field.init for field in fields(record_class)):
        return partial(from_dict, record_class, config=config)
    hints = get_type_hints(record_class)
    builders = {field.name: _value_builder(hints[field.name], config) for field in fields(record_class)}
    return partial(_record, record_class, builders)


def _value_builder(annotation: Any, config: Config) -> Build | None:
    """Return what makes a value of what was read, or `None` if that is it already."""
    # dacite does not say of which type its hooks are.
    hooks = cast("dict[Any, Build]", config.type_hooks)  # pyright: ignore[reportUnknownMemberType]
    if annotation in hooks:
        return hooks[annotation]
    if annotation in _AS_READ:
        return None
    origin: Any = get_origin(annotation)
    arguments = get_args(annotation)
    if origin is None and _is_class(annotation):
        if issubclass(annotation, Enum):
            return annotation
        if is_dataclass(annotation):
            return builder_of(annotation, config)
    if origin in (Union, UnionType) and len(arguments) == 2 and arguments[1] is NoneType:
        return _of_each(_optional, arguments[0], config)
    if origin is list:
        return _of_each(_list, arguments[0], config)
    if origin is dict:
        return _of_each(_dict, arguments[1], config)
    return partial(_by_dacite, make_dataclass("Holder", [("value", annotation)]), config)


def _is_class(annotation: object) -> TypeGuard[type[Any]]:
    return isinstance(annotation, type)


def _of_each(build: Callable[[Build, Any], Any], annotation: Any, config: Config) -> Build | None:
    inner = _value_builder(annotation, config)
    return None if inner is None else partial(build, inner)


def _record(record_class: type[Any], builders: Mapping[str, Build | None], values: Mapping[str, Any]) -> Any:
    return record_class(
        **{
            name: values[name] if build is None else build(values[name])
            for name, build in builders.items()
            if name in values
        }
    )


def _by_dacite(holder: type[Any], config: Config, value: Any) -> Any:
    return from_dict(holder, {"value": value}, config).value


def _optional(build: Build, value: Any) -> Any:
    return None if value is None else build(value)


def _list(build: Build, values: list[Any]) -> list[Any]:
    # Each is let go of when it has been used: to free a million at once would keep other threads waiting.
    values.reverse()
    return [build(values.pop()) for _ in range(len(values))]


def _dict(build: Build, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: build(value) for key, value in values.items()}
