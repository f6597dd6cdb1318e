"""What the steps of a case do: a table from what a step says to what is done about it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from orbitalis_conformance.errors import CaseError, Fault
from orbitalis_conformance.events import Event
from orbitalis_conformance.patterns import Pattern, mismatch
from orbitalis_conformance.peer import Peer
from orbitalis_conformance.plain import is_list
from orbitalis_conformance.scene import Scene
from orbitalis_conformance.shapes import with_sets

__all__ = ["run_steps"]

_MANY: Final = 100
_WORDS: Final = re.compile(r"(\S+) (.+)")


async def run_steps(scene: Scene, steps: list[Mapping[str, Any]] | tuple[Mapping[str, Any], ...]) -> None:
    """Run steps one after the other.

    Raises:
        Fault: The subject does not do what one expects.
        ToolError: The case or the tester is at fault.
    """
    for step in steps:
        head = next(iter(step))
        scene.note(f"— {head}{'' if step[head] is None else f': {str(step[head])[:100]}'}")
        await _run(scene, head, step)
        if scene.rules.violations:
            raise scene.rules.violations[0]
        if not scene.subject.is_running and not scene.names.get("(is killed)"):
            raise Fault(f"the subject has ended by itself{scene.subject.last_errors()}")


async def _run(scene: Scene, head: str, step: Mapping[str, Any]) -> None:
    if head in _OF_SCENE:
        await _OF_SCENE[head](scene, step[head], step)
        return
    words = _WORDS.fullmatch(head)
    if words is not None and words[1] in scene.peers and words[2] in _OF_PEER:
        await _OF_PEER[words[2]](scene, scene.peers[words[1]], step[head], step)
        return
    known = ", ".join([*_OF_SCENE, *(f"PEER {name}" for name in _OF_PEER)])
    raise CaseError(f"there is no step {head!r} with the peers {', '.join(scene.peers)}; there are {known}")


# Of a peer


def _ready(scene: Scene, step: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step with what its references stand for; what steps are in it is left alone."""
    return {key: one if key in ("steps", "as") else scene.resolved(one) for key, one in step.items()}


async def _sends(scene: Scene, peer: Peer, kind: Any, step: Mapping[str, Any]) -> None:
    if kind == "OfferMessage" and "topic_layout" in scene.subject.lacks:
        # Where it takes offers, its discover says alone.
        await scene.until(lambda: peer.told.get("offer"), scene.within(step))
    for _ in range(int(step.get("times", 1))):
        outgoing = peer.compose(kind, _ready(scene, step))
        await scene.publish(peer, outgoing, step.get("as"))


async def _sends_again(scene: Scene, peer: Peer, name: Any, step: Mapping[str, Any]) -> None:
    event = peer.sent.get(name, scene.names.get(name))
    if not isinstance(event, Event):
        raise CaseError(f"{name!r} is no event that could be sent again")
    topic = scene.resolved(step.get("topic", event.topic))
    scene.note(f"{peer.name} → {topic}: {event.kind} again")
    for _ in range(int(step.get("times", 1))):
        await scene.bus.publish(topic, event.data, event.quality_of_service)


async def _sends_bytes(scene: Scene, peer: Peer, content: Any, step: Mapping[str, Any]) -> None:
    given = scene.resolved(content)
    data = bytes.fromhex(given["hex"]) if "hex" in given else str(given["text"]).encode()
    topic = scene.resolved(step["topic"])
    scene.note(f"{peer.name} → {topic}: {data[:60]!r}")
    await scene.bus.publish(topic, data, step.get("quality_of_service", 1))


async def _gets(scene: Scene, peer: Peer, kind: Any, step: Mapping[str, Any]) -> None:
    for _ in range(int(step.get("times", 1))):
        await scene.expect(peer, kind, step)


async def _gets_no(scene: Scene, peer: Peer, kinds: Any, step: Mapping[str, Any]) -> None:
    await scene.expect_none(peer, kinds if is_list(kinds) else [kinds], step)


async def _gets_at_most(scene: Scene, peer: Peer, kind: Any, step: Mapping[str, Any]) -> None:
    """Count what has come, and hold it against a bound."""
    if step.get("settles", True):
        await scene.settle()
    came = [seen for seen in scene.seen if seen.kind == kind and peer.hears(seen) and peer.name not in seen.taken_by]
    if not 0 < len(came) <= step["count"]:
        raise Fault(f"{peer.name} has to get 1 to {step['count']} {kind}, and got {len(came)}")


