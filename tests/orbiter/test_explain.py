"""What core and plugin explain of their connections, and what stands in the log of them."""

from __future__ import annotations

import dataclasses
import json
import logging
from dataclasses import dataclass
from typing import Any

import pytest

from orbitalis import Constraint, Core, Input, OperationRequirement, Output, Plugin, Policy
from orbitalis.bus import LocalEventBusClient
from orbitalis.bus.dispatch import Subscription
from orbitalis.errors import BusRefusedError
from orbitalis.operations.explanation import LISTED, RemoteExplanation, Sharing
from orbitalis.testing import Harness
from tests.support.orbiters import EchoPlugin, TextCore, needs


def echo(harness: Harness, identifier: str = "plugin", **settings: Any) -> EchoPlugin:
    return EchoPlugin(identifier=identifier, eventbus_client=harness.client(), **settings)


def text_core(harness: Harness, identifier: str = "core", **rules: Any) -> TextCore:
    return TextCore(identifier=identifier, eventbus_client=harness.client(), operation_requirements=needs(**rules))


def said(caplog: pytest.LogCaptureFixture, text: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if text in record.getMessage()]


def of(orbiter: Core | Plugin, remote: str, operation: str = "text") -> RemoteExplanation:
    explained = orbiter.explain().of_operation(operation)
    assert explained is not None
    return next(one for one in explained.remotes if one.remote_identifier == remote)


