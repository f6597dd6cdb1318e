"""YAML that every reader takes for the same values, whichever version of YAML it follows."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from orbitalis_codegen.read.node import JsonValue

__all__ = ["yaml_text"]

_WIDTH: Final = 120
_CORE_SCHEMA: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|true|True|TRUE|false|False|FALSE|null|Null|NULL|~"
)
"""What YAML 1.2 reads as something else than a text; the rules of 1.1, which PyYAML follows, know some of it not."""


class _Dumper(yaml.SafeDumper):
    """Writes each value out wherever it stands, and lines of a text as lines."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def text(self, value: str) -> yaml.ScalarNode:
        style = "|" if "\n" in value else "'" if _CORE_SCHEMA.fullmatch(value) else None
        return yaml.ScalarNode("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _Dumper.text)


def yaml_text(value: JsonValue) -> str:
    """The value as YAML, keys in their order; the same value always gives the same text."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH)
