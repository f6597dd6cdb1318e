"""Mutants of what cores and plugins share: changes of loops, hooks, effects and snapshots that break a promise."""

from __future__ import annotations

from tests.mutation.mutant import Mutant

__all__ = ["ORBITER_MUTANTS"]

ORBITER_MUTANTS = [
    # Loops and hooks
    Mutant(
        name="alarm-rings-once",
        file="orbitalis/orbiter/loop.py",
        old="        self._attempt(self._work.when_due, self._owner)\n        self.look_again()\n",
        new="        self._attempt(self._work.when_due, self._owner)\n",
    ),
    Mutant(
        name="alarm-rings-no-earlier",
        file="orbitalis/orbiter/loop.py",
        old="            if self._alarm.when() <= at:\n                return\n",
        new="            return\n",
    ),
    Mutant(
        name="nothing-done-while-an-iteration-hangs",
        file="orbitalis/orbiter/loop.py",
        old="            self._attempt(self._work.meanwhile, self._owner)",
        new="            pass",
    ),
    Mutant(
        name="paused-loop-keeps-its-alarm",
        file="orbitalis/orbiter/loop.py",
        old="        self.is_paused = self.is_running\n        self._silence()",
        new="        self.is_paused = self.is_running",
    ),
    Mutant(
        name="stopped-loop-is-not-waited-for",
        file="orbitalis/orbiter/loop.py",
        old="        if not tasks:\n            return\n        _, late",
        new="        return\n        _, late",
    ),
    Mutant(
        name="stopped-loop-keeps-its-timer",
        file="orbitalis/orbiter/loop.py",
        old="            self._timer.cancel()\n            self._timer = None\n",
        new="            self._timer = None\n",
    ),
    Mutant(
        name="resumed-loop-iterates-twice-at-a-time",
        file="orbitalis/orbiter/loop.py",
        old="        if self.is_running and self._timer is None:\n",
        new="        if self.is_running:\n",
    ),
    Mutant(
        name="iteration-of-an-ended-run-goes-on",
        file="orbitalis/orbiter/loop.py",
        old="        if self._current is task:\n",
        new="        if True:\n",
    ),
    Mutant(
        name="failing-iteration-ends-the-loop",
        file="orbitalis/orbiter/loop.py",
        old="        waiting = self._attempt(work, self._owner)\n",
        new="        waiting = work(self._owner)\n",
    ),
    Mutant(
        name="first-iteration-waits-after-the-hook-of-the-start",
        file="orbitalis/orbiter/loop.py",
        old="        self._attend(self._work.on_start, lambda _: 0)",
        new="        self._attend(self._work.on_start, self._work.interval)",
    ),
    Mutant(
        name="hooks-called-that-are-not-overridden",
        file="orbitalis/orbiter/hooks.py",
        old="    return frozenset(name for name in marked if not _is_default(getattr(orbiter_class, name)))\n",
        new="    return frozenset(marked)\n",
    ),
    Mutant(
        name="hooks-of-one-object-not-called",
        file="orbitalis/orbiter/hooks.py",
        old="        if name in self.overridden or name in self.attributes:\n            return Later",
        new="        if name in self.overridden:\n            return Later",
    ),
    Mutant(
        name="override-that-looks-like-the-default-not-called",
        file="orbitalis/orbiter/hooks.py",
        old="    return getattr(attribute, _DEFAULT, None) is attribute\n",
        new="    return getattr(attribute, _DEFAULT, None) is not None\n",
    ),
    Mutant(
        name="hooks-failure-is-everybodys",
        file="orbitalis/orbiter/hooks.py",
        old="            )\n            return None\n",
        new="            )\n            raise\n",
    ),
    # Effects
    Mutant(
        name="compliance-in-the-queue-of-a-remote",
        file="orbitalis/orbiter/runtime.py",
        old="    return _OWN_KEY if type(effect) is ComplianceChanged else effect.remote_identifier\n",
        new="    return effect.remote_identifier\n",
    ),
    Mutant(
        name="state-changes-after-the-hook-before",
        file="orbitalis/orbiter/runtime.py",
        old='        return self.hooks.start("_on_compliant"',
        new="        self._calls.compliance_changed(self._orbiter, effect.compliant)\n"
        '        return self.hooks.start("_on_compliant"',
    ),
    Mutant(
        name="effects-within-effects",
        file="orbitalis/orbiter/runtime.py",
        old="        if self._under_way:\n            self._under_way += effects\n            return\n",
        new="",
    ),
    Mutant(
        name="a-deadline-that-comes-earlier-not-looked-at",
        file="orbitalis/orbiter/runtime.py",
        old="        if self.machine.deadline_has_moved():\n",
        new="        if False:\n",
    ),
    Mutant(
        name="preparation-outlives-its-request",
        file="orbitalis/orbiter/runtime.py",
        old="            self.queues.end(PreparationWork(effect.slot))\n",
        new="            pass\n",
    ),
    Mutant(
        name="failed-preparation-not-reported",
        file="orbitalis/orbiter/runtime.py",
        old="            self.submit(self.machine.preparation_failed(slot, identifier, self.now(), reason))",
        new="            pass",
    ),
    Mutant(
        name="failed-subscription-not-reported",
        file="orbitalis/orbiter/runtime.py",
        old=(
            "        self.submit(self.machine.preparation_failed("
            "slot, effect.connection_identifier, self.now(), reason))"
        ),
        new="        pass",
    ),
    Mutant(
        name="prepared-for-what-is-no-more",
        file="orbitalis/orbiter/runtime.py",
        old="        if slot.state is not SlotState.PREPARING:\n            return",
        new="        if False:\n            return",
    ),
    Mutant(
        name="prepared-for-what-came-to-nothing-meanwhile",
        file="orbitalis/orbiter/runtime.py",
        old="            if effect.slot.state is SlotState.PREPARING:\n",
        new="            if True:\n",
    ),
    Mutant(
        name="early-outputs-wait-for-ever",
        file="orbitalis/orbiter/runtime.py",
        old="        self.delivery.decided(effect.slot)\n",
        new="",
    ),
    Mutant(
        name="early-outputs-before-the-connection",
        file="orbitalis/orbiter/delivery.py",
        old="        await undecided.wait()\n",
        new="",
    ),
    Mutant(
        name="ending-connection-goes-on-draining",
        file="orbitalis/orbiter/runtime.py",
        old="            self.queues.end(DrainingWork(slot))\n",
        new="            pass\n",
    ),
    Mutant(
        name="closed-as-unused-while-data-is-handled",
        file="orbitalis/orbiter/connection_closer.py",
        old="return self._runtime.delivery.is_busy(slot) or self._is_awaiting(slot)",
        new="return self._is_awaiting(slot)",
    ),
    Mutant(
        name="edits-while-it-starts-do-not-count",
        file="orbitalis/orbiter/orbiter.py",
        old="        self._configure()\n        effects = self._machine.start(",
        new="        effects = self._machine.start(",
    ),
    Mutant(
        name="closed-as-unused-while-an-answer-is-awaited",
        file="orbitalis/core/request.py",
        old="        return self._awaited.are_on(slot)",
        new="        return False",
    ),
    Mutant(
        name="headers-on-the-topic-that-the-remote-publishes-to",
        file="orbitalis/orbiter/runtime.py",
        old="            if slot.outgoing_data_topic == topic and isinstance(slot.view, Connection):\n",
        new="            if isinstance(slot.view, Connection):\n",
    ),
    Mutant(
        name="inputs-with-the-headers-of-another-connection",
        file="orbitalis/core/execution.py",
        old="            connection.headers,\n            identifier=",
        new="            self._runtime._headers_on(topic),\n            identifier=",
    ),
    Mutant(
        name="answer-on-another-connection",
        file="orbitalis/operations/answer.py",
        old="        return answer if answer.headers.connection_identifier == connection_identifier else None\n",
        new="        return answer\n",
    ),
    Mutant(
        name="shared-topic-unsubscribed",
        file="orbitalis/orbiter/runtime.py",
        old="            if not [slot for slot in self.machine.slots.of_topic(topic) if topic in slot.local_topics]\n",
        new="",
    ),
    Mutant(
        name="any-message-on-any-channel",
        file="orbitalis/orbiter/channel_receiver.py",
        old="        if type(payload) in self._messages:",
        new="        if payload is not None:",
    ),
    Mutant(
        name="any-message-decoded-on-any-channel",
        file="orbitalis/orbiter/channel_receiver.py",
        old="        return message_class in self._messages",
        new="        return True",
    ),
    Mutant(
        name="any-data-decoded",
        file="orbitalis/orbiter/delivery.py",
        old="        return message_class in _ABOUT_DATA or any(",
        new="        return True or any(",
    ),
    Mutant(
        name="errors-not-decoded",
        file="orbitalis/orbiter/delivery.py",
        old="        return message_class in _ABOUT_DATA or any(",
        new="        return any(",
    ),
    Mutant(
        name="part-asks-the-first-handler",
        file="orbitalis/bus/several.py",
        old="        return self._parts.whole.takes(topic, message_class)",
        new="        return self.handler.takes(topic, message_class)",
    ),
    Mutant(
        name="no-limit-of-waiting-work",
        file="orbitalis/orbiter/runtime.py",
        old="        if self.queues.waiting and self._is_overloaded(topic, sender_of(message)):",
        new="        if False:",
    ),
    Mutant(
        name="work-that-waits-takes-no-memory",
        file="orbitalis/orbiter/runtime.py",
        old="    if isinstance(effect, (Send, MessageReceived)):\n",
        new="    if False:\n",
    ),
    Mutant(
        name="namesake-on-another-bus-heard",
        file="orbitalis/orbiter/runtime.py",
        old="        if event.origin is not None and not self._is_in_place(topic, message, event):",
        new="        if False:",
    ),
    Mutant(
        name="data-from-any-bus",
        file="orbitalis/orbiter/delivery.py",
        old="            and (origin is None or origin == self._locator.bus_of(slot.remote_identifier))\n",
        new="",
    ),
    Mutant(
        name="outage-not-reported",
        file="orbitalis/orbiter/runtime.py",
        old="client.publish_message, client.on_reconnected = self.publisher, self.reconnected",
        new="client.publish_message, client.on_reconnected = self.publisher, None",
    ),
    Mutant(
        name="bus-error-ends-a-queue",
        file="orbitalis/orbiter/runtime.py",
        old="        except (BusError, ValueError) as error:\n            # Strangers",
        new="        except ZeroDivisionError as error:\n            # Strangers",
    ),
    Mutant(
        name="held-closes-not-sent",
        file="orbitalis/orbiter/runtime.py",
        old="            if isinstance(effect.message, GracelessCloseConnectionMessage):",
        new="            if False:",
    ),
    Mutant(
        name="remains-of-a-start-left",
        file="orbitalis/orbiter/orbiter.py",
        old="except BaseException:\n                    await self._remove_remains()\n",
        new="except BaseException:\n",
    ),
    Mutant(
        name="a-hook-waits-for-its-own-queue",
        file="orbitalis/orbiter/runtime.py",
        old="        if under_way and not self.queues.is_around and not self._loop.is_around:",
        new="        if under_way:",
    ),
    Mutant(
        name="closes-do-not-wait-for-hooks-of-compliance",
        file="orbitalis/orbiter/runtime.py",
        old="        await self.settle(map(_key_of, effects))\n",
        new="        await self.settle([effect.remote_identifier for effect in effects])\n",
    ),
    Mutant(
        name="queue-cancelled-at-birth-never-ends",
        file="orbitalis/orbiter/peer_queues.py",
        old="        queue.task.add_done_callback(lambda _: self._close(key, queue))\n",
        new="",
    ),
    Mutant(
        name="abandoned-work-keeps-others-waiting",
        file="orbitalis/orbiter/peer_queues.py",
        old=(
            "        for work, _ in queue.waiting:\n"
            "            if isinstance(work, _Mark):\n"
            "                work.tell()\n"
            "        queue.waiting.clear()"
        ),
        new="        queue.waiting.clear()",
    ),
    Mutant(
        name="interrupted-work-ends-its-queue",
        file="orbitalis/orbiter/peer_queues.py",
        old="                queue.task.uncancel()\n",
        new="                raise\n",
    ),
    Mutant(
        name="periodic-work-piles-up",
        file="orbitalis/orbiter/runtime.py",
        old=" if isinstance(effect, Send) and effect.replaces_earlier else None",
        new=" if False else None",
    ),
    # Snapshots
    Mutant(
        name="assigned-attributes-count-after-the-next-start",
        file="orbitalis/orbiter/orbiter.py",
        old="            self._configure()\n\n    @property",
        new="            pass\n\n    @property",
    ),
    Mutant(
        name="edited-requirements-not-noticed",
        file="orbitalis/core/core.py",
        old="                if seen.get(name) != _rules(name, requirement):\n                    break\n",
        new="                if name not in seen:\n                    break\n",
    ),
    Mutant(
        name="edited-policies-not-noticed",
        file="orbitalis/plugin/plugin.py",
        old="                if seen.get(name) != _rules(name, operation):\n                    break\n",
        new="                if name not in seen:\n                    break\n",
    ),
]
