"""What a core still wants, and how it asks for it: all plugins, or one that has announced itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orbitalis.protocol.constraint import Constraint
from orbitalis.protocol.effects import ComplianceChanged, Effect, MessageReceived
from orbitalis.protocol.orbiter import OrbiterProtocol
from orbitalis.protocol.remote import Standing
from orbitalis.protocol.settings import CoreSettings
from orbitalis_wire import channels, limits, timings
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import AnnounceMessage, DiscoverMessage, DiscoverQuery, EventEnvelope
from orbitalis_wire.topics import DirectedDiscoverTopic

__all__ = ["Discovering"]


class Discovering(OrbiterProtocol):
    """The part of a core's machine that knows its needs and asks for what is missing."""

    _settings: CoreSettings

    def __init__(self, settings: CoreSettings, *, new_identifier: Callable[[], str]) -> None:
        super().__init__(settings, new_identifier=new_identifier)
        self.compliant = False
        """Whether all needs were met when that was last evaluated."""
        self._discovered_at: float | None = None
        """When it was last time to discover, be it that nothing was wanted."""
        self._asked = 0
        """Where among the wanted operations the last discover ended, if they were more than it may ask for."""
        self._has_wishes = False
        """Whether the last discover wanted late offers."""
        self._directed_since = float("-inf")
        """When the directed discovers that are counted began."""
        self._directed_count = 0

    # Needs

    def current_constraint(self, operation_name: str, *, without: str | None = None) -> Constraint | None:
        """Return what is still wanted of an operation: its constraint less what is connected or requested.

        `None` if nothing more is wanted. Where only mandatory plugins are missing, they are the allowlist. What is
        shared with the plugin `without` counts as lost.
        """
        requirement = self._settings.operation_requirements.get(operation_name)
        if requirement is None:
            return None
        constraint = requirement.constraint
        missing = [
            plugin
            for plugin in constraint.mandatory
            if plugin == without or self.slots.get(plugin, operation_name) is None
        ]
        taken = self._taken(operation_name, constraint)
        if without is not None and without not in constraint.mandatory:
            taken -= self.slots.get(without, operation_name) is not None
        if not constraint.has_room(taken):
            if not missing:
                return None
            return Constraint(
                minimum=0,
                maximum=0,
                mandatory=missing,
                allowlist=missing,
                inputs=constraint.inputs,
                outputs=constraint.outputs,
            )
        return Constraint(
            minimum=max(constraint.minimum - taken, 0),
            maximum=None if constraint.maximum is None else constraint.maximum - taken,
            mandatory=missing,
            allowlist=None
            if constraint.allowlist is None
            else [*constraint.allowlist, *(plugin for plugin in missing if plugin not in constraint.allowlist)],
            blocklist=constraint.blocklist,
            inputs=constraint.inputs,
            outputs=constraint.outputs,
        )

    def is_compliant_for(self, operation_name: str) -> bool:
        """Return whether the open connections of an operation meet its constraint."""
        constraint = self._settings.operation_requirements[operation_name].constraint
        mandatory = sum(self.slots.has_open(operation_name, plugin) for plugin in set(constraint.mandatory))
        others = len(self.slots.open_of_operation(operation_name)) - mandatory
        return mandatory == len(set(constraint.mandatory)) and others >= constraint.minimum

    def is_compliant(self) -> bool:
        """Return whether all needs are met."""
        return all(self.is_compliant_for(name) for name in self._settings.operation_requirements)

    def update_compliant(self, now: float) -> list[Effect]:
        """Evaluate anew whether all needs are met."""
        if self.running:
            self._settle(now)
        return self._outbox.take()

    def operations_to_discover(self, *, without: str | None = None) -> dict[str, Constraint]:
        """Return what is still wanted, by operation name, were all that is shared with plugin `without` lost."""
        names = self._settings.operation_requirements
        wanted = ((name, self.current_constraint(name, without=without)) for name in names)
        return {name: constraint for name, constraint in wanted if constraint is not None}

    def _taken(self, operation_name: str, constraint: Constraint) -> int:
        """Count the slots of an operation that the maximum bounds."""
        mandatory = sum(self.slots.get(plugin, operation_name) is not None for plugin in set(constraint.mandatory))
        return self.slots.count(operation_name) - mandatory

    def _settle(self, now: float) -> None:
        if not self.running or (compliant := self.is_compliant()) == self.compliant:
            return
        self.compliant = compliant
        self._outbox.add(ComplianceChanged(compliant=compliant))
        if not compliant:
            self._discover_if_due(now)

    def _is_named(self, remote_identifier: str) -> bool:
        constraints = (requirement.constraint for requirement in self._settings.operation_requirements.values())
        return any(
            remote_identifier in one.mandatory or remote_identifier in (one.allowlist or ()) for one in constraints
        )

    def _forget_wishes(self, remote_identifier: str, *, but_of: str | None = None) -> None:
        # Plugins ask for nothing.
        pass

    # Discover

    def discover(self, constraints: Mapping[str, Constraint], now: float) -> list[Effect]:
        """Ask all plugins for operations; without any, nothing is sent."""
        if self.running:
            self._discover(constraints, now)
        return self._outbox.take()

    def discover_if_due(self, now: float) -> list[Effect]:
        """Ask for what is still wanted, if it is time to: soon again while needs are not met, later while they are."""
        self._discover_if_due(now)
        return self._outbox.take()

    def _discover_if_due(self, now: float) -> None:
        at = self._next_own_deadline()
        if at is not None and at <= now:
            self._discover(self.operations_to_discover(), now, replaces_earlier=True)

    def _discover(self, constraints: Mapping[str, Constraint], now: float, *, replaces_earlier: bool = False) -> None:
        self._discovered_at = now
        if constraints:
            late_offers = self._settings.late_offers
            asked = self._next_asked(constraints)
            self._send_discover(asked, late_offers=late_offers, replaces_earlier=replaces_earlier)

    def _send_discover(
        self, constraints: Mapping[str, Constraint], *, late_offers: bool, replaces_earlier: bool = False
    ) -> None:
        self._has_wishes = late_offers
        self._outbox.send(
            None,
            self._settings.discover_topic,
            channels.DISCOVER,
            self._discover_message(constraints),
            late_offers=late_offers,
            replaces_earlier=replaces_earlier,
        )

    def _discover_message(self, constraints: Mapping[str, Constraint]) -> DiscoverMessage:
        topics = self._settings.topics
        return DiscoverMessage(
            core_identifier=self._settings.identifier,
            offer_topic=topics.offer(),
            core_keepalive_topic=topics.keepalive(None),
            core_keepalive_request_topic=topics.keepalive_request(None),
            considered_dead_after=self._considered_dead_after,
            queries={name: _query(name, constraint) for name, constraint in constraints.items()},
        )

    def _next_asked(self, constraints: Mapping[str, Constraint]) -> Mapping[str, Constraint]:
        """Return of what is wanted as much as one discover may ask for, in turn if that is not all."""
        names = list(constraints)
        if len(names) <= limits.OPERATIONS_OF_MESSAGE:
            return constraints
        begin = self._asked % len(names)
        self._asked = begin + limits.OPERATIONS_OF_MESSAGE
        return {name: constraints[name] for name in (names[begin:] + names[:begin])[: limits.OPERATIONS_OF_MESSAGE]}

    def _next_own_deadline(self) -> float | None:
        if not self.running or self.leaving:
            return None
        if self._discovered_at is None:
            return float("-inf")
        settings = self._settings
        interval = settings.discovering_interval_when_compliant if self.compliant else settings.discovering_interval
        return self._discovered_at + interval

    def _on_start(self, now: float) -> None:
        self._discovered_at = None
        self._directed_since = float("-inf")
        self.compliant = self.is_compliant()
        self._outbox.add(ComplianceChanged(compliant=self.compliant))

    def _on_leave(self) -> None:
        if self._has_wishes:
            self._send_discover({}, late_offers=False)

    def _on_stop(self) -> None:
        self.compliant = False
        self._on_leave()

    def _on_reconnected(self, now: float) -> None:
        self._discovered_at = None

    # Announcement

    def _on_announcement(self, message: AnnounceMessage, envelope: EventEnvelope, now: float) -> None:
        """Ask a plugin for what it has and is wanted.

        Anybody can publish an announcement in its name, so this changes nothing here: if the plugin has started anew,
        its answer says so.
        """
        plugin = message.plugin_identifier
        self._check_sender(plugin)
        topic = self._told.resolve(DirectedDiscoverTopic, plugin, message.discover_topic)
        standing = self.acquaintances.standing(plugin, envelope)
        if standing is Standing.STALE:
            return
        self._outbox.add(MessageReceived(remote_identifier=plugin, message=message))
        if self.leaving:
            return
        if standing is Standing.NEWER and self.slots.has_remote(plugin):
            wanted = self.operations_to_discover(without=plugin)
        else:
            wanted = self.operations_to_discover()
            if not any(self._wants(plugin, name, wanted) for name in message.operation_names):
                return
            if (at := self._next_own_deadline()) is not None and at <= now:
                self._discover(wanted, now, replaces_earlier=True)
                return
        self._send_directed_discover(message, topic, wanted, envelope, now)

    def _wants(self, plugin: str, operation_name: str, wanted: Mapping[str, Constraint]) -> bool:
        """Return whether an operation is wanted of a plugin that may not have been asked for it."""
        return (
            operation_name in wanted
            and wanted[operation_name].admits(plugin)
            and self.slots.get(plugin, operation_name) is None
        )

    def _send_directed_discover(
        self,
        announcement: AnnounceMessage,
        topic: str,
        constraints: Mapping[str, Constraint],
        envelope: EventEnvelope,
        now: float,
    ) -> None:
        """Ask one plugin, unless too many are asked already; first for what it has, if that is not all."""
        if now >= self._directed_since + timings.DIRECTED_DISCOVERS_INTERVAL:
            self._directed_since = now
            self._directed_count = 0
        if self._directed_count >= limits.DIRECTED_DISCOVERS:
            return
        self._directed_count += 1
        plugin, announced = announcement.plugin_identifier, set(announcement.operation_names)
        names = sorted(
            (name for name, one in constraints.items() if one.admits(plugin)), key=lambda name: name not in announced
        )[: limits.OPERATIONS_OF_MESSAGE]
        self._has_wishes = self._has_wishes or self._settings.late_offers
        self._outbox.send(
            plugin,
            topic,
            channels.DIRECTED_DISCOVER,
            self._discover_message({name: constraints[name] for name in names}),
            correlation_identifier=envelope.identifier,
            late_offers=self._settings.late_offers,
            encoding=Encoding.JSON,
        )


def _query(operation_name: str, constraint: Constraint) -> DiscoverQuery:
    return DiscoverQuery(
        operation_name=operation_name,
        inputs=constraint.inputs,
        outputs=constraint.outputs,
        allowlist=constraint.allowlist,
        blocklist=None if constraint.allowlist is not None else constraint.blocklist,
    )