async def _sends_many_queries(scene: Scene, peer: Peer, count: Any, step: Mapping[str, Any]) -> None:
    """Send a discover with so many queries, of which one is for `lowercase`."""
    nothing: dict[str, list[str]] = {"inputs": [], "outputs": []}
    others = {f"other{number}": nothing for number in range(int(count) - 1)}
    fields = {"queries": {"lowercase": {}, **others}}
    await _sends(scene, peer, "DiscoverMessage", {"fields": fields, "headers": step.get("headers", {})})


async def _sends_many_operations(scene: Scene, peer: Peer, count: Any, step: Mapping[str, Any]) -> None:
    """Send an offer of so many operations, of which one is `lowercase`."""
    names = ["lowercase", *(f"other{number}" for number in range(int(count) - 1))]
    offered = [{"name": name, "input": "string", "output": "string"} for name in names]
    if len(offered) > _MANY:
        offered[1:] = [{"name": one["name"], "input": "none", "output": "none"} for one in offered[1:]]
    await _sends(scene, peer, "OfferMessage", {"fields": {"offered_operations": offered}})


async def _announces_for_many(scene: Scene, peer: Peer, count: Any, step: Mapping[str, Any]) -> None:
    """Announce so many plugins of other names, whose topics for discovers are of another layout."""
    for number in range(int(count)):
        name = f"{peer.identifier}{number}"
        fields = {"plugin_identifier": name, "discover_topic": f"many/{name}/discover"}
        await _sends(scene, peer, "AnnounceMessage", {"fields": fields, "headers": {"incarnation": name}})


async def _forgets(scene: Scene, peer: Peer, kinds: Any, step: Mapping[str, Any]) -> None:
    await scene.settle()
    for seen in scene.seen:
        if kinds == "everything" or seen.kind in (kinds if is_list(kinds) else [kinds]):
            seen.taken_by.add(peer.name)


async def _starts_anew(scene: Scene, peer: Peer, _: Any, step: Mapping[str, Any]) -> None:
    peer.starts_anew()


async def _is_connected(scene: Scene, peer: Peer, _: Any, step: Mapping[str, Any]) -> None:
    """Go through the whole handshake."""
    name = step.get("operation", "lowercase")
    if scene.config["role"] == "plugin":
        query = with_sets({"queries": {name: step.get("query", {})}})
        await _sends(scene, peer, "DiscoverMessage", {"fields": query, "headers": step.get("discover headers", {})})
        offered = {"fields": {"offered_operations": _has_operation(name)}}
        await scene.expect(peer, "OfferMessage", {**offered, "eventually": True})
        fields = {"fields": step["request"]} if "request" in step else {}
        await _sends(scene, peer, "RequestOperationMessage", {"operation": name, **fields})
        await scene.expect(peer, "ConfirmConnectionMessage", {"fields": {"operation_name": name}})
    else:
        offered_operation = {"name": name, "input": "string", "output": "string", **step.get("offer", {})}
        offer = {"fields": {"offered_operations": [offered_operation], **step.get("offer fields", {})}}
        await _sends(scene, peer, "OfferMessage", {**offer, "headers": {"correlation_identifier": None}})
        await scene.expect(peer, "RequestOperationMessage", {"fields": {"operation_name": name}})
        confirm = {"fields": step["confirm"]} if "confirm" in step else {}
        await _sends(scene, peer, "ConfirmConnectionMessage", confirm)
    wanted = {"with": {"remote": peer.identifier, "operation": name}}
    await scene.expect_report("connected", wanted)


def _has_operation(name: str) -> Any:
    return Pattern("has", {"name": name})


# Of the subject, the broker, and the case


async def _does(scene: Scene, action: Any, step: Mapping[str, Any]) -> None:
    arguments = scene.resolved(with_sets(step.get("with", {})))
    number = scene.subject.tell(action, arguments)
    scene.note(f"subject is told to {action} {arguments}")
    answer = await scene.subject.answer(number, action)
    fails = bool(step.get("fails"))
    if fails != (answer.event == "failed"):
        how = f"has done so: {dict(answer.content)}" if fails else f"failed: {answer.content.get('error', '')}"
        raise Fault(f"the subject was told to {action}, and {how}")
    if "result" in step and (difference := mismatch(scene.resolved(step["result"]), answer.content.get("result"))):
        raise Fault(f"the subject was told to {action}, and the result is not as it has to be: {difference}")


async def _begins(scene: Scene, action: Any, step: Mapping[str, Any]) -> None:
    arguments = scene.resolved(with_sets(step.get("with", {})))
    scene.note(f"subject is told to {action} {arguments}")
    scene.names[f"({step.get('as', action)})"] = scene.subject.tell(action, arguments), action
    scene.names[step.get("as", action)] = {"number": scene.names[f"({step.get('as', action)})"][0]}


