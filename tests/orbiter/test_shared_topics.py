"""Topics that several connections have, as a layout of one's own may want: each event is for one of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from orbitalis import Connection, Core, Event, Input, Output, Plugin, StringMessage, operation, sink
from orbitalis.errors import OperationFailedError
from orbitalis.testing import Harness
from tests.support.orbiters import EchoPlugin, TextCore, needs

pytestmark = pytest.mark.usefixtures("harness")


@dataclass
class Letters(Plugin):
    """Has one topic for all inputs."""

    @operation
    async def upper(self, text: str) -> str:
        return text.upper()

    @operation
    async def lower(self, text: str) -> str:
        if not text:
            raise ValueError("there is nothing to be made small")
        return text.lower()

    @operation
    async def double(self, number: int) -> int:
        return 2 * number

    @operation(name="by_hand", input=Input.string(), output=Output.string())
    async def by_hand(self, topic: str, event: Event[StringMessage], connection: Connection) -> None:
        assert connection.output_topic is not None
        await self.eventbus_client.publish(connection.output_topic, event.payload.value)

    @operation
    async def telling(self, text: str) -> str:
        await self.send_result_to_all(self.retrieve_connections(operation_name="lower"), text)
        return f"told {text}"

    def _build_operation_input_topic_for_core(
        self, core_identifier: str, operation_name: str, connection_identifier: str
    ) -> str:
        return "inputs"


@dataclass
class Reader(Core):
    """Has one topic for all outputs."""

    seen: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @sink(Letters.lower)
    async def lower(self, text: str) -> None:
        self.seen.append(("lower", text))

    @sink(Letters.upper)
    async def upper(self, text: str) -> None:
        self.seen.append(("upper", text))

    def _build_operation_output_topic(
        self, plugin_identifier: str, operation_name: str, connection_identifier: str
    ) -> str:
        return "outputs"


@dataclass
class OneTopic(EchoPlugin):
    """Has the topic for inputs of all its kind."""

    def _build_operation_input_topic_for_core(
        self, core_identifier: str, operation_name: str, connection_identifier: str
    ) -> str:
        return "inputs"


async def pair_of(harness: Harness) -> tuple[Reader, Letters]:
    reader, letters = (
        kind(identifier=kind.__name__.lower(), eventbus_client=harness.client()) for kind in (Reader, Letters)
    )
    assert isinstance(reader, Reader)
    assert isinstance(letters, Letters)
    reader.operation_requirements["by_hand"] = needs()["text"]
    for one in (Letters.upper, Letters.lower, Letters.double, Letters.telling):
        reader.with_requirement(one, minimum=1)
    await harness.start(letters, reader)
    await harness.compliant(reader)
    return reader, letters


async def test_a_request_is_executed_by_the_operation_that_it_is_for(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    reader, _ = await pair_of(harness)
    for _ in range(2):
        assert await reader.request(Letters.lower, "Ab", timeout=5) == "ab"
        assert await reader.request(Letters.upper, "Ab", timeout=5) == "AB"
        assert await reader.request(Letters.double, 4, timeout=5) == 8
    with pytest.raises(OperationFailedError, match="nothing to be made small"):
        await reader.request(Letters.lower, "", timeout=5)
    assert reader.dropped_answers == 0
    assert "ignores" not in caplog.text


async def test_inputs_and_outputs_belong_to_the_connection_that_they_are_sent_on(harness: Harness) -> None:
    reader, letters = await pair_of(harness)
    await reader.execute(Letters.lower, "Ab", any=True)
    await reader.execute(Letters.upper, "Ab", any=True)
    await harness.idle()
    assert sorted(reader.seen) == [("lower", "ab"), ("upper", "AB")]
    reader.seen.clear()
    await letters.send_result_to_all(letters.retrieve_connections(operation_name="lower"), "l")
    await letters.send_result_to_all(letters.retrieve_connections(operation_name="upper"), "u")
    await harness.idle()
    assert sorted(reader.seen) == [("lower", "l"), ("upper", "u")]


async def test_what_is_sent_on_another_connection_is_no_answer(harness: Harness) -> None:
    reader, _ = await pair_of(harness)
    assert await reader.request(Letters.telling, "x", timeout=5) == "told x"
    await harness.idle()
    assert reader.seen == [("lower", "x")]


async def test_what_a_handler_publishes_by_hand_answers_its_input(harness: Harness) -> None:
    reader, _ = await pair_of(harness)
    answer = await reader.request("by_hand", "x", timeout=5, result_type=StringMessage)
    assert answer.value == "x"


async def test_of_two_plugins_the_one_that_is_named_gets_the_input(harness: Harness) -> None:
    core = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs(minimum=2))
    plugins = [OneTopic(identifier=name, eventbus_client=harness.client()) for name in "ab"]
    await harness.start(*plugins, core)
    await harness.compliant(core)
    for name in "ab":
        await core.execute("text", name, plugin_identifier=name)
    await core.execute("text", "c", all=True)
    await harness.idle()
    assert [plugin.received for plugin in plugins] == [["a", "c"], ["b", "c"]]


@pytest.mark.parametrize("closed", ["a", "b"])
async def test_a_close_leaves_the_headers_to_those_that_have_the_topic_still(harness: Harness, closed: str) -> None:
    core = TextCore(
        identifier="core",
        eventbus_client=harness.client(),
        operation_requirements=needs(minimum=2),
        discovering_interval=1e6,
    )
    plugins = {name: OneTopic(identifier=name, eventbus_client=harness.client()) for name in "ab"}
    await harness.start(*plugins.values(), core)
    await harness.compliant(core)

    def connection_on(topic: str) -> str | None:
        headers = core._runtime._headers_on(topic)
        return None if headers is None else headers.connection_identifier

    await core.send_graceless_close_connection(closed, "text")
    (left,) = core.retrieve_connections()
    assert left.remote_identifier != closed
    assert connection_on("inputs") == left.connection_identifier
    await core.sudo_execute("inputs", "by hand")
    await harness.idle()
    assert plugins[left.remote_identifier].received == ["by hand"]
    await core.send_graceless_close_connection(left.remote_identifier, "text")
    assert connection_on("inputs") is None
