"""The base class of plugins, which users subclass: :class:`Plugin`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from time import perf_counter
from typing import Any, ClassVar, TypeVar

from orbitalis.arguments import check_identifiers, check_list
from orbitalis.bus.client import Later
from orbitalis.errors import NobodyWaitsError, OrbiterStateError
from orbitalis.message.event import Event, IdentifierSource
from orbitalis.message.payload import Publishable, wrap
from orbitalis.operations.answer import Answer
from orbitalis.operations.connection import Connection
from orbitalis.operations.explanation import PluginExplanation
from orbitalis.operations.handlers import Handler, HandlerCache
from orbitalis.operations.operation_statistics import OperationStatistics
from orbitalis.operations.process_pool import ProcessPool, default_size
from orbitalis.operations.provided_operations import Operation, OperationsProviderMixin, declared_operations
from orbitalis.operations.typed_operation import Sends, is_typed_operation
from orbitalis.orbiter.attributes import check_entry
from orbitalis.orbiter.hooks import default
from orbitalis.orbiter.orbiter import Orbiter
from orbitalis.orbiter.peer_queues import is_being_cancelled
from orbitalis.orbiter.role_calls import RoleCalls
from orbitalis.plugin.answering import answer_error, answer_input
from orbitalis.plugin.asked_inputs import AskedInputs
from orbitalis.plugin.explanation import explain_plugin
from orbitalis.plugin.loneliness import Loneliness
from orbitalis.plugin.output_sender import OutputSender
from orbitalis.plugin.rhythm import Rhythms
from orbitalis.protocol.config import OperationTerms, PluginConfig, TopicLayout
from orbitalis.protocol.effects import CloseReason, Effect
from orbitalis.protocol.machine import PluginMachine
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import PluginState, PluginTrigger, Role, next_plugin_state
from orbitalis_avro.errors import DecodeError
from orbitalis_wire import channels
from orbitalis_wire.messages import (
    AnnounceMessage,
    DiscoverMessage,
    OfferMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from orbitalis_wire.topics import DirectedDiscoverTopic, OperationInputTopic, ReplyTopic, ResponseTopic

__all__ = ["Plugin"]

OutputOfOperation = TypeVar("OutputOfOperation", bound=Publishable)

_ANNOUNCING_TIMEOUT = 1.0
"""Seconds for which a start waits for the announcement to be sent."""


@dataclass(kw_only=True, eq=False)
class Plugin(OperationsProviderMixin, Orbiter):
    """A plugin provides operations to cores. Subclasses are dataclasses whose methods are operations.

    Example:
        class TextPlugin(Plugin):
            @operation
            async def lowercase(self, text: str) -> str:
                return text.lower()

        async with TextPlugin(identifier="text", eventbus_client=connect("mqtt://localhost:1883")):
            ...

    All arguments are given by name and have defaults. `identifier` is unique on the bus. By default, `eventbus_client`
    is a client of the bus that `ORBITALIS_BUS` names. Durations are in seconds.

    A subclass may override these hooks. They may be asynchronous or not, and do nothing by default:

    - Life: `_on_starting`, `_on_started`, `_on_stopping`, `_on_stopped`.
    - The loop: `_on_loop_start`, `_on_new_loop_iteration`, `_on_loop_iteration`, `_on_loop_iteration_end`.
    - The handshake: `_on_send_announcement`, `_on_new_discover`, `_on_send_offer`, `_on_reply`, `_on_request`,
      `_on_reject`, `_setup_operation`.
    - Connections: `_on_promote_pending_request_to_connection`, `_on_graceful_close_connection`,
      `_on_graceless_close_connection`, `_on_close_connection`, `_get_on_close_data`.
    - Remotes: `_on_keepalive`, `_on_keepalive_request`, `_on_remote_dead`.

    A subclass may also override the methods that build its topics. These are not asynchronous:

    - `_build_keepalive_topic`, `_build_keepalive_request_topic`, `_build_incoming_close_connection_topic`,
      `_build_ack_close_topic`, `_build_reply_topic`, `_build_operation_input_topic_for_core`.

    If a subclass has its own `__post_init__`, it has to call `super().__post_init__()`.
    """

    _role: ClassVar[Role] = Role.PLUGIN
    _configured: ClassVar[frozenset[str]] = frozenset({*PluginConfig.__dataclass_fields__, "operations"})

    operations: dict[str, Operation] = field(default_factory=dict[str, Operation], repr=False)
    """By name: the operations, decorated methods included; may be edited while the plugin runs."""

    process_pool_size: int = field(default_factory=default_size, repr=False)
    """How many processes CPU-bound operations may use; by default the number of CPUs. An edit counts until the first
    process starts."""

    def __post_init__(self) -> None:
        """Collect the operations.

        Raises:
            TypeError: The annotations of an operation cannot be read.
        """
        self._handlers = HandlerCache()
        self._asked = AskedInputs()
        self._seen_operations: dict[str, tuple[object, ...]] = {}
        """The operations at the time when the state machine got its snapshot."""
        self._earlier_operations: dict[str, object] = {}
        """The operations of earlier snapshots, by name."""
        self._terms: Mapping[str, OperationTerms] = {}
        super().__post_init__()
        self.state = PluginState.CREATED
        """Its state. Read it, and do not assign it."""
        self.operations = {**declared_operations(self, self._send_result), **self.operations}
        self._responder.documentation_of = self._documentation_of
        self._outputs = OutputSender(self.identifier, self._machine, self._runtime)
        self._asked.serve(self._runtime)
        self._loneliness = Loneliness(self.identifier)
        self._rhythms = Rhythms(self, self.identifier, self._outputs, self.statistics)
        if self._rhythms:
            self._runtime.on_connection = self._begin_rhythms

    @cached_property
    def process_pool(self) -> ProcessPool:
        """The processes that run CPU-bound operations. They start when they are needed, and end at a stop."""
        return ProcessPool(lambda: self.process_pool_size)

    # Life cycle

    @property
    def is_running(self) -> bool:
        """Whether the plugin runs: it has started and has not stopped."""
        return self.state is PluginState.RUNNING

    def _make_machine(self) -> PluginMachine:
        source = IdentifierSource()
        self._plugin_machine = PluginMachine(
            self._config(), new_identifier=source, new_challenge=source.unguessable, is_own=source.has_given
        )
        return self._plugin_machine

    def _config(self) -> PluginConfig:
        seen = {name: _rules(name, operation) for name, operation in self.operations.items()}
        if seen != self._seen_operations:
            self._earlier_operations.update(self._seen_operations)
            self._seen_operations = seen
            self._terms = {
                name: operation.policy.terms(operation.input, operation.output)
                for name, operation in self.operations.items()
            }
        return PluginConfig(**self._common_settings(), operations=self._terms)

    def _topic_layout(self) -> TopicLayout:
        made = self._common_topics(discover_of_anybody=self._build_directed_discover_topic(None))
        if self._hooks.has("_build_reply_topic"):
            made["reply"] = self._build_reply_topic
        if self._hooks.has("_build_operation_input_topic_for_core"):
            made["data"] = self._build_operation_input_topic_for_core
        return TopicLayout(Role.PLUGIN, self.identifier, **made)

    def _configure(self) -> None:
        machine = self._plugin_machine
        self._runtime.submit(machine.configure(self._config(), self._home.now()))
        self._closer.close(machine.pop_disallowed(), machine.close_disallowed)

    def _look_at_edits(self) -> None:
        operations, seen = self.operations, self._seen_operations
        if len(operations) == len(seen):
            for name, operation in operations.items():
                if seen.get(name) != _rules(name, operation):
                    break
            else:
                return
        self._configure()

    def _before_operations_change(self) -> None:
        self._home.check()

    def _names_of_operations(self) -> Iterable[str]:
        return {**self._earlier_operations, **self._seen_operations, **self.operations}

    def _operations_changed(self) -> None:
        if "_runtime" in vars(self):
            self._look_at_edits()

    def _protocol_filters(self) -> dict[str, channels.Channel]:
        return {
            self._build_keepalive_filter(): channels.KEEPALIVE,
            self._build_keepalive_request_filter(): channels.KEEPALIVE_REQUEST,
            self._build_reply_filter(): channels.REPLY,
            self.discover_topic: channels.DISCOVER,
            self._build_directed_discover_filter(): channels.DIRECTED_DISCOVER,
        }

    def _topic_to_itself(self) -> str:
        return ResponseTopic.build(plugin_identifier=self.identifier, core_identifier=self.identifier)

    def _switch_to_started(self) -> None:
        self.state = next_plugin_state(self.state, PluginTrigger.STARTED)
        self._rhythms.start()

    def _begin_rhythms(self) -> None:
        """Take note of a new connection."""
        self.new_connection_added_event.set()
        self._rhythms.wake()

    def _switch_to_stopped(self) -> None:
        self.state = next_plugin_state(self.state, PluginTrigger.STOPPED)

    async def _shut_down(self) -> None:
        if self._home.is_lost:
            self._rhythms.let_go()
        try:
            await self._rhythms.end()
        finally:
            try:
                await super()._shut_down()
            finally:
                await self.process_pool.close()

    async def _begin(self, effects: list[Effect]) -> None:
        self._loneliness.begin()
        # After this, a core that starts later finds the plugin by its discover, and need not hear the announcement.
        # The hook of the announcement may hang, or stop the plugin, which waits for the start. So there is a timeout.
        with suppress(TimeoutError):
            async with asyncio.timeout(_ANNOUNCING_TIMEOUT):
                await self._runtime.carry_out(effects)

    def _do_own_work(self) -> None:
        self._look_at_edits()
        self._loneliness.look(self._plugin_machine, self.eventbus_client, self._runtime.now())
        if self._plugin_machine.provider.has_news:
            self._runtime.submit(self._plugin_machine.update_operations(self._runtime.now()))

    # Topics

    @property
    def reply_topic(self) -> str:
        """Filter that matches the topics on which requests and rejects arrive."""
        return self._build_reply_filter()

    @default
    def _build_reply_topic(self, core_identifier: str) -> str:
        """Build the topic on which requests and rejects of a core arrive."""
        return ReplyTopic.build(plugin_identifier=self.identifier, core_identifier=core_identifier)

    def _build_reply_filter(self) -> str:
        """Build the filter that matches all topics on which requests and rejects arrive."""
        return ReplyTopic.filter(plugin_identifier=self.identifier)

    def _build_directed_discover_topic(self, core_identifier: str | None) -> str:
        """Build the topic for directed discovers of a core. `None` means cores that are not known yet."""
        return DirectedDiscoverTopic.build(plugin_identifier=self.identifier, core_identifier=core_identifier)

    def _build_directed_discover_filter(self) -> str:
        """Build the filter that matches all topics on which directed discovers arrive."""
        return DirectedDiscoverTopic.filter(plugin_identifier=self.identifier)

    @default
    def _build_operation_input_topic_for_core(
        self, core_identifier: str, operation_name: str, connection_identifier: str
    ) -> str:
        """Build the topic on which the inputs of one connection arrive."""
        return OperationInputTopic.build(
            plugin_identifier=self.identifier,
            core_identifier=core_identifier,
            operation_name=operation_name,
            connection_identifier=connection_identifier,
        )

    # Hooks

    @default
    async def _on_send_announcement(self, announce_message: AnnounceMessage) -> None:
        """Called before the plugin announces itself."""

    @default
    async def _on_new_discover(self, discover_message: DiscoverMessage) -> None:
        """Called when a core has sent a discover."""

    @default
    async def _on_send_offer(self, offer_message: OfferMessage) -> None:
        """Called before an offer is sent."""

    @default
    async def _on_reply(self, message: RequestOperationMessage | RejectOperationMessage) -> None:
        """Called when a core has answered an offered operation, before the hook for the kind of answer."""

    @default
    async def _on_request(self, message: RequestOperationMessage) -> None:
        """Called when a core has requested an operation."""

    @default
    async def _on_reject(self, message: RejectOperationMessage) -> None:
        """Called when a core has rejected an operation."""

    @default
    async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        """Called to set an operation up before a connection is confirmed. If it raises, the request is refused."""

    def _prepare(self, slot: Slot) -> Awaitable[None] | None:
        return Later(self._set_up, slot) if self._hooks.has("_setup_operation") else None

    async def _set_up(self, slot: Slot) -> None:
        await self._setup_operation(slot.remote_identifier, slot.operation_name, slot.setup_data)

    # Work

    def _concurrency(self, slot: Slot) -> int:
        operation = self.operations.get(slot.operation_name)
        return 1 if operation is None else operation.concurrency

    def _handle_input(
        self, connection: Connection, topic: str, event: Event[Any]
    ) -> Coroutine[Any, Any, object] | None:
        name = connection.slot.operation_name
        operation = self.operations.get(name)
        statistics, tracing = self._operation_statistics[name], self._runtime.tracing
        work: Callable[[], Coroutine[Any, Any, object]]
        if operation is not None and operation.handler is not None:
            handler = self._handlers.find(name, operation.handler)
            work = partial(self._operate, statistics, handler, connection, topic, event)
        elif event.answer_requested:
            work = partial(self._fail, statistics, name)
        else:
            return None
        if event.answer_requested and connection.slot.output_topic is not None:
            answer = self._asked.begin(connection, event)
            if answer is None:
                return None
            answer.statistics = statistics
            if tracing is None:
                return answer_input(work, connection, answer, self._asked, self._runtime.publisher)
            work = partial(answer_input, work, connection, answer, self._asked, self._runtime.publisher)
        return work() if tracing is None else tracing.handle(connection, topic, event, work)

    def _refuse_input(
        self, connection: Connection, event: Event[Any], error: DecodeError
    ) -> Coroutine[Any, Any, object] | None:
        if not event.answer_requested or connection.slot.output_topic is None:
            return None
        answer = self._asked.begin(connection, event)
        if answer is None:
            return None
        return answer_error(error, connection, answer, self._asked, self._runtime.publisher)

    async def _operate(
        self, statistics: OperationStatistics, handler: Handler, connection: Connection, topic: str, event: Event[Any]
    ) -> None:
        statistics.executions += 1
        begun = perf_counter()
        try:
            work = handler.start(connection, topic, event)
            if work is not None:
                try:
                    await work
                finally:
                    connection.touch()
        except (Exception, asyncio.CancelledError) as error:
            is_ended = isinstance(error, asyncio.CancelledError) and is_being_cancelled()
            if not is_ended and not isinstance(error, NobodyWaitsError):
                statistics.note_error(error)
            raise
        finally:
            statistics.seconds_in_handler += perf_counter() - begun

    async def _fail(self, statistics: OperationStatistics, operation_name: str) -> None:
        error = OrbiterStateError(f"{self} does not handle operation '{operation_name}' any more")
        statistics.note_error(error)
        raise error

    def _on_disconnected(self, slot: Slot, reason: CloseReason) -> None:
        self._handlers.forget(slot.operation_name)
        self._asked.forget(slot)

    def _send_result(self, connection: Connection, event: Event[Any], message: object | None) -> Awaitable[None] | None:
        slot = connection.slot
        topic = slot.output_topic
        answer = None
        if event.answer_requested:
            answer = Answer.owed_by(topic, slot.connection_identifier)
        # Without a result nothing is sent, except to a core that still waits for an answer. While a connection is
        # being closed, its core still takes outputs. After that, nobody does.
        if topic is None or (message is None and answer is None) or not slot.is_connection:
            return None
        return self._runtime.publisher.start_output(topic, message, connection.headers, answer)

    def _documentation_of(self, operation_name: str) -> str:
        operation = self.operations.get(operation_name)
        return "" if operation is None else operation.documentation

    def explain(self) -> PluginExplanation:
        """Return which cores its operations are lent to, which not, and why, for each operation."""
        self._look_at_edits()
        return explain_plugin(self.identifier, self._plugin_machine)

    def update_operations(self) -> None:
        """Apply edits of operations or policies at once, and offer and announce what has changed.

        Assigning `operations`, :meth:`with_operation` and :meth:`with_custom_policy` take effect at once. If you edit a
        dictionary or a policy in place, the edit takes effect when you call this, or within `loop_interval`.
        """
        self._look_at_edits()
        self._runtime.submit(self._plugin_machine.update_operations(self._home.now()))

    async def send_offer(self, offer_topic: str, core_identifier: str, offerable_operations: list[str]) -> None:
        """Offer operations to a core without a discover. Operations that cannot be lent to it now are left out.

        Raises:
            RemoteProtocolError: It is not possible to publish to `offer_topic`.
            TypeError: `offerable_operations` is one name instead of a list of names.
            OrbiterStateError: The plugin is not running.
        """
        if not self.is_running:
            raise OrbiterStateError(f"{self} is not running: start it before it offers anything")
        check_identifiers("offerable_operations", offerable_operations)
        self._look_at_edits()
        now = self._home.now()
        effects = self._plugin_machine.send_offer(core_identifier, offer_topic, offerable_operations, now)
        await self._runtime.carry_out(effects)

    async def send_result_to_all(self, connections: Iterable[Connection], data: Publishable) -> None:
        """Publish a result to all given connections that take an output and are still open.

        Raises:
            TypeError: `data` is not a message, the operation of a connection may not send it, or `connections` is a
                single connection.
            BusError: The result could not be published on one of the connections.
        """
        if isinstance(connections, Connection):
            check_list("connections", connections)
        connections, message = list(connections), wrap(data)
        await self._outputs.publish(connections, message, may_answer=True)

    async def send(
        self, operation: Sends[OutputOfOperation], payload: OutputOfOperation, *, core_identifier: str | None = None
    ) -> int:
        """Send an output to every core that is connected for an operation, and return the number of cores.

        Give the operation as `Lamp.temperature`, so that type checkers check `payload`. The output goes to the sinks of
        the cores. It never answers an input, even if a handler sends it. If the operation may return `None`, `None` is
        not sent.

        Args:
            operation: The operation, of any kind.
            payload: The output.
            core_identifier: The only core that gets it. By default every connected core gets it.

        Raises:
            TypeError: The operation may not send that payload, has no output, or is not an operation.
            KeyError: This plugin has no such operation.
            BusError: The output could not be published to one of the cores. The others got it.
        """
        if not is_typed_operation(operation):
            raise TypeError(
                f"expected an operation of a plugin class, such as {type(self).__name__}.temperature, got {operation!r}"
            )
        provided = self.operations.get(operation.name)
        if provided is None:
            raise KeyError(f"{self} has no operation '{operation.name}' to send outputs of; {self._known_operations()}")
        if operation.omits(payload):
            return 0
        message = operation.output_message(payload)
        self._outputs.check(operation.name, provided.output, message)
        return await self._outputs.send(operation.name, message, core_identifier)

    async def send_answer(self, connection: Connection, event: Event[Any], data: Publishable) -> None:
        """Answer an input of a connection from a task that already ran before the input arrived.

        It does nothing if the connection is closed, or if the core does not wait for the answer any more.

        A handler, and the tasks that it starts, do not need this: their first output is the answer.

        Raises:
            TypeError: `data` is not a message, or the operation may not send it.
            BusError: The answer could not be published.
        """
        message, topic = wrap(data), connection.output_topic
        if topic is None:
            return
        self._outputs.check(connection.operation_name, connection.output, message)
        if connection.can_answer and not self._asked.is_taken_back(connection.slot, event.identifier):
            waiting = self._runtime.publisher.send(
                topic, message, connection.headers, correlation_identifier=event.identifier
            )
            await self._runtime.publisher.all_published([] if waiting is None else [waiting], [])
            self._operation_statistics[connection.operation_name].answers += 1

    _calls: ClassVar = RoleCalls(
        prepare=_prepare,
        handle=_handle_input,
        take_at_once=lambda plugin, topic, event, slots: plugin._asked.take_at_once(topic, event, slots),
        dropped=lambda plugin, slot, event, is_too_much: plugin._asked.dropped(slot, event, is_too_much),
        unreadable=_refuse_input,
        concurrency=_concurrency,
        disconnected=_on_disconnected,
        compliance_changed=lambda plugin, is_compliant: None,
    )


def _rules(name: str, operation: Operation) -> tuple[object, ...]:
    """Return an operation with its policy, in a form that shows edits when it is compared.

    Raises:
        TypeError: It is not an operation. Users edit the dictionary that contains it.
    """
    if type(operation) is not Operation:
        check_entry("operations", name, operation, Operation)
    policy = operation.policy
    allowlist, blocklist = policy.allowlist, policy.blocklist
    return (
        operation.input,
        operation.output,
        policy.maximum,
        None if allowlist is None else tuple(allowlist),
        None if blocklist is None else tuple(blocklist),
    )
