"""Classes of topics: what addresses may hold is in them as it is, and no parameter hides what they use."""

from __future__ import annotations

import importlib
import re
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from orbitalis_codegen import read_specification
from orbitalis_codegen.emit.python.topics import emit_topics
from orbitalis_codegen.model import Channel, Parameter
from tests.codegen.broken.cases import LAMPS
from tests.codegen.zoo import emitted_package

USED = [
    "check_level",
    "check",
    "cls",
    "join",
    "parts",
    "re",
    "topic",
    "level",
    "build",
    "filter",
    "parse",
    "str",
    "self",
]
"""Every one of them is the name of a parameter."""


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Give the topics of channels whose addresses are hard to write."""
    folder = tmp_path_factory.mktemp("topics")
    model = read_specification(LAMPS)
    some = next(iter(model.channels.values()))

    def channel(key: str, address: str, unknown: str | None = None) -> Channel:
        names = sorted(re.findall(r"{(.*?)}", address))
        parameters = tuple(Parameter(name=name, description="", unknown=unknown) for name in names)
        return replace(some, key=key, address=address, parameters=parameters)

    channels = [
        channel("names", "/".join(f"{{{name}}}" for name in ["first", *USED])),
        channel("unknown", "/".join(["first", *(f"{{{name}}}" for name in USED)]), unknown="?"),
        channel("marks", "it's \"so\"/a\\b/%s/{x}/'''"),
        channel("plain", 'it\'s "so"/a\\b'),
    ]
    emitted_package(LAMPS, folder, "marked_wire")
    source = emit_topics(replace(model, channels={one.key: one for one in channels}))
    (folder / "marked_wire" / "marked_topics.py").write_text(source)
    return importlib.import_module("marked_wire.marked_topics")


def test_no_parameter_hides_what_is_used(topics: ModuleType) -> None:
    values = [f"<{name}>" for name in USED]
    for topic_class, first in ((topics.NamesTopic, ["x"]), (topics.UnknownTopic, [])):
        joined = topic_class.join(*first, *values)

        assert joined == "/".join([*(first or ["first"]), *values])
        assert str(topic_class.parse(joined)) == joined


def test_levels_are_joined_in_the_order_of_the_address(topics: ModuleType) -> None:
    named: dict[str, Any] = {name: f"<{name}>" for name in ["check", "level", "topic"]}

    topic = topics.UnknownTopic.parse(topics.UnknownTopic.join(*(named.get(name, "?") for name in USED)))

    assert (topic.check, topic.level, topic.topic_) == ("<check>", "<level>", "<topic>")
    assert topic.build_ is None


def test_marks_stand_for_themselves(topics: ModuleType) -> None:
    assert topics.MarksTopic.join("{x}") == topics.MarksTopic.build(x="{x}") == "it's \"so\"/a\\b/%s/{x}/'''"
    assert topics.PlainTopic.join() == topics.PlainTopic.build() == 'it\'s "so"/a\\b'
