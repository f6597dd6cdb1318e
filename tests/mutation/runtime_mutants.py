"""Mutants of requests, answers and clients of buses: changes that break a promise."""

from __future__ import annotations

from tests.mutation.mutant import Mutant

__all__ = ["RUNTIME_MUTANTS"]

RUNTIME_MUTANTS = [
    # Requests and answers
    Mutant(
        name="answer-to-any-waiter",
        file="orbitalis/core/awaited_answers.py",
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
        old="            if awaited.is_awaited:  # it was cancelled, or could not be published\n",
        new="            if False:\n",
    ),
    Mutant(
        name="one-timeout-of-requests-is-the-last",
        file="orbitalis/core/request.py",
        old="        if at is not None:\n            self._alarm = loop.call_at(at, self._end_expired)\n",
        new="",
    ),
    Mutant(
        name="shorter-timeout-of-a-later-request-too-late",
        file="orbitalis/core/request.py",
        old="        if alarm is None or alarm.when() > at:\n",
        new="        if alarm is None:\n",
    ),
    Mutant(
        name="timer-of-requests-outlives-a-stop",
        file="orbitalis/core/core.py",
        old="            self._silence_requests()\n",
        new="            pass\n",
    ),
    Mutant(
        name="connection-unused-while-its-request-timed-out",
        file="orbitalis/core/request.py",
        old="        self._machine.touch(awaited.slot, self._runtime.now())\n",
        new="",
    ),
    Mutant(
        name="failure-of-a-handler-not-told",
        file="orbitalis/plugin/answering.py",
        old="            await _send_error(connection, answer, error, publisher)",
        new="            pass",
    ),
    Mutant(
        name="executions-outlive-a-stop",
        file="orbitalis/core/core.py",
        old="        self._cancel_executions()\n",
        new="",
    ),
    Mutant(
        name="results-to-closed-connections",
        file="orbitalis/plugin/output_sender.py",
        old="            if topic is not None and one.can_answer:\n",
        new="            if topic is not None:\n",
    ),
    Mutant(
        name="what-is-sent-beside-a-result-answers",
        file="orbitalis/plugin/output_sender.py",
        old="await self.publish(takers, message, may_answer=False)",
        new="await self.publish(takers, message, may_answer=True)",
    ),
    Mutant(
        name="a-rhythm-calls-for-nobody",
        file="orbitalis/plugin/rhythm.py",
        old="        if not self._outputs.has_takers(self._declared.name):\n            return\n",
        new="",
    ),
    Mutant(
        name="a-rhythm-makes-up-for-what-it-missed",
        file="orbitalis/plugin/rhythm.py",
        old="        self._count = max(self._count, math.ceil(passed - _SLACK))",
        new="        assert passed >= 0",
    ),
    Mutant(
        name="a-rhythm-waits-for-one-core",
        file="orbitalis/plugin/rhythm.py",
        old="            async with limit:",
        new="            if limit:",
    ),
    Mutant(
        name="processes-outlive-a-stop",
        file="orbitalis/plugin/plugin.py",
        old="            await self.process_pool.close()",
        new="            pass",
    ),
    Mutant(
        name="one-input-at-a-time-whatever-the-operation-says",
        file="orbitalis/plugin/plugin.py",
        old="        return 1 if operation is None else operation.concurrency\n",
        new="        return 1\n",
    ),
    # Clients of buses
    Mutant(
        name="failing-handler-is-its-subscriptions-last",
        file="orbitalis/bus/dispatch.py",
        old=(
            "        except Exception as error:  # it is logged, and the next event is delivered\n"
            "            self._report_failure(topic, event, error)\n"
            "        if task in"
        ),
        new="        except ZeroDivisionError:\n            pass\n        if task in",
    ),
    Mutant(
        name="queue-without-bound",
        file="orbitalis/bus/dispatch.py",
        old="        if waiting >= bounds.events or self._queued_bytes + length > bounds.bytes:",
        new="        if self._queued_bytes + length > bounds.bytes:",
    ),
    Mutant(
        name="delivered-after-unsubscribe",
        file="orbitalis/bus/dispatch.py",
        old="        self._closed = True\n        self._queue = None\n",
        new="        self._closed = True\n",
    ),
    Mutant(
        name="busy-handlers-keep-others-waiting",
        file="orbitalis/bus/dispatch.py",
        old="                self.loop.call_soon(self._resume)",
        new="                self._resume()",
    ),
    Mutant(
        name="event-overtakes-those-that-wait",
        file="orbitalis/bus/dispatch.py",
        old="        if self._running < self.concurrency and self._queue is None:\n",
        new="        if self._running < self.concurrency:\n",
    ),
    Mutant(
        name="one-at-a-time-after-the-first-few",
        file="orbitalis/bus/dispatch.py",
        old="            if self._queue is None or self._running >= self.concurrency:\n                break\n",
        new="            if self._queue is None or self._running >= 1:\n                break\n",
    ),
    Mutant(
        name="more-side-by-side-than-asked-for",
        file="orbitalis/bus/dispatch.py",
        old="            if self._queue is None or self._running >= self.concurrency:\n                break\n",
        new="            if self._queue is None:\n                break\n",
    ),
    Mutant(
        name="not-subscribed-after-an-outage",
        file="orbitalis/bus/mqtt.py",
        old="                    await self._subscribe_again(connection)\n",
        new="                    pass\n",
    ),
    Mutant(
        name="malformed-message-ends-the-connection",
        file="orbitalis/bus/decoding.py",
        old="        except Exception as error:  # nothing that a stranger sends may end the connection",
        new="        except ZeroDivisionError as error:",
    ),
    Mutant(
        name="published-once-lost-for-ever",
        file="orbitalis/bus/mqtt_outbox.py",
        old="            if publication.attempts < ATTEMPTS:\n",
        new="            if publication.attempts < 1:\n",
    ),
    Mutant(
        name="copy-to-every-subscription",
        file="orbitalis/bus/mqtt.py",
        old="        if not identifiers:\n",
        new="        if True:\n",
    ),
    Mutant(
        name="published-out-of-order-when-lost",
        file="orbitalis/bus/mqtt_outbox.py",
        old="        for publication in reversed(unanswered):\n",
        new="        for publication in unanswered:\n",
    ),
    Mutant(
        name="quality-of-service-0-overtakes",
        file="orbitalis/bus/mqtt_outbox.py",
        old="                and not self._queue\n",
        new="",
    ),
    Mutant(
        name="window-of-the-broker-ignored",
        file="orbitalis/bus/mqtt_connection.py",
        old='        self._window = min(IN_FLIGHT, getattr(properties, "ReceiveMaximum", IN_FLIGHT))\n',
        new="",
    ),
    Mutant(
        name="room-on-the-network-not-noticed",
        file="orbitalis/bus/mqtt_connection.py",
        old="            self._loop.remove_writer(blocked.fileno())\n            self._has_made_room = True\n",
        new="            self._loop.remove_writer(blocked.fileno())\n",
    ),
    Mutant(
        name="small-event-overtakes-a-large-one",
        file="orbitalis/bus/decoding.py",
        old="        if len(data) >= LARGE_BYTES or (self._topics and topic in self._topics):\n",
        new="        if len(data) >= LARGE_BYTES:\n",
    ),
    Mutant(
        name="large-events-decoded-without-bound",
        file="orbitalis/bus/decoding.py",
        old="        if backlog is None or (",
        new="        if True or (",
    ),
    Mutant(
        name="topics-do-not-take-turns",
        file="orbitalis/bus/decoding.py",
        old="                    self._topics[topic] = messages\n",
        new="                    self._topics = {topic: messages, **self._topics}\n",
    ),
    Mutant(
        name="handlers-not-asked-about-large-events",
        file="orbitalis/bus/decoding.py",
        old="            if is_taken:\n",
        new="            if True:\n",
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
        old="        if not self._parts.is_copy(event):\n            self._parts.whole.offer(",
        new="        if True:\n            self._parts.whole.offer(",
    ),
    Mutant(
        name="replaced-handler-kept",
        file="orbitalis/operations/handlers.py",
        old="            if known is given:\n",
        new="            if True:\n",
    ),
    Mutant(
        name="optional-result-for-any",
        file="orbitalis/operations/handlers.py",
        old="        if result is None and self._results.optional:\n",
        new="        if result is None:\n",
    ),
    Mutant(
        name="bare-value-not-unwrapped",
        file="orbitalis/operations/handlers.py",
        old="any(one in MESSAGE_OF_VALUE for one in payloads.types)",
        new="False",
    ),
    Mutant(
        name="concurrency-forgotten",
        file="orbitalis/operations/provided_operations.py",
        old="            concurrency=declared.concurrency,\n",
        new="",
    ),
]