async def _has_done(scene: Scene, name: Any, step: Mapping[str, Any]) -> None:
    number, action = scene.names[f"({name})"]
    answer = await scene.subject.answer(number, action, patience=scene.within(step))
    fails = bool(step.get("fails"))
    if fails != (answer.event == "failed"):
        raise Fault(
            f"the subject was told to {action}, and {'has done so' if fails else 'failed'}: {dict(answer.content)}"
        )
    wanted, got = ("error", answer.content.get("error")) if fails else ("result", answer.content.get("result"))
    if wanted in step and (difference := mismatch(scene.resolved(step[wanted]), got)):
        raise Fault(f"the subject was told to {action}, and the {wanted} is not as it has to be: {difference}")


async def _reports(scene: Scene, event: Any, step: Mapping[str, Any]) -> None:
    await scene.expect_report(event, step)


async def _reports_no(scene: Scene, event: Any, step: Mapping[str, Any]) -> None:
    await scene.expect_no_report(event, step)


async def _subject_starts(scene: Scene, _: Any, step: Mapping[str, Any]) -> None:
    scene.names.pop("(is killed)", None)
    await scene.start_subject()


async def _subject_stops(scene: Scene, _: Any, step: Mapping[str, Any]) -> None:
    await scene.subject.do("stop", {})


async def _subject_is_killed(scene: Scene, _: Any, step: Mapping[str, Any]) -> None:
    scene.names["(is killed)"] = True
    await scene.subject.kill()


async def _subject_is_suspended(scene: Scene, _: Any, step: Mapping[str, Any]) -> None:
    scene.subject.suspend(goes_on=False)


async def _subject_goes_on(scene: Scene, _: Any, step: Mapping[str, Any]) -> None:
    scene.subject.suspend(goes_on=True)


async def _broker_goes_away(scene: Scene, _: Any, step: Mapping[str, Any]) -> None:
    await scene.broker.stop()
    # Now, so that the tester is the first to be connected when it is back: it must not miss what the subject says then.
    await scene.bus.disconnect()


async def _broker_comes_back(scene: Scene, _: Any, step: Mapping[str, Any]) -> None:
    await scene.broker.start()
    await scene.bus.connect()


async def _connections_are(scene: Scene, wanted: Any, step: Mapping[str, Any]) -> None:
    scene.expect_connections(wanted)


async def _waits(scene: Scene, seconds: Any, step: Mapping[str, Any]) -> None:
    await asyncio.sleep(float(seconds))


async def _settles(scene: Scene, _: Any, step: Mapping[str, Any]) -> None:
    await scene.settle()


async def _repeats(scene: Scene, count: Any, step: Mapping[str, Any]) -> None:
    for _ in range(int(count)):
        await run_steps(scene, step["steps"])


async def _checks(scene: Scene, content: Any, step: Mapping[str, Any]) -> None:
    if difference := mismatch(scene.resolved(step["is"]), scene.resolved(content)):
        raise Fault(f"{content}: {difference}")


async def _time_passes(scene: Scene, names: Any, step: Mapping[str, Any]) -> None:
    """Hold the time between two events, or since one, against bounds."""
    first, *others = (scene.names[name] for name in names)
    end = others[0].at if others else time.monotonic()
    if difference := mismatch(step["is"], round(end - first.at, 3)):
        raise Fault(f"the time between {' and '.join(names)} is not as it has to be: {difference}")


_OF_PEER: Final[Mapping[str, Callable[[Scene, Peer, Any, Mapping[str, Any]], Awaitable[None]]]] = {
    "sends": _sends,
    "sends again": _sends_again,
    "sends bytes": _sends_bytes,
    "gets": _gets,
    "gets no": _gets_no,
    "gets at most": _gets_at_most,
    "sends many queries": _sends_many_queries,
    "sends many operations": _sends_many_operations,
    "announces for many": _announces_for_many,
    "forgets": _forgets,
    "starts anew": _starts_anew,
    "is connected": _is_connected,
}
_OF_SCENE: Final[Mapping[str, Callable[[Scene, Any, Mapping[str, Any]], Awaitable[None]]]] = {
    "subject does": _does,
    "subject begins": _begins,
    "subject has done": _has_done,
    "subject reports": _reports,
    "subject reports no": _reports_no,
    "subject starts": _subject_starts,
    "subject stops": _subject_stops,
    "subject is killed": _subject_is_killed,
    "subject is suspended": _subject_is_suspended,
    "subject goes on": _subject_goes_on,
    "broker goes away": _broker_goes_away,
    "broker comes back": _broker_comes_back,
    "connections are": _connections_are,
    "wait": _waits,
    "settle": _settles,
    "repeat": _repeats,
    "check": _checks,
    "time between": _time_passes,
}
