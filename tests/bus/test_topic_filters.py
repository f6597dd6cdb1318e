"""Topic filters: which topics they match, and what is kept of them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orbitalis.bus.topic_filters import FilterMap, check_filter, check_topic
from orbitalis.errors import InvalidTopicError

LEVELS = st.sampled_from(["a", "b", "", "$x"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=5).map("/".join).filter(bool)
FILTERS = st.builds(
    lambda levels, end: "/".join(levels + end),
    st.lists(st.sampled_from(["a", "b", "", "+", "$x"]), min_size=0, max_size=4),
    st.sampled_from([["#"], ["+"], ["a"], ["", ""], ["$x"]]),
)
CHANGES = st.lists(st.tuples(st.booleans(), FILTERS, st.integers(0, 3)), max_size=40)


def matches(topic_filter: str, topic: str) -> bool:
    """Say the same as MQTT 5.0, 4.7, in the plainest way."""
    if topic.startswith("$") and topic_filter[0] in "+#":
        return False
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        if len(levels) < len(wanted):
            return False
        levels = levels[: len(wanted)]
    return len(wanted) == len(levels) and all(one in ("+", level) for one, level in zip(wanted, levels, strict=True))


@given(filters=st.lists(FILTERS, max_size=12), removed=st.sets(st.integers(0, 11)), topic=TOPICS)
@example(filters=["#", "+", "$x", "$x/#", "$x/+"], removed=set(), topic="$x")
@example(filters=["a/#", "a/+/#", "a/+", "+/#", "+/+"], removed=set(), topic="a/")
def test_finds_the_filters_that_match(filters: list[str], removed: set[int], topic: str) -> None:
    filter_map: FilterMap[int] = FilterMap()
    for number, topic_filter in enumerate(filters):
        filter_map.add(topic_filter, number)
    kept = {number: one for number, one in enumerate(filters) if number not in removed}
    for number in removed & set(range(len(filters))):
        filter_map.remove(filters[number], number)

    found = filter_map.match(topic)

    assert sorted(found) == [number for number, topic_filter in kept.items() if matches(topic_filter, topic)]


@given(changes=CHANGES, topics=st.lists(TOPICS, min_size=1, max_size=4))
def test_finds_the_same_as_the_plainest_way_after_each_change(
    changes: list[tuple[bool, str, int]], topics: list[str]
) -> None:
    filter_map: FilterMap[int] = FilterMap()
    there: set[tuple[str, int]] = set()
    for is_added, topic_filter, value in changes:
        if is_added:
            # Once more makes no difference.
            filter_map.add(topic_filter, value)
            there.add((topic_filter, value))
        elif (topic_filter, value) in there:
            filter_map.remove(topic_filter, value)
            there.remove((topic_filter, value))
        else:
            with pytest.raises(KeyError):
                filter_map.remove(topic_filter, value)

        for topic in topics:
            expected = [value for topic_filter, value in there if matches(topic_filter, topic)]
            assert sorted(filter_map.match(topic)) == sorted(expected)


@given(filters=st.lists(FILTERS, max_size=12))
def test_keeps_nothing_of_what_was_removed(filters: list[str]) -> None:
    filter_map: FilterMap[int] = FilterMap()
    for number, topic_filter in enumerate(filters):
        filter_map.add(topic_filter, number)
    for number, topic_filter in enumerate(filters):
        filter_map.remove(topic_filter, number)
    assert filter_map._one == {}
    assert filter_map._several == {}
    assert filter_map._shapes == {}
    assert filter_map._uses == {}
    assert filter_map._open_ended == {}


@pytest.mark.parametrize("topic_filter", ["a", "a/+", "a/#"])
def test_removing_what_is_not_there(topic_filter: str) -> None:
    filter_map: FilterMap[int] = FilterMap()
    with pytest.raises(KeyError):
        filter_map.remove(topic_filter, 1)
    filter_map.add(topic_filter, 1)
    with pytest.raises(KeyError):
        filter_map.remove(topic_filter, 2)
    assert filter_map.match("a/a" if "/" in topic_filter else "a") == [1]


@pytest.mark.parametrize("valid", ["a", "/", "a//b", " ", "$SYS/x", "ä🔆", "a" * 65_535, "$handshake.discover"])
def test_valid_topics(valid: str) -> None:
    check_topic(valid)
    check_filter(valid)


@pytest.mark.parametrize("valid", ["#", "+", "+/+/#", "/#", "a/+/b", "$share", "a/$share/b"])
def test_valid_filters(valid: str) -> None:
    check_filter(valid)


@pytest.mark.parametrize(
    ("invalid", "reason"),
    [
        ("", "it is empty"),
        ("a+", "wildcards"),
        ("a/#", "wildcards"),
        ("ab\0c", r"character 2 \(U\+0000\)"),
        ("a\x9f", r"U\+009F"),
        ("a\udfff", r"U\+DFFF"),
        ("\U0001fffe", r"U\+1FFFE"),
        ("ä" * 32_768, "65536 bytes long, 65535 are allowed"),
    ],
)
def test_invalid_topics(invalid: str, reason: str) -> None:
    with pytest.raises(InvalidTopicError, match=reason) as failure:
        check_topic(invalid)
    assert isinstance(failure.value, ValueError)
    assert len(str(failure.value)) < 300


@pytest.mark.parametrize(
    ("invalid", "reason"),
    [
        ("", "it is empty"),
        ("a\0", r"U\+0000"),
        ("a/b+", "fill a level"),
        ("a/+b/c", "fill a level"),
        ("##", "fill a level"),
        ("#/a", "last level"),
        ("$share/group/a", "shared"),
        ("+" * 65_536, "65536 bytes"),
    ],
)
def test_invalid_filters(invalid: str, reason: str) -> None:
    with pytest.raises(InvalidTopicError, match=reason):
        check_filter(invalid)
