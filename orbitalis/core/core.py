"""The base class of cores, which users subclass: :class:`Core`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, ClassVar, Self

from orbitalis.arguments import Identifiers, did_you_mean
from orbitalis.bus.client import Later
from orbitalis.core.awaited_answers import AwaitedAnswers
from orbitalis.core.compliance_events import ComplianceEvents
from orbitalis.core.explanation import explain_core
from orbitalis.core.missing_operations import MissingOperations
from orbitalis.core.request import OperationRequester
from orbitalis.core.unused_sinks import warn_of_unused_sinks
from orbitalis.errors import OrbiterStateError
from orbitalis.message.event import Event, IdentifierSource
from orbitalis.operations.connection import Connection
from orbitalis.operations.constraint import Constraint
from orbitalis.operations.explanation import CoreExplanation
from orbitalis.operations.handlers import GivenHandler, Handler, HandlerCache, as_event_handler
from orbitalis.operations.requirements import OperationRequirement
from orbitalis.operations.sink_decorator import declared_sinks, read_sinks
from orbitalis.operations.typed_operation import TypedOperation
from orbitalis.orbiter.asides import Asides
from orbitalis.orbiter.attributes import check_entry
from orbitalis.orbiter.hooks import default
from orbitalis.orbiter.role_calls import RoleCalls
from orbitalis.protocol.config import CoreConfig, RequirementTerms, TopicLayout
from orbitalis.protocol.machine import CoreMachine
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import CoreState, CoreTrigger, Role, next_core_state
from orbitalis_wire import channels, timings
from orbitalis_wire.messages import (
    AnnounceMessage,
    ConfirmConnectionMessage,
    DiscoverMessage,
    OfferedOperation,
    OfferMessage,
    OperationNoLongerAvailableMessage,
)
from orbitalis_wire.topics import OfferTopic, OperationOutputTopic, ReplyTopic, ResponseTopic

__all__ = ["Core"]


@dataclass(kw_only=True, eq=False)
class Core(OperationRequester):
    """A core needs operations and executes them. Subclasses are dataclasses whose methods are sinks.

    Example:
        core = Core(identifier="home", eventbus_client=connect("mqtt://localhost:1883"))
        core.with_requirement(TextPlugin.lowercase, minimum=1)
        async with core:
            await core.compliant_event.wait()
            print(await core.request(TextPlugin.lowercase, "HELLO"))

    All arguments are given by name and have defaults. `identifier` is unique on the bus. By default, `eventbus_client`
    is a client of the bus that `ORBITALIS_BUS` names. Durations are in seconds.

    A subclass may override these hooks. They may be asynchronous or not, and do nothing by default:

    - Life: `_on_starting`, `_on_started`, `_on_stopping`, `_on_stopped`.
    - The loop: `_on_loop_start`, `_on_new_loop_iteration`, `_on_loop_iteration`, `_on_loop_iteration_end`.
    - Compliance: `_on_compliant`, `_on_not_compliant`.
    - The handshake: `_on_new_announcement`, `_on_send_discover`, `_on_new_offer`, `_get_setup_data`, `_on_response`,
      `_on_confirm_connection`, `_on_operation_no_longer_available`.
    - Connections: `_on_promote_pending_request_to_connection`, `_on_graceful_close_connection`,
      `_on_graceless_close_connection`, `_on_close_connection`, `_get_on_close_data`.
    - Remotes: `_on_keepalive`, `_on_keepalive_request`, `_on_remote_dead`.

    A subclass may also override the methods that build its topics. These are not asynchronous:

    - `_build_keepalive_topic`, `_build_keepalive_request_topic`, `_build_incoming_close_connection_topic`,
      `_build_ack_close_topic`, `_build_response_topic`, `_build_operation_output_topic`.

    If a subclass has its own `__post_init__`, it has to call `super().__post_init__()`.
    """

    _role: ClassVar[Role] = Role.CORE
    _configured: ClassVar[frozenset[str]] = frozenset({*CoreConfig.__dataclass_fields__, "operation_requirements"})

    operation_requirements: dict[str, OperationRequirement] = field(
        default_factory=dict[str, OperationRequirement], repr=False
    )
    """By operation name: the requirements that have to be met; may be edited while the core runs."""
    operation_sinks: dict[str, GivenHandler] = field(default_factory=dict[str, GivenHandler], repr=False)
    """By operation name: what takes the outputs, methods with `@sink` included; edits count from the next output on."""
    late_offers: bool = field(default=True, repr=False)
    """Whether it wants late offers: of operations that a plugin cannot offer when it is asked."""
    discovering_interval: float = field(default=timings.DISCOVERING_INTERVAL, repr=False)
    """Seconds between two discovers while it is not compliant."""
    discovering_interval_when_compliant: float = field(default=timings.DISCOVERING_INTERVAL_WHEN_COMPLIANT, repr=False)
    """Seconds between two discovers while it is compliant and could use more plugins."""

    def __post_init__(self) -> None:
        """Collect the sinks."""
        self._executions = set()
        self._awaited = AwaitedAnswers()
        self._alarm = None
        self.dropped_answers = 0
        self._seen_requirements: dict[str, tuple[object, ...]] = {}
        """The requirements at the time when the state machine got its snapshot."""
        self._all_requirements: dict[str, object] = {}
        """All operations that it has ever needed, by name."""
        self._terms: Mapping[str, RequirementTerms] = {}
        self._handlers = HandlerCache()
        super().__post_init__()
        self._asides = Asides(self._runtime.publisher, self._runtime.queues)
        self.state = CoreState.CREATED
        """Its state. Read it, and do not assign it."""
        self._compliance_events = ComplianceEvents(self._home)
        self._missing_operations = MissingOperations(self.identifier)
        self._handlers = HandlerCache()
        self.operation_sinks = {**declared_sinks(self), **self.operation_sinks}

    def __init_subclass__(cls, **arguments: object) -> None:
        """Read the sinks that the methods declare.

        Raises:
            TypeError: Annotations are wrong, or two methods are sinks of the same operation.
        """
        super().__init_subclass__(**arguments)
        read_sinks(cls)

    # What it needs, and what takes the outputs

    def with_requirement(
        self,
        operation: TypedOperation[Any, Any, Any],
        *,
        minimum: int = 0,
        maximum: int | None = None,
        mandatory: Identifiers = (),
        allowlist: Identifiers | None = None,
        blocklist: Identifiers | None = None,
        spellings: Collection[str] = (),
        exact: bool = False,
        override_sink: GivenHandler | None = None,
        default_setup_data: bytes | None = None,
    ) -> Self:
        """Add a requirement for an operation of a plugin class, and return the core.

        Args:
            operation: The operation, such as `TextPlugin.lowercase`.
            minimum: Number of plugins that the core needs to be compliant, not counting mandatory ones.
            maximum: Number of plugins that it takes at most, not counting mandatory ones. `None`: any number.
            mandatory: Identifiers of plugins that it needs in any case.
            allowlist: Identifiers of the only other plugins that it takes. Not together with `blocklist`.
            blocklist: Identifiers of plugins that it does not take.
            spellings: Other texts of the operation's schemas, for peers that compare them as texts.
            exact: Whether plugins need exactly the same schemas, instead of compatible ones.
            override_sink: A sink that gets the outputs instead of the core's sink of the operation.
            default_setup_data: Setup data that each plugin gets.

        Raises:
            ValueError: The rules contradict each other.
            TypeError: `operation` is not an operation of a plugin class, its annotations cannot be read, or a list is
                a single text.
        """
        is_made = "_runtime" in vars(self)  # not in an `__init__` or `__post_init__` before it calls that of its base
        if is_made:
            self._home.check()
        requirement = OperationRequirement.for_operation(
            operation,
            minimum=minimum,
            maximum=maximum,
            mandatory=mandatory,
            allowlist=allowlist,
            blocklist=blocklist,
            spellings=spellings,
            exact=exact,
            override_sink=override_sink,
            default_setup_data=default_setup_data,
        )
        self.operation_requirements[operation.name] = requirement
        if is_made:
            self._look_at_edits()
        return self

    def with_operation_sink(self, operation_name: str, handler: GivenHandler) -> Self:
        """Add or replace the sink of an operation, and return the core. It may have connections."""
        self.operation_sinks[operation_name] = as_event_handler(handler)
        return self

    # Life cycle

    @property
    def is_running(self) -> bool:
        """Whether the core runs: it has started and has not stopped."""
        return self.state in (CoreState.COMPLIANT, CoreState.NOT_COMPLIANT)

    @property
    def compliant_event(self) -> asyncio.Event:
        """An event that is set while the core is compliant. Each event loop in which it runs has its own."""
        return self._compliance_events.compliant

    @property
    def not_compliant_event(self) -> asyncio.Event:
        """An event that is set while the core runs and is not compliant. Each event loop has its own."""
        return self._compliance_events.not_compliant

    def _make_machine(self) -> CoreMachine:
        source = IdentifierSource()
        self._core_machine = CoreMachine(
            self._config(), new_identifier=source, new_challenge=source.unguessable, is_own=source.has_given
        )
        return self._core_machine

    def _config(self) -> CoreConfig:
        seen = {name: _rules(name, requirement) for name, requirement in self.operation_requirements.items()}
        if seen != self._seen_requirements:
            self._seen_requirements = seen
            self._all_requirements.update(seen)
            self._terms = {
                name: requirement.constraint.terms() for name, requirement in self.operation_requirements.items()
            }
        return CoreConfig(
            **self._common_settings(),
            requirements=self._terms,
            late_offers=self.late_offers,
            discovering_interval=self.discovering_interval,
            discovering_interval_when_compliant=self.discovering_interval_when_compliant,
        )

    def _topic_layout(self) -> TopicLayout:
        made = self._common_topics(offer_of_anybody=self._build_offer_topic(None))
        if self._hooks.has("_build_response_topic"):
            made["response"] = self._build_response_topic
        if self._hooks.has("_build_operation_output_topic"):
            made["data"] = self._build_operation_output_topic
        return TopicLayout(Role.CORE, self.identifier, **made)

    def _configure(self) -> None:
        self._runtime.submit(self._core_machine.configure(self._config(), self._home.now()))

    def _look_at_edits(self) -> None:
        requirements, seen = self.operation_requirements, self._seen_requirements
        if len(requirements) == len(seen):
            for name, requirement in requirements.items():
                if seen.get(name) != _rules(name, requirement):
                    break
            else:
                return
        self._configure()

    def _names_of_operations(self) -> Iterable[str]:
        return {**self._all_requirements, **self.operation_requirements, **self.operation_sinks}

    def _protocol_filters(self) -> dict[str, channels.Channel]:
        return {
            self._build_keepalive_filter(): channels.KEEPALIVE,
            self._build_keepalive_request_filter(): channels.KEEPALIVE_REQUEST,
            self._build_offer_filter(): channels.OFFER,
            self._build_response_filter(): channels.RESPONSE,
            self.announce_topic: channels.ANNOUNCE,
        }

    def _topic_to_itself(self) -> str:
        return ReplyTopic.build(plugin_identifier=self.identifier, core_identifier=self.identifier)

    def _switch_to_stopped(self) -> None:
        self.state = next_core_state(self.state, CoreTrigger.STOPPED)
        self._cancel_executions()
        self.compliant_event.clear()
        self.not_compliant_event.clear()

    async def _internal_start(self, *args: Any, **kwargs: Any) -> None:
        await super()._internal_start(*args, **kwargs)
        warn_of_unused_sinks(self.identifier, self.operation_sinks, self.operation_requirements)
        self._runtime.submit(self._core_machine.discover_if_due(self._runtime.now()))

    async def _shut_down(self) -> None:
        if self._home.is_lost:
            self._let_go_of_requests()
            self._executions.clear()
        try:
            await super()._shut_down()
        finally:
            self._silence_requests()
            await self._end_executions()

    def _do_own_work(self) -> None:
        self._look_at_edits()
        now = self._runtime.now()
        self._missing_operations.look(self._core_machine, self.eventbus_client, now)
        self._runtime.submit(self._core_machine.discover_if_due(now))

    def _do_what_is_due(self) -> None:
        super()._do_what_is_due()
        self._runtime.submit(self._core_machine.discover_if_due(self._runtime.now()))

    # Topics

    @property
    def offer_topic(self) -> str:
        """Topic on which offers arrive from plugins that are not known yet."""
        return self._build_offer_topic(None)

    @property
    def response_topic(self) -> str:
        """Filter that matches the topics on which plugins answer requests."""
        return self._build_response_filter()

    def _build_offer_topic(self, plugin_identifier: str | None) -> str:
        """Build the topic for offers of a plugin. `None` means plugins that are not known yet."""
        return OfferTopic.build(core_identifier=self.identifier, plugin_identifier=plugin_identifier)

    def _build_offer_filter(self) -> str:
        """Build the filter that matches all topics on which offers arrive."""
        return OfferTopic.filter(core_identifier=self.identifier)

    @default
    def _build_response_topic(self, plugin_identifier: str) -> str:
        """Build the topic on which a plugin answers requests."""
        return ResponseTopic.build(core_identifier=self.identifier, plugin_identifier=plugin_identifier)

    def _build_response_filter(self) -> str:
        """Build the filter that matches all topics on which plugins answer requests."""
        return ResponseTopic.filter(core_identifier=self.identifier)

    @default
    def _build_operation_output_topic(
        self, plugin_identifier: str, operation_name: str, connection_identifier: str
    ) -> str:
        """Build the topic on which the outputs of one connection arrive."""
        return OperationOutputTopic.build(
            core_identifier=self.identifier,
            plugin_identifier=plugin_identifier,
            operation_name=operation_name,
            connection_identifier=connection_identifier,
        )

    # Hooks

    @default
    async def _on_compliant(self) -> None:
        """Called when the core has become compliant."""

    @default
    async def _on_not_compliant(self) -> None:
        """Called when the core is not compliant any more."""

    @default
    async def _on_new_announcement(self, announce_message: AnnounceMessage) -> None:
        """Called when an announcement of a plugin has arrived. Somebody else may have sent it in its name."""

    @default
    async def _on_send_discover(self, discover_message: DiscoverMessage) -> None:
        """Called before a discover is sent. A discover without queries takes earlier ones back."""

    @default
    async def _get_setup_data(self, plugin_identifier: str, offered_operation: OfferedOperation) -> bytes | None:
        """Return the setup data for a plugin. If it raises, the connection is given up."""
        requirement = self.operation_requirements.get(offered_operation.name)
        return None if requirement is None else requirement.default_setup_data

    @default
    async def _on_new_offer(self, offer_message: OfferMessage) -> None:
        """Called when a plugin has sent an offer."""

    @default
    async def _on_response(self, message: ConfirmConnectionMessage | OperationNoLongerAvailableMessage) -> None:
        """Called when a plugin has answered a request, before the hook for the kind of answer."""

    @default
    async def _on_confirm_connection(self, confirm_connection_message: ConfirmConnectionMessage) -> None:
        """Called when a plugin has confirmed a connection."""

    @default
    async def _on_operation_no_longer_available(self, message: OperationNoLongerAvailableMessage) -> None:
        """Called when a plugin cannot lend an operation any more."""

    def _prepare(self, slot: Slot) -> Awaitable[bytes | None] | bytes | None:
        if self._hooks.has("_get_setup_data"):
            return Later(self._ask_for_setup_data, slot)
        requirement = self.operation_requirements.get(slot.operation_name)
        return None if requirement is None else requirement.default_setup_data

    async def _ask_for_setup_data(self, slot: Slot) -> bytes | None:
        offered = OfferedOperation(name=slot.operation_name, input=slot.input, output=slot.output)
        return await self._get_setup_data(slot.remote_identifier, offered)

    # Compliance

    def current_constraint_for_operation(self, operation_name: str) -> Constraint | None:
        """Return what is still missing for an operation, with its connections and requests, or `None`."""
        self._look_at_edits()
        wanted = self._core_machine.requester.still_wanted(operation_name)
        return None if wanted is None else Constraint.of(wanted)

    def is_compliant_for_operation(self, operation_name: str) -> bool:
        """Return whether the open connections of a required operation meet its constraint.

        Raises:
            KeyError: The operation is not required.
        """
        self._look_at_edits()
        if operation_name not in self.operation_requirements:
            near = did_you_mean(operation_name, self.operation_requirements)
            raise KeyError(f"{self} does not require operation '{operation_name}'{near}")
        return self._core_machine.requester.is_compliant_for(operation_name)

    def is_compliant(self) -> bool:
        """Return whether the open connections meet all requirements now."""
        self._look_at_edits()
        return self._core_machine.requester.is_compliant()

    def explain(self) -> CoreExplanation:
        """Return which connections the core has, which it lacks, and why, for each requirement."""
        self._look_at_edits()
        return explain_core(self.identifier, self._core_machine)

    def update_compliant(self) -> None:
        """Apply edits of the requirements at once. Otherwise the loop applies them."""
        self._look_at_edits()

    def _operation_to_discover(self) -> Mapping[str, Constraint]:
        """Return the constraints that are still missing, by operation name."""
        found = ((name, self.current_constraint_for_operation(name)) for name in self.operation_requirements)
        return {name: constraint for name, constraint in found if constraint is not None}

    def _on_compliance_changed(self, compliant: bool) -> None:
        if self.is_running:
            trigger = CoreTrigger.NEEDS_MET if compliant else CoreTrigger.NEEDS_NOT_MET
        else:
            trigger = CoreTrigger.STARTED_COMPLIANT if compliant else CoreTrigger.STARTED
        self.state = next_core_state(self.state, trigger)
        self._missing_operations.tell_change(self._core_machine, compliant)
        reached, left = self.compliant_event, self.not_compliant_event
        if not compliant:
            reached, left = left, reached
        left.clear()
        reached.set()

    # Discover

    async def send_discover_for_operations(self, operation_requirements: Mapping[str, Constraint]) -> None:
        """Ask all plugins for operations.

        Raises:
            OrbiterStateError: It is not running.
        """
        if not self.is_running:
            raise OrbiterStateError(f"{self} is not running: start it before it asks for anything")
        wanted = {name: constraint.terms() for name, constraint in operation_requirements.items()}
        await self._runtime.carry_out(self._core_machine.discover(wanted, self._home.now()))

    async def send_discover_based_on_requirements(self) -> None:
        """Ask all plugins for the operations that are still missing. Nothing is sent if none is missing.

        Raises:
            OrbiterStateError: It is not running.
        """
        await self.send_discover_for_operations(self._operation_to_discover())

    # Outputs

    def _handle_output(
        self, connection: Connection, topic: str, event: Event[Any]
    ) -> Coroutine[Any, Any, object] | None:
        name = connection.slot.operation_name
        requirement = self.operation_requirements.get(name)
        given = None if requirement is None else requirement.override_sink
        if given is None:
            given = self.operation_sinks.get(name)
        if given is None:
            return None
        handler, tracing = self._handlers.find(name, given), self._runtime.tracing
        if tracing is None:
            return self._sink_output(handler, connection, topic, event)
        work = partial(self._sink_output, handler, connection, topic, event)
        return tracing.handle(connection, topic, event, work)

    async def _sink_output(self, handler: Handler, connection: Connection, topic: str, event: Event[Any]) -> None:
        begun = perf_counter()
        try:
            work = handler.start(connection, topic, event)
            if work is not None:
                try:
                    await work
                finally:
                    connection.touch()
        finally:
            name = connection.slot.operation_name
            self._operation_statistics[name].seconds_in_handler += perf_counter() - begun

    _calls: ClassVar = RoleCalls(
        prepare=_prepare,
        handle=_handle_output,
        take_at_once=OperationRequester._take_answer,
        dropped=lambda core, slot, event, is_too_much: None,
        unreadable=lambda core, connection, event, error: None,
        concurrency=lambda core, slot: 1,
        disconnected=OperationRequester._on_disconnected,
        compliance_changed=_on_compliance_changed,
    )


def _rules(name: str, requirement: OperationRequirement) -> tuple[object, ...]:
    """Return the rules of a requirement, in a form that shows edits when it is compared.

    Raises:
        TypeError: It is not a requirement. Users edit the dictionary that contains it.
    """
    if type(requirement) is not OperationRequirement:
        check_entry("operation_requirements", name, requirement, OperationRequirement)
    constraint = requirement.constraint
    allowlist, blocklist = constraint.allowlist, constraint.blocklist
    return (
        constraint.minimum,
        constraint.maximum,
        tuple(constraint.mandatory),
        None if allowlist is None else tuple(allowlist),
        None if blocklist is None else tuple(blocklist),
        tuple(constraint.inputs),
        tuple(constraint.outputs),
    )
