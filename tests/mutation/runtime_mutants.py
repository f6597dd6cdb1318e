"""Mutants of the runtime: changes of orbiters, of their requests and of clients of buses that break a promise."""

from __future__ import annotations

from tests.mutation.mutant import Mutant

__all__ = ["RUNTIME_MUTANTS"]

RUNTIME_MUTANTS = [
    # Orbiters
    Mutant(
        name="alarm-rings-once",
        file="orbitalis/orbiter/loop.py",
        old="        finally:\n            self.look_again()\n",
        new="        finally:\n            pass\n",
    ),
    Mutant(
        name="nothing-done-while-an-iteration-hangs",
        file="orbitalis/orbiter/loop.py",
        old="                    self._meanwhile()",
        new="                    pass",
    ),
    Mutant(
        name="paused-loop-keeps-its-alarm",
        file="orbitalis/orbiter/loop.py",
        old="        self._resumed.clear()\n        self._silence()",
        new="        self._resumed.clear()",
    ),
    Mutant(
        name="stopped-loop-is-not-waited-for",
        file="orbitalis/orbiter/loop.py",
        old="        if not tasks:\n            return\n        _, late",
        new="        return\n        _, late",
    ),
    Mutant(
        name="compliance-in-a-lane-of-a-remote",
        file="orbitalis/orbiter/carrier.py",
        old="key = _OWN_LANE if isinstance(effect, ComplianceChanged) else effect.remote_identifier",
        new="key = effect.remote_identifier",
    ),
    Mutant(
        name="preparation-outlives-its-request",
        file="orbitalis/orbiter/carrier.py",
        old="                self.lanes.end(PreparationLane(slot))\n",
        new="",
    ),
    Mutant(
        name="failed-preparation-not-reported",
        file="orbitalis/orbiter/carrier.py",
        old=(
            "                extra=_fields(slot),\n"
            "            )\n"
            "            self.submit(self._protocol.preparation_failed(slot, identifier, self._now()))"
        ),
        new="                extra=_fields(slot),\n            )",
    ),
    Mutant(
        name="failed-subscription-not-reported",
        file="orbitalis/orbiter/carrier.py",
        old="self.submit(self._protocol.preparation_failed(slot, effect.connection_identifier, self._now()))",
        new="pass",
    ),
    Mutant(
        name="prepared-for-what-is-no-more",
        file="orbitalis/orbiter/carrier.py",
        old="        if slot.state is not SlotState.PREPARING:\n            return",
        new="        if False:\n            return",
    ),
    Mutant(
        name="prepared-for-what-came-to-nothing-meanwhile",
        file="orbitalis/orbiter/carrier.py",
        old="            if slot.state is not SlotState.PREPARING:\n                return  # it has so",
        new="            if False:\n                return  # it has so",
    ),
    Mutant(
        name="early-outputs-wait-for-ever",
        file="orbitalis/orbiter/carrier.py",
        old=("                self._pending_requests.pop(slot, None)\n                self.data.decided(slot)\n"),
        new="                self._pending_requests.pop(slot, None)\n",
    ),
    Mutant(
        name="early-outputs-before-the-connection",
        file="orbitalis/orbiter/connection_data.py",
        old="                await self._undecided.setdefault(slot, asyncio.Event()).wait()",
        new="                pass",
    ),
    Mutant(
        name="ending-connection-goes-on-draining",
        file="orbitalis/orbiter/carrier.py",
        old="                self.lanes.end(DrainingLane(slot))\n",
        new="",
    ),
    Mutant(
        name="closed-as-unused-while-data-is-handled",
        file="orbitalis/orbiter/housekeeping.py",
        old="return self._carrier.data.is_busy(slot) or self._is_awaiting(slot)",
        new="return self._is_awaiting(slot)",
    ),
    Mutant(
        name="closed-as-unused-while-an-answer-is-awaited",
        file="orbitalis/core/request.py",
        old="        return self._awaited.are_on(slot)",
        new="        return False",
    ),
    Mutant(
        name="stamps-kept-after-the-connection",
        file="orbitalis/orbiter/carrier.py",
        old="            stamps.pop(topic, None)",
        new="            pass",
    ),
    Mutant(
        name="stamps-lost-with-another-connection",
        file="orbitalis/orbiter/carrier.py",
        old="                    stamps[topic] = self.connections[other].stamp",
        new="                    pass",
    ),
    Mutant(
        name="inputs-with-the-stamp-of-another-connection",
        file="orbitalis/core/execution.py",
        old="data, stamp=connection.stamp)",
        new="data)",
    ),
    Mutant(
        name="answer-on-another-connection",
        file="orbitalis/bus/answer.py",
        old=" if answer is not None and answer.stamp.connection_identifier == connection_identifier else None",
        new="",
    ),
    Mutant(
        name="shared-topic-unsubscribed",
        file="orbitalis/orbiter/carrier.py",
        old="            if any(topic in slot.local_topics for slot in self._protocol.slots.of_topic(topic)):",
        new="            if False:",
    ),
    Mutant(
        name="any-message-on-any-channel",
        file="orbitalis/orbiter/channel_receiver.py",
        old="        if type(payload) in self._channel.messages:",
        new="        if payload is not None:",
    ),
    Mutant(
        name="any-message-decoded-on-any-channel",
        file="orbitalis/orbiter/channel_receiver.py",
        old="        return message_class in self._channel.messages",
        new="        return True",
    ),
    Mutant(
        name="any-data-decoded",
        file="orbitalis/orbiter/connection_data.py",
        old="        return message_class is OperationErrorMessage or any(",
        new="        return True or any(",
    ),
    Mutant(
        name="errors-not-decoded",
        file="orbitalis/orbiter/connection_data.py",
        old="        return message_class is OperationErrorMessage or any(",
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
        file="orbitalis/orbiter/carrier.py",
        old="        if self._is_overloaded(sender):",
        new="        if False:",
    ),
    Mutant(
        name="namesake-on-another-bus-heard",
        file="orbitalis/orbiter/carrier.py",
        old="        if not self._whereabouts.admits(message, event):",
        new="        if False:",
    ),
    Mutant(
        name="data-from-any-bus",
        file="orbitalis/orbiter/connection_data.py",
        old="            and event.origin == self._whereabouts.bus_of(slot.remote_identifier)\n",
        new="",
    ),
    Mutant(
        name="outage-not-reported",
        file="orbitalis/orbiter/orbiter.py",
        old="        self.eventbus_client.on_reconnected = self._carrier.reconnected\n",
        new="",
    ),
    Mutant(
        name="bus-error-ends-a-lane",
        file="orbitalis/orbiter/carrier.py",
        old="        except (BusError, ValueError) as error:\n            # Strangers",
        new="        except ZeroDivisionError as error:\n            # Strangers",
    ),
    Mutant(
        name="held-closes-not-sent",
        file="orbitalis/orbiter/carrier.py",
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
        name="a-hook-waits-for-its-own-lane",
        file="orbitalis/orbiter/carrier.py",
        old="        if not self.lanes.is_around and not self._orbiter._orbiter_loop.is_around:",
        new="        if True:",
    ),
    Mutant(
        name="hooks-failure-is-everybodys",
        file="orbitalis/orbiter/orbiter.py",
        old="            self._logger.exception(\"%s of '%s' failed\", name, self.identifier)\n            return None",
        new="            raise",
    ),
    Mutant(
        name="lane-cancelled-at-birth-never-ends",
        file="orbitalis/orbiter/lanes.py",
        old="            lane.task.add_done_callback(lambda _: self._close(key, lane))\n",
        new="",
    ),
    Mutant(
        name="abandoned-work-keeps-others-waiting",
        file="orbitalis/orbiter/lanes.py",
        old=(
            "        for work, _ in lane.queue:\n"
            "            if isinstance(work, _Mark):\n"
            "                work.tell()\n"
            "        lane.queue.clear()"
        ),
        new="        lane.queue.clear()",
    ),
    Mutant(
        name="periodic-work-piles-up",
        file="orbitalis/orbiter/carrier.py",
        old=" if isinstance(effect, Send) and effect.replaces_earlier else None",
        new=" if False else None",
    ),
    # Requests and answers
    Mutant(
        name="answer-to-any-waiter",
        file="orbitalis/protocol/awaited_answers.py",
        old="return awaited if awaited is not None and awaited.slot in slots else None",
        new="return awaited",
    ),
    Mutant(
        name="requests-outlive-their-connection",
        file="orbitalis/core/request.py",
        old="        for awaited in self._awaited.remove_all(slot):",
        new="        for awaited in []:",
    ),
    Mutant(
        name="repeated-answer-is-another",
        file="orbitalis/core/request.py",
        old="        if awaited is None or not is_genuine:",
        new="        if awaited is None:",
    ),
    Mutant(
        name="ended-requests-are-kept",
        file="orbitalis/core/request.py",
        old="        finally:\n            self._awaited.remove(awaited)",
        new="        finally:\n            pass",
    ),
    Mutant(
        name="failure-of-a-handler-not-told",
        file="orbitalis/plugin/answering.py",
        old="                await _send_error(connection, answer.topic, error, client)",
        new="                pass",
    ),
    Mutant(
        name="requests-overtake-executions",
        file="orbitalis/core/request.py",
        old="                    await self._let_executions_begin()\n",
        new="",
    ),
    Mutant(
        name="executions-outlive-a-stop",
        file="orbitalis/core/core.py",
        old="        self._cancel_executions()\n",
        new="",
    ),
    Mutant(
        name="results-to-closed-connections",
        file="orbitalis/plugin/plugin.py",
        old="if one.output_topic is not None and one.can_answer\n        ]",
        new="if one.output_topic is not None\n        ]",
    ),
    Mutant(
        name="processes-outlive-a-stop",
        file="orbitalis/plugin/plugin.py",
        old="            await self.process_pool.close()",
        new="            pass",
    ),
    # Clients of buses
    Mutant(
        name="failing-handler-ends-its-worker",
        file="orbitalis/bus/dispatch.py",
        old="        except Exception:  # whatever it raises is logged, and the next event is delivered\n",
        new="        except ZeroDivisionError:\n",
    ),
    Mutant(
        name="queue-without-bound",
        file="orbitalis/bus/dispatch.py",
        old="if len(self._queue) >= self._bounds.events or self._queued_bytes + length > self._bounds.bytes:",
        new="if self._queued_bytes + length > self._bounds.bytes:",
    ),
    Mutant(
        name="delivered-after-unsubscribe",
        file="orbitalis/bus/dispatch.py",
        old="        self._closed = True\n        self._queue.clear()\n",
        new="        self._closed = True\n",
    ),
    Mutant(
        name="busy-handlers-keep-others-waiting",
        file="orbitalis/bus/dispatch.py",
        old="                    await asyncio.sleep(0)",
        new="                    pass",
    ),
    Mutant(
        name="not-subscribed-after-an-outage",
        file="orbitalis/bus/mqtt.py",
        old="                    await self._subscribe_again(connection)\n",
        new="                    pass\n",
    ),
    Mutant(
        name="malformed-message-ends-the-connection",
        file="orbitalis/bus/mqtt.py",
        old="        except Exception as error:  # nothing that a stranger sends may end the connection",
        new="        except ZeroDivisionError as error:",
    ),
    Mutant(
        name="published-once-lost-for-ever",
        file="orbitalis/bus/mqtt.py",
        old="                for _ in range(_ATTEMPTS):",
        new="                for _ in range(1):",
    ),
    Mutant(
        name="copy-to-every-subscription",
        file="orbitalis/bus/mqtt.py",
        old="        if not message.subscription_identifiers:\n",
        new="        if True:\n",
    ),
    Mutant(
        name="closed-socket-registered",
        file="orbitalis/bus/mqtt_connection.py",
        old="        if self._unwritten is sock:\n",
        new="        if True:\n",
    ),
    Mutant(
        name="calls-of-a-lost-connection-go-on",
        file="orbitalis/bus/mqtt_connection.py",
        old="            limit.reschedule(self._loop.time())",
        new="            pass",
    ),
    Mutant(
        name="copies-from-two-buses",
        file="orbitalis/bus/several.py",
        old="        if not self._parts.is_copy(event):\n",
        new="        if True:\n",
    ),
]
