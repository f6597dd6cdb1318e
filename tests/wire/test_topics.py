"""Topics are built, parsed and matched; what would break out of its level is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from orbitalis_avro.errors import TopicError
from orbitalis_wire import channels, topics
from orbitalis_wire.limits import IDENTIFIER_BYTES

CLASSES: list[Any] = [getattr(topics, name) for name in topics.__all__ if name.endswith("Topic")]
every_class = pytest.mark.parametrize("topic_class", CLASSES)
PLACEHOLDER = "-"

LEVELS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/+#"), min_size=1, max_size=IDENTIFIER_BYTES // 4
).filter(lambda level: level != PLACEHOLDER)


def parameters(topic_class: Any) -> dict[str, bool]:
    """Return the names of the parameters, and whether each may be unknown."""
    return {field.name: field.type == "str | None" for field in dataclasses.fields(topic_class)}


def arguments(topic_class: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {name: st.none() | LEVELS if optional else LEVELS for name, optional in parameters(topic_class).items()}
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, dict[str, Any]]:
    topic_class = draw(st.sampled_from(CLASSES))
    return topic_class, draw(arguments(topic_class))


WITH_PARAMETER = [(topic_class, name) for topic_class in CLASSES for name in parameters(topic_class)]
every_parameter = pytest.mark.parametrize(
    ("topic_class", "name"), WITH_PARAMETER, ids=[f"{one.__name__}-{name}" for one, name in WITH_PARAMETER]
)


def with_value(topic_class: Any, name: str, value: Any) -> dict[str, Any]:
    return {**dict.fromkeys(parameters(topic_class), "x"), name: value}


def test_there_is_a_class_for_each_channel() -> None:
    assert sorted(one.ADDRESS for one in CLASSES) == sorted(one.address for one in channels.CHANNELS.values())


@given(cases())
def test_what_is_built_is_parsed(case: tuple[Any, dict[str, Any]]) -> None:
    topic_class, values = case

    topic = topic_class.build(**values)

    parsed = topic_class.parse(topic)
    assert parsed == topic_class(**values)
    assert str(parsed) == topic
    levels = topic_class.ADDRESS.split("/")
    assert len(topic.split("/")) == len(levels)
    for level, part in zip(levels, topic.split("/"), strict=True):
        if level.startswith("{"):
            value = values[level[1:-1]]
            assert part == (PLACEHOLDER if value is None else value)
        else:
            assert part == level


@given(cases())
def test_levels_that_are_good_are_joined_to_the_same_topic(case: tuple[Any, dict[str, Any]]) -> None:
    topic_class, values = case
    names = [level[1:-1] for level in topic_class.ADDRESS.split("/") if level.startswith("{")]

    joined = topic_class.join(*(PLACEHOLDER if values[name] is None else values[name] for name in names))

    assert joined == topic_class.build(**values)


@given(cases(), st.data())
def test_filters_match_what_they_are_for(case: tuple[Any, dict[str, Any]], data: st.DataObject) -> None:
    topic_class, values = case
    topic = topic_class.build(**values)
    known = {name: value for name, value in values.items() if value is not None}
    given_names = data.draw(st.sets(st.sampled_from(sorted(known)))) if known else set()

    assert topic_matches_sub(topic_class.filter(**{name: known[name] for name in given_names}), topic)
    for name in given_names:
        other = {key: known[key] for key in given_names} | {name: known[name] + "x"}
        assert not topic_matches_sub(topic_class.filter(**other), topic)


@given(cases(), cases())
def test_topics_of_another_channel_are_refused(case: tuple[Any, dict[str, Any]], other: tuple[Any, Any]) -> None:
    topic_class, values = case
    other_class, _ = other
    topic = topic_class.build(**values)
    if other_class is topic_class:
        return
    assert not topic_matches_sub(other_class.filter(), topic)
    with pytest.raises(TopicError, match="expected a topic of the form") as caught:
        other_class.parse(topic)
    assert (caught.value.parameter, caught.value.value) == ("topic", topic)
    assert other_class.ADDRESS in str(caught.value)


@every_class
def test_what_is_no_topic_of_the_channel_is_refused(topic_class: Any) -> None:
    topic = topic_class.build(**dict.fromkeys(parameters(topic_class), "x"))

    for foreign in (
        "",
        "/",
        topic + "/",
        "/" + topic,
        topic.upper(),
        topic + "/x",
        topic.rpartition("/")[0],
        "x/" + topic,
    ):
        with pytest.raises(TopicError) as caught:
            topic_class.parse(foreign)
        assert (caught.value.parameter, caught.value.value) == ("topic", foreign)


TROUBLE: dict[str, str] = {
    "": "it is empty",
    "a/b": "it contains /",
    "/": "it contains /",
    "+": "it contains +",
    "a+": "it contains +",
    "#": "it contains #",
    "a#b": "it contains #",
    "\x00": "it contains U+0000",
    "a\n": "it contains U+000A",
    "\x1f": "it contains U+001F",
    "\x7f": "it contains U+007F",
    "\x9f": "it contains U+009F",
    "\ud800": "it contains U+D800",
    "\ufdd0": "it contains U+FDD0",
    "a\uffff": "it contains U+FFFF",
    "\U0010fffe": "it contains U+10FFFE",
    "x" * (IDENTIFIER_BYTES + 1): f"it is {IDENTIFIER_BYTES + 1} bytes long, {IDENTIFIER_BYTES} are allowed",
    "é" * (IDENTIFIER_BYTES // 2 + 1): f"it is {IDENTIFIER_BYTES // 2 * 2 + 2} bytes long",
}


@every_parameter
@pytest.mark.parametrize("value", TROUBLE, ids=ascii)
def test_what_would_break_out_of_its_level_is_refused(topic_class: Any, name: str, value: str) -> None:
    values = with_value(topic_class, name, value)
    for refuse in (topic_class.build, topic_class.filter, lambda **values: str(topic_class(**values))):
        with pytest.raises(TopicError) as caught:
            refuse(**values)
        assert (caught.value.parameter, caught.value.value) == (name, value)
        assert TROUBLE[value] in caught.value.reason
        assert str(caught.value).startswith(f"{name} ")
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", TROUBLE, ids=ascii)
def test_a_level_can_be_checked_alone(value: str) -> None:
    with pytest.raises(TopicError) as caught:
        topics.check_level("name", value)
    assert (caught.value.parameter, caught.value.value) == ("name", value)
    assert TROUBLE[value] in caught.value.reason


@given(LEVELS)
def test_a_level_that_is_good_is_returned(value: str) -> None:
    assert topics.check_level("name", value) == value


@every_parameter
@pytest.mark.parametrize("value", [value for value in TROUBLE if "/" not in value], ids=ascii)
def test_levels_that_could_not_have_been_built_are_not_parsed(topic_class: Any, name: str, value: str) -> None:
    levels = [
        (value if level == f"{{{name}}}" else "x") if level.startswith("{") else level
        for level in topic_class.ADDRESS.split("/")
    ]
    with pytest.raises(TopicError) as caught:
        topic_class.parse("/".join(levels))
    assert (caught.value.parameter, caught.value.value) == (name, value)


@every_parameter
def test_the_placeholder_stands_for_what_is_not_known(topic_class: Any, name: str) -> None:
    if parameters(topic_class)[name]:
        topic = topic_class.build(**with_value(topic_class, name, None))
        assert PLACEHOLDER in topic.split("/")
        assert getattr(topic_class.parse(topic), name) is None
        # An orbiter of that name could not be told from one that is not known.
        with pytest.raises(TopicError, match="it stands for one that is not known") as caught:
            topic_class.build(**with_value(topic_class, name, PLACEHOLDER))
        assert (caught.value.parameter, caught.value.value) == (name, PLACEHOLDER)
    else:
        assert topic_class.build(**with_value(topic_class, name, PLACEHOLDER))


def test_the_longest_identifier_is_allowed() -> None:
    longest = "x" * IDENTIFIER_BYTES
    topic = topics.ReplyTopic.build(core_identifier=longest, plugin_identifier=longest)

    assert topics.ReplyTopic.parse(topic).core_identifier == longest


def test_only_known_parameters_are_taken() -> None:
    for function in (topics.ReplyTopic.build, topics.ReplyTopic.filter, topics.ReplyTopic):
        with pytest.raises(TypeError):
            function(core_identifier="a", plugin_identifier="b", other="c")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        topics.ReplyTopic.build("a", "b")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        topics.ReplyTopic.join(core_identifier="a", plugin_identifier="b")  # type: ignore[call-arg]


def test_topics_are_values() -> None:
    topic = topics.OfferTopic(core_identifier="core", plugin_identifier=None)

    assert topic == topics.OfferTopic.parse("orbitalis/core/-/offer")
    assert len({topic, topics.OfferTopic.parse(str(topic))}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        topic.core_identifier = "other"  # type: ignore[misc]