async def test_a_plugin_says_once_why_an_operation_is_not_lent(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    await harness.start(echo(harness), text_core(harness, inputs=[Input.int64()]))
    await harness.advance(60)

    (line,) = said(caplog, "does not lend")
    assert line == (
        "plugin does not lend operation 'text' to 'core': input: the schema is called 'StringMessage' here and "
        "'Int64Message' there"
    )
    record = next(one for one in caplog.records if "does not lend" in one.getMessage())
    assert (record.levelname, record.__dict__["remote"], record.__dict__["operation"]) == ("WARNING", "core", "text")


async def test_a_plugin_that_a_core_does_not_want_does_not_warn(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="orbitalis")
    await harness.start(echo(harness), text_core(harness, allowlist=["other"]))
    await harness.advance(60)

    assert said(caplog, "does not lend") == [
        "plugin does not lend operation 'text' to 'core', because that core does not want it from this plugin: the "
        "core's constraint excludes this plugin"
    ]
    assert [one.levelname for one in caplog.records if one.__dict__.get("orbiter") == "plugin"] == ["INFO", "INFO"]


async def test_many_cores_do_not_fill_the_log(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    await harness.start(echo(harness).with_custom_policy("text", Policy(maximum=0)))
    for number in range(40):
        await harness.start(text_core(harness, f"core{number}"))
    await harness.idle()

    assert len(said(caplog, "does not lend")) == 20


async def test_the_three_causes_read_differently_in_the_log_of_the_core(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    nobody, silent, refused = text_core(harness, "nobody"), text_core(harness, "unheard"), text_core(harness, "refused")

    class Refusing(EchoPlugin):
        async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
            raise RuntimeError("not today")

    await harness.start(nobody)
    await harness.advance(15)
    await nobody.stop()
    await harness.start(silent)
    unfit = echo(harness, "unfit").with_custom_policy("text", Policy(maximum=0))
    await harness.start(unfit)
    await harness.advance(15)
    await silent.stop()
    await unfit.stop()
    await harness.start(Refusing(identifier="refusing", eventbus_client=harness.client()), refused)
    await harness.advance(15)

    one, two, three = said(caplog, "has not been compliant")
    assert "no plugin has offered it, and none that has it was heard of" in one
    assert one.endswith("one that has it and does not offer it says why in its log")
    assert two.endswith("'unfit' has announced it, and answered without an offer of it: its log says why")
    assert "'refusing': the plugin said that it is no longer available (" in three


async def test_a_setup_that_raises_is_logged_once_and_then_counted(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing(EchoPlugin):
        async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
            raise RuntimeError("not today")

    plugin = Refusing(identifier="plugin", eventbus_client=harness.client())
    await harness.start(plugin, text_core(harness))
    await harness.advance(30)

    (record,) = [one for one in caplog.records if "cannot prepare" in one.getMessage()]
    assert "cannot prepare operation text for core: _setup_operation raised" in record.getMessage()
    assert record.exc_info is not None
    explained = of(plugin, "core")
    assert explained.kind == "preparation"
    assert explained.reasons == ("_setup_operation raised RuntimeError: not today",)
    assert explained.count > 5


async def test_setup_data_that_cannot_be_had_is_logged_once_and_then_counted(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    class Forgetful(TextCore):
        async def _get_setup_data(self, plugin_identifier: str, offered_operation: Any) -> bytes | None:
            raise LookupError("no data")

    core = Forgetful(identifier="core", eventbus_client=harness.client(), operation_requirements=needs())
    await harness.start(echo(harness), core)
    await harness.advance(30)

    assert len(said(caplog, "cannot prepare operation text for plugin: _get_setup_data raised")) == 1
    assert of(core, "plugin").reasons == ("_get_setup_data raised LookupError: no data",)
    assert of(core, "plugin").count > 5


async def test_topics_that_the_bus_refuses_are_told_of_once_and_explained(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    class Bound(LocalEventBusClient):
        """Lets nobody subscribe to inputs, as a broker may."""

        def _start_subscribe(self, subscription: Subscription) -> None:
            if "/input/" in subscription.topic_filter:
                raise BusRefusedError("not bound to you")
            super()._start_subscribe(subscription)

    plugin = EchoPlugin(identifier="plugin", eventbus_client=Bound(harness.client().bus))
    core = text_core(harness)
    await harness.start(plugin, core)
    await harness.advance(30)

    assert said(caplog, "cannot prepare") == ["plugin cannot prepare operation 'text' for 'core': not bound to you"]
    assert (of(plugin, "core").kind, of(plugin, "core").reasons) == ("preparation", ("not bound to you",))
    assert of(plugin, "core").count > 5


async def test_both_sides_explain_what_is_connected(harness: Harness) -> None:
    core, plugin = text_core(harness), echo(harness)
    await harness.start(plugin, core)
    await harness.compliant(core)

    explained = core.explain()
    assert explained.is_compliant
    assert explained.known_remotes == 1
    assert str(explained) == (
        "core 'core' is compliant; it knows 1 remote\n  operation 'text' has what it needs\n    'plugin' is connected"
    )
    assert str(plugin.explain()) == (
        "plugin 'plugin' knows 1 remote\n  operation 'text' is lent to 1 core\n    'core' is connected"
    )


async def test_a_core_explains_its_requirements(harness: Harness) -> None:
    core = text_core(harness, minimum=1, mandatory=["boss", "chief"], maximum=3)
    await harness.start(echo(harness, "boss"), core)
    await harness.advance(3)

    (need,) = core.explain().requirements
    assert (need.connected, need.minimum, need.maximum) == (0, 1, 3)
    assert need.mandatory == ("boss", "chief")
    assert need.missing == ("chief",)
    assert not need.is_met
    assert need.lack() == (
        "has 0 of at least 1 plugins (mandatory plugins are not counted in the minimum), is without mandatory 'chief'"
    )


async def test_what_was_in_the_way_before_is_told_of_a_handshake_under_way(harness: Harness) -> None:
    @dataclass
    class Slow(EchoPlugin):
        fails: bool = True

        async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
            if self.fails:
                self.fails = False
                raise RuntimeError("not yet")
            import asyncio

            await asyncio.sleep(20)

    plugin, core = Slow(identifier="plugin", eventbus_client=harness.client()), text_core(harness)
    await harness.start(plugin, core)
    await harness.advance(5)

    assert of(plugin, "core").sharing is Sharing.UNDER_WAY
    assert str(of(plugin, "core")) == (
        "'core' is under way, before that: _setup_operation raised RuntimeError: not yet"
    )
    await harness.compliant(core)
    assert str(of(plugin, "core")) == "'core' is connected"


async def test_a_core_explains_that_a_plugin_has_closed_the_connection(harness: Harness) -> None:
    core, plugin = text_core(harness), echo(harness)
    await harness.start(plugin, core)
    await harness.compliant(core)

    plugin.with_custom_policy("text", Policy(blocklist=["core"]))
    await harness.idle()

    assert of(core, "plugin").reasons == ("the plugin has closed the connection",)
    assert of(plugin, "core").reasons == ("the core is on the blocklist of the operation's policy",)


async def test_plugins_that_are_connected_do_not_count_as_in_the_way(harness: Harness) -> None:
    core = text_core(harness, minimum=2 * LISTED)
    plugins = [echo(harness, f"plugin{number}") for number in range(2 * LISTED)]
    await harness.start(core, *plugins)
    await harness.compliant(core)
    for plugin in plugins[: LISTED - 1]:
        await plugin.stop()
    await harness.idle()
    explained = core.explain().of_operation("text")
    assert explained is not None
    assert explained.line().endswith(f"; and {LISTED - 4} more plugins")

    for plugin in plugins[LISTED - 1 :]:
        await plugin.stop()
    await harness.idle()
    explained = core.explain().of_operation("text")
    assert explained is not None
    assert explained.line().endswith(f"; and at least {LISTED - 3} more plugins")


async def test_an_explanation_is_data_that_can_be_sent(harness: Harness) -> None:
    core, plugin = text_core(harness, inputs=[Input.int64()]), echo(harness)
    await harness.start(plugin, core)
    await harness.idle()

    for explained in (core.explain(), plugin.explain()):
        data = json.loads(json.dumps(dataclasses.asdict(explained)))
        assert set(data) == {field.name for field in dataclasses.fields(explained)}
        with pytest.raises(dataclasses.FrozenInstanceError):
            explained.known_remotes = 7  # type: ignore[misc]  # that is what is tried
    lending = dataclasses.asdict(plugin.explain())["operations"][0]
    assert lending["remotes"][0]["kind"] == "schemas"
    assert lending["remotes"][0]["sharing"] == "nothing"


async def test_an_explanation_is_bounded(harness: Harness) -> None:
    core = Core(identifier="core", eventbus_client=harness.client())
    constraint = Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()])
    core.operation_requirements = {f"need{number}": OperationRequirement(constraint) for number in range(LISTED + 5)}
    constraint.mandatory = [f"boss{number}" for number in range(LISTED + 7)]
    plugin = echo(harness).with_custom_policy("text", Policy(maximum=0))
    await harness.start(plugin, core)
    for number in range(LISTED + 3):
        await harness.start(text_core(harness, f"core{number}"))
    await harness.idle()

    explained = core.explain()
    assert (len(explained.requirements), explained.more_requirements) == (LISTED, 5)
    assert (len(explained.requirements[0].missing), explained.requirements[0].more_missing) == (LISTED, 7)
    assert len(explained.requirements[0].mandatory) == LISTED
    (lending,) = plugin.explain().operations
    assert (len(lending.remotes), lending.more_remotes) == (LISTED, 3)
    assert str(lending).endswith("\n    and 3 more cores")
    assert str(explained).endswith("\n  and 5 more operations")


async def test_what_is_lacking_comes_first(harness: Harness) -> None:
    core = text_core(harness)
    unmet = OperationRequirement(Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()]))
    core.operation_requirements["missing"] = unmet
    await harness.start(echo(harness), core)
    await harness.advance(3)

    assert [need.operation_name for need in core.explain().requirements] == ["missing", "text"]


async def test_it_is_logged_that_connections_open_and_close_and_why(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "orbitalis")
    core, plugin = text_core(harness), echo(harness)
    await harness.start(plugin, core)
    await harness.compliant(core)
    plugin.with_custom_policy("text", Policy(maximum=0))
    await harness.idle()

    assert said(caplog, "connection with") == [
        "plugin: connection with core for text is open",
        "core: connection with plugin for text is open",
        "core: connection with plugin for text has ended: closed by the remote",
        "plugin: connection with core for text has ended: closed by this side",
    ]
    assert said(caplog, "core is ") == [
        "core is not compliant: operation 'text' has 0 of at least 1 plugins",
        "core is compliant",
        "core is not compliant: operation 'text' has 0 of at least 1 plugins",
    ]


async def test_above_info_nothing_is_put_into_words(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    from orbitalis.orbiter.narrator import Narrator

    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Narrator, "opened", fail)
    monkeypatch.setattr(Narrator, "closed", fail)
    core, plugin = text_core(harness), echo(harness)
    await harness.start(plugin, core)
    await harness.compliant(core)
    await plugin.stop()
