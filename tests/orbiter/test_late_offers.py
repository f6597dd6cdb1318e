"""Late offers and announcements, with real orbiters: nobody waits for the next discover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from orbitalis import Constraint, Event, Input, Operation, OperationRequirement, Output, Plugin, Policy
from orbitalis.testing import Harness
from orbitalis_wire.messages import AnnounceMessage, DiscoverMessage, OfferMessage, StringMessage
from tests.support.orbiters import Diary, EchoPlugin, TextCore, needs

NEVER = 1e6
"""Seconds, which no test lasts."""
pytestmark = pytest.mark.usefixtures("harness")


def core_of(harness: Harness, identifier: str = "core", **options: Any) -> TextCore:
    """Return a core that asks everybody only once, and needs one plugin."""
    defaults = {
        "operation_requirements": needs(maximum=1),
        "discovering_interval": NEVER,
        "discovering_interval_when_compliant": NEVER,
    }
    return TextCore(identifier=identifier, eventbus_client=harness.client(), **{**defaults, **options})


def plugin_of(harness: Harness, identifier: str = "plugin", **options: Any) -> EchoPlugin:
    return EchoPlugin(identifier=identifier, eventbus_client=harness.client(), **options)


async def test_a_plugin_that_starts_late_is_connected_at_once(harness: Harness) -> None:
    core, plugin = core_of(harness), plugin_of(harness)
    await harness.start(core)
    await harness.advance(100)
    await harness.start(plugin)
    await harness.idle()
    assert harness.time == 100
    assert core.compliant_event.is_set()
    assert await core.execute("text", "hello", any=True) == ["plugin"]
    await harness.output(core, "text")
    assert core.texts == ["hello"]
    discovers = harness.recording.of(DiscoverMessage)
    assert [sent.topic for sent in discovers] == ["$handshake.discover", "orbitalis/plugin/core/discover"]


async def test_a_plugin_that_starts_first_is_asked_once(harness: Harness) -> None:
    core, plugin = core_of(harness), plugin_of(harness)
    await harness.start(plugin, core)
    await harness.compliant(core)
    assert len(harness.recording.of(DiscoverMessage)) == len(harness.recording.of(OfferMessage)) == 1


async def test_a_slot_that_becomes_free_is_offered_to_the_core_that_waits(harness: Harness) -> None:
    plugin = plugin_of(harness).with_custom_policy("text", Policy(maximum=1))
    first, second, third = (core_of(harness, name) for name in ("first", "second", "third"))
    await harness.start(plugin, first, second, third)
    await harness.compliant(first)
    await harness.advance(1000)
    assert not second.is_compliant()

    await first.stop()
    await harness.idle()
    assert harness.time == 1000
    assert second.is_compliant()
    assert not third.is_compliant()

    await second.stop()
    await harness.idle()
    assert third.is_compliant()
    assert [one.remote_identifier for one in plugin.retrieve_connections()] == ["third"]


async def test_a_core_that_does_not_want_late_offers_waits_for_its_own_discover(harness: Harness) -> None:
    plugin = plugin_of(harness).with_custom_policy("text", Policy(maximum=1))
    first, second = core_of(harness, "first"), core_of(harness, "second", late_offers=False, discovering_interval=50)
    await harness.start(plugin, first, second)
    await harness.compliant(first)
    await first.stop()
    await harness.advance(49)
    assert not second.is_compliant()
    await harness.advance(2)
    assert second.is_compliant()


@pytest.mark.parametrize("edits", [False, True])
async def test_a_policy_that_allows_more_is_noticed_in_the_next_iteration(harness: Harness, edits: bool) -> None:
    plugin = plugin_of(harness).with_custom_policy("text", Policy(maximum=0))
    core = core_of(harness)
    await harness.start(plugin, core)
    await harness.advance(10)
    if edits:
        plugin.operations["text"].policy.maximum = 1
    else:
        plugin.with_custom_policy("text", Policy(maximum=1))
    await harness.advance(plugin.loop_interval)
    assert core.is_compliant()


async def test_without_a_loop_it_is_said_when_something_has_changed(harness: Harness) -> None:
    plugin = plugin_of(harness, with_loop=False).with_custom_policy("text", Policy(blocklist=["core"]))
    core = core_of(harness)
    await harness.start(plugin, core)
    await harness.advance(10)
    plugin.with_custom_policy("text", Policy())
    plugin.update_operations()
    await harness.idle()
    assert harness.time == 10
    assert core.is_compliant()


def extra(name: str) -> Operation:
    async def handle(topic: str, event: Event[StringMessage]) -> None: ...

    return Operation(name=name, handler=handle, input=Input.string(), output=Output.string())


@pytest.mark.parametrize("late_offers", [True, False])
async def test_an_operation_that_is_added_is_offered_and_announced(harness: Harness, late_offers: bool) -> None:
    """A core that wants late offers is offered it, any other hears the announcement."""
    need = OperationRequirement(Constraint(minimum=1, maximum=1, inputs=[Input.string()], outputs=[Output.string()]))
    core = core_of(harness, operation_requirements={"a": need, "b": need}, late_offers=late_offers)
    plugin = plugin_of(harness)
    await harness.start(plugin, core)
    await harness.advance(10.5)
    plugin.with_operation("a", extra("a"))
    plugin.operations["b"] = extra("b")
    await harness.advance(plugin.loop_interval)
    assert core.is_compliant()
    assert len(harness.recording.of(AnnounceMessage)) == 2
    assert harness.recording.of(AnnounceMessage)[-1].payload.operation_names == ("text", "a", "b")
    # `with_operation` counts at once, an edited dictionary when the loop looks.
    assert len(harness.recording.of(OfferMessage)) == (2 if late_offers else 1)


async def test_a_restart_is_noticed_at_once_by_a_core_that_wants_nothing_more(harness: Harness) -> None:
    """The plugin crashes: no close is sent. It comes back before anybody could miss it."""
    core, plugin = core_of(harness, consider_others_dead_after=None), plugin_of(harness)
    diary = Diary()
    diary.keep(core)
    await harness.start(core, plugin)
    await harness.compliant(core)
    await harness.advance(60)
    before = core.retrieve_connections()[0]
    await crash(plugin)
    successor = plugin_of(harness)
    await harness.start(successor)
    await harness.idle()
    assert harness.time == 60
    assert core.is_compliant()
    assert core.retrieve_connections()[0] is not before
    assert diary.arguments(core, "_on_remote_dead") == [("plugin",)]
    assert [closed for closed, _ in core.closed] == ["plugin"]
    await core.execute("text", "again", any=True)
    await harness.output(core, "text")
    assert successor.received == ["again"]


async def crash(plugin: Plugin) -> None:
    """Have a plugin leave without a word."""
    plugin.eventbus_client._start_publish = _nothing  # type: ignore[method-assign,assignment]
    await plugin.stop()


def _nothing(*args: object) -> None: ...


@dataclass
class Noting(EchoPlugin):
    """Notes what it announces, and listens elsewhere."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.announced: list[AnnounceMessage] = []

    def _build_directed_discover_topic(self, core_identifier: str | None) -> str:
        return f"mine/{self.identifier}"

    def _build_directed_discover_filter(self) -> str:
        return self._build_directed_discover_topic(None)

    async def _on_send_announcement(self, announce_message: AnnounceMessage) -> None:
        self.announced.append(announce_message)
        raise RuntimeError("what a hook raises harms nothing")


