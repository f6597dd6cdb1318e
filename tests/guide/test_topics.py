"""Topics: every one but those of discovers and announcements is made by a method that may be overridden."""

from __future__ import annotations

from orbitalis import DiscoverMessage, KeepaliveMessage
from orbitalis.orbiter.hooks import OrbiterHooks
from orbitalis.testing import Harness
from tests.support.orbiters import EchoPlugin, TextCore, needs

BUILDERS = {name for kind in (TextCore, EchoPlugin) for name in dir(kind) if name.startswith("_build_")}


class Flat(OrbiterHooks):
    """Has a layout in which nothing is a level of its own."""

    def _build_keepalive_topic(self, remote_identifier: str | None) -> str:
        return f"flat/alive-{self.identifier}"

    def _build_keepalive_filter(self) -> str:
        return self._build_keepalive_topic(None)

    def _build_keepalive_request_topic(self, remote_identifier: str | None) -> str:
        return f"flat/asked-{self.identifier}"

    def _build_keepalive_request_filter(self) -> str:
        return self._build_keepalive_request_topic(None)

    def _build_incoming_close_connection_topic(
        self, remote_identifier: str, operation_name: str, connection_identifier: str
    ) -> str:
        return f"flat/close-{operation_name}-{self.identifier}-{remote_identifier}"

    def _build_ack_close_topic(self, remote_identifier: str, operation_name: str, connection_identifier: str) -> str:
        return f"flat/ack-{operation_name}-{self.identifier}-{remote_identifier}"


class FlatCore(Flat, TextCore):
    def _build_offer_topic(self, plugin_identifier: str | None) -> str:
        return f"flat/offers-{self.identifier}"

    def _build_offer_filter(self) -> str:
        return self._build_offer_topic(None)

    def _build_response_topic(self, plugin_identifier: str) -> str:
        return f"flat/responses-{self.identifier}"

    def _build_response_filter(self) -> str:
        return self._build_response_topic("")

    def _build_operation_output_topic(
        self, plugin_identifier: str, operation_name: str, connection_identifier: str
    ) -> str:
        return f"flat/output-{operation_name}-{self.identifier}"


class FlatPlugin(Flat, EchoPlugin):
    def _build_reply_topic(self, core_identifier: str) -> str:
        return f"flat/replies-{self.identifier}"

    def _build_reply_filter(self) -> str:
        return self._build_reply_topic("")

    def _build_directed_discover_topic(self, core_identifier: str | None) -> str:
        return f"flat/discover-{self.identifier}"

    def _build_directed_discover_filter(self) -> str:
        return self._build_directed_discover_topic(None)

    def _build_operation_input_topic_for_core(
        self, core_identifier: str, operation_name: str, connection_identifier: str
    ) -> str:
        return f"flat/input-{operation_name}-{self.identifier}"


def test_every_builder_is_tried_here() -> None:
    overridden = {name for kind in (Flat, FlatCore, FlatPlugin) for name in vars(kind)}
    assert BUILDERS - overridden == set()


async def test_everything_works_on_topics_of_ones_own(harness: Harness) -> None:
    core = FlatCore(
        identifier="core",
        eventbus_client=harness.client(),
        operation_requirements=needs(),
        discover_topic="flat/discover",
        announce_topic="flat/announce",
        consider_others_dead_after=20.0,
    )
    plugins = [
        FlatPlugin(
            identifier=name,
            eventbus_client=harness.client(),
            discover_topic="flat/discover",
            announce_topic="flat/announce",
            consider_others_dead_after=20.0,
        )
        for name in ("a", "b")
    ]
    await harness.start(*plugins, core)
    for plugin in plugins:
        await harness.connected(core, plugin)
    assert core.offer_topic == "flat/offers-core"
    assert core.response_topic == "flat/responses-core"
    assert plugins[0].reply_topic == "flat/replies-a"
    assert (core.keepalive_topic, core.keepalive_request_topic) == ("flat/alive-core", "flat/asked-core")

    await core.execute("text", "x", all=True)
    await harness.idle()
    assert core.texts == ["x", "x"]

    await harness.advance(120)
    assert core.remote_identifiers == {"a", "b"}
    assert len(harness.recording.of(KeepaliveMessage)) > 10

    core.operation_requirements.clear()
    await core.send_graceful_close_connection("a", "text", data=b"bye")
    await plugins[1].send_graceful_close_connection("core", "text")
    await harness.idle()
    assert core.retrieve_connections() == plugins[0].retrieve_connections() == plugins[1].retrieve_connections() == []
    assert {sent.topic.partition("/")[0] for sent in harness.recording} == {"flat"}


async def test_only_the_topics_of_discovers_and_announcements_are_agreed_on_beforehand(harness: Harness) -> None:
    core = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs())
    plugin = FlatPlugin(identifier="plugin", eventbus_client=harness.client())
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    await core.execute("text", "x", any=True)
    await harness.idle()
    assert core.texts == ["x"]
    assert {sent.topic for sent in harness.recording.of(DiscoverMessage)} == {"$handshake.discover"}