@dataclass
class Hearing(TextCore):
    """Notes which plugins it hears of."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.heard: list[AnnounceMessage] = []

    async def _on_new_announcement(self, announce_message: AnnounceMessage) -> None:
        self.heard.append(announce_message)


async def test_hooks_and_topics_can_be_overridden(harness: Harness) -> None:
    options: dict[str, Any] = {"announce_topic": "hear/ye"}
    core = Hearing(
        identifier="core",
        eventbus_client=harness.client(),
        operation_requirements=needs(maximum=1),
        discovering_interval=NEVER,
        **options,
    )
    plugin = Noting(identifier="plugin", eventbus_client=harness.client(), **options)
    await harness.start(core, plugin)
    await harness.idle()
    assert core.is_compliant()
    assert [(one.discover_topic, [*one.operation_names]) for one in plugin.announced] == [("mine/plugin", ["text"])]
    assert [(one.discover_topic, [*one.operation_names]) for one in core.heard] == [("mine/plugin", ["text"])]
    assert [sent.topic for sent in harness.recording.of(AnnounceMessage)] == ["hear/ye"]
    assert [sent.topic for sent in harness.recording.of(DiscoverMessage)][1:] == ["mine/plugin"]


async def test_a_core_that_stops_takes_back_what_it_waits_for(harness: Harness) -> None:
    plugin, core = plugin_of(harness), core_of(harness)
    plugin.with_custom_policy("text", Policy(maximum=0))
    await harness.start(plugin, core)
    await harness.advance(1)
    await core.stop()
    await harness.idle()
    plugin.with_custom_policy("text", Policy())
    await harness.advance(5)
    assert len(harness.recording.of(OfferMessage)) == 0
    last = harness.recording.of(DiscoverMessage)[-1]
    assert last.payload.queries == {}
    assert last.event.envelope.late_offers is False


async def test_a_connection_that_the_plugin_closes_frees_its_slot_for_another(harness: Harness) -> None:
    plugin = plugin_of(harness).with_custom_policy("text", Policy(maximum=1))
    first, second = core_of(harness, "first"), core_of(harness, "second")
    await harness.start(plugin, first, second)
    await harness.compliant(first)
    await plugin.send_graceful_close_connection("first", "text")
    await harness.idle()
    assert second.is_compliant()
    assert not first.is_compliant()
