"""The acts: what happens in the demonstration, and what each step of it waits for."""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

from examples.demo.asking import ask
from examples.demo.languages import languages
from examples.demo.play import Play
from examples.lamps.report import Report

__all__ = ["ACTS"]

HOME: Final = "home"
FIRST_LAMPS: Final = {"lamp_x_1": "x", "lamp_x_2": "x", "lamp_y_1": "y"}
VICTIM: Final = "lamp_y_1"
SUCCESSOR: Final = "lamp_y_2"
OPERATIONS: Final = {
    "x": frozenset({"get_status", "turn_on", "turn_off"}),
    "y": frozenset({"get_status", "turn_on", "turn_off", "set_brightness", "get_energy"}),
}


async def alone(play: Play) -> None:
    """The home starts, and there is nobody."""
    play.act(
        "A core that is alone",
        "The core, `home`, needs five operations of others: at least three lamps that can be switched and asked, one "
        "of them with a dimmer and a meter. It asks everybody on the bus. Nobody is there yet.",
    )
    async with play.step("the event bus is there" if play.stage.is_one_process else "the broker is running"):
        play.bus = await play.stage.open()
    async with play.step("home asks for what it needs, and is not compliant"):
        play.home = await play.stage.start_home(HOME, lamps=len(FIRST_LAMPS), dimmable=1)
        await play.chronicle.expect(HOME, "started")
        await play.chronicle.expect(HOME, "asks", operations=OPERATIONS["y"])
        await play.chronicle.expect(HOME, "not compliant", operations=OPERATIONS["y"])


async def handshakes(play: Play) -> None:
    """The lamps come, and each is connected."""
    play.act(
        "Three lamps arrive",
        "Three plugins start: two plain lamps of brand X, one of brand Y that can be dimmed. Nobody tells home and "
        "lamps of each other. A lamp hears the home ask, offers what it has, is requested to provide it, and confirms: "
        "one connection for each operation.",
    )
    since = play.chronicle.now
    for lamp, kind in FIRST_LAMPS.items():
        play.lamps[lamp] = await play.stage.start_lamp(lamp, kind)
    for lamp, kind in FIRST_LAMPS.items():
        async with play.step(f"{lamp} is discovered, offers, is requested and confirms"):
            await _handshake(play, lamp, kind, since)
    async with play.step("home is compliant"):
        await play.chronicle.expect(HOME, "compliant", since=since)


async def work(play: Play) -> None:
    """The home executes operations in every mode."""
    play.act(
        "Operations, in each of the four modes",
        "A core executes an operation on any plugin that provides it, on all of them, on one by name, or shared out "
        "among them. What a plugin sends back arrives at the core's sink.",
    )
    expect = play.chronicle.expect
    async with play.step("any: one lamp of home's choice is switched on"):
        since = play.chronicle.now
        chosen = (await _executed(play, "turn_on any"))[0]
        await expect(chosen, "changed", since=since, is_on=True)
    async with play.step("all: every lamp says how it is, and only that one is on"):
        since = play.chronicle.now
        await _executed(play, "get_status all")
        for lamp in play.lamps:
            await expect(HOME, "status", remote=lamp, since=since, is_on=lamp == chosen)
    async with play.step(f"plugin_identifier: {VICTIM} alone is dimmed, and says what it has used"):
        since = play.chronicle.now
        await _executed(play, f"turn_on {VICTIM}")
        await _executed(play, f"set_brightness {VICTIM} 0.5")
        await expect(VICTIM, "changed", since=since, is_on=True, power=0.5)
        await _executed(play, f"get_energy {VICTIM}")
        used = (await expect(HOME, "energy", remote=VICTIM, since=since))[0].values["kwh"]
        play.check(used > 0, "a lamp that is on to use energy", f"{VICTIM} has used {used} kWh")
    async with play.step("distribute: of six questions, each lamp answers two"):
        since, times = play.chronicle.now, 2
        sent = await _executed(play, f"get_status distribute {times * len(play.lamps)}")
        play.check(Counter(sent) == dict.fromkeys(play.lamps, times), "two for each lamp", f"they went to {sent}")
        for lamp in play.lamps:
            await expect(HOME, "status", remote=lamp, times=times, since=since)


async def asked(play: Play) -> None:
    """Somebody asks from outside."""
    if play.stage.is_one_process:
        play.act(
            "Asked from outside: LEFT OUT",
            "The command `orbitalis` is a process of its own, which a bus within this one does not reach.",
        )
        return
    play.act(
        "Asked from outside",
        "An operator sees who is there, and tries an operation, with the command `orbitalis`. It "
        "takes no part: a call alone makes it a core, for one request.",
    )
    async with play.step("orbitalis ls: everybody is there, and says what it does"):
        listed = await ask(play, "ls")
        unseen = [name for name in (HOME, *play.lamps) if name not in listed]
        play.check(not unseen, "all orbiters to be listed", f"these are missing: {', '.join(unseen)}")
    async with play.step(f"orbitalis call: {VICTIM} answers in JSON"):
        answer = await ask(play, "call", "get_energy", "--plugin", VICTIM, "--identifier", "guest")
        play.check('"kwh"' in answer, "the energy that was used", answer)


async def death(play: Play) -> None:
    """A lamp is killed."""
    if play.stage.is_one_process:
        told = (
            "is torn off the bus, as if its process had been killed: it does not say good-bye. Orbiters give each "
            "other signs of life, and one that is silent for too long is dead: after 3 s here, so that you need not "
            "wait; after two minutes by default."
        )
    else:
        told = (
            "gets SIGKILL: it ends at once and cannot say good-bye. The broker notices, and publishes the last will "
            "that it has left. Home asks it for a sign of life, and takes it for dead after 2 s of silence. All "
            "settings are the defaults."
        )
    play.act("A lamp dies", f"{VICTIM} {told}")
    async with play.step("home notices the silence, and is not compliant any more"):
        since, killed_at = play.chronicle.now, time.time()
        await play.lamps.pop(VICTIM).kill()
        play.chronicle.note(
            "demo", f"has torn {VICTIM} off the bus" if play.stage.is_one_process else f"has killed {VICTIM}"
        )
        (dead,) = await play.chronicle.expect(HOME, "dead", remote=VICTIM, since=since)
        await play.chronicle.expect(HOME, "closed", remote=VICTIM, operations=OPERATIONS["y"], since=since)
        await play.chronicle.expect(HOME, "not compliant", operations=OPERATIONS["y"], since=since)
        play.chronicle.note("demo", f"it took {dead.at - killed_at:.1f} s to notice")
    if not play.stage.is_one_process:
        async with play.step("orbitalis why: home misses what that lamp alone had"):
            reasons = await ask(play, "why", HOME, status=1)
            missing = [name for name in ("get_energy", "set_brightness") if f"{name}: has 0" not in reasons]
            play.check(not missing, "both operations to be missing", reasons)
    async with play.step("the two others go on working"):
        since = play.chronicle.now
        await _executed(play, "get_status all")
        for lamp in play.lamps:
            await play.chronicle.expect(HOME, "status", remote=lamp, since=since)


async def succession(play: Play) -> None:
    """Another lamp takes its place."""
    play.act(
        "Another takes its place",
        f"{SUCCESSOR}, of the same brand, starts. Since the home is not compliant, it is asking again already.",
    )
    since = play.chronicle.now
    async with play.step(f"{SUCCESSOR} is discovered, offers, is requested and confirms"):
        play.lamps[SUCCESSOR] = await play.stage.start_lamp(SUCCESSOR, "y")
        await _handshake(play, SUCCESSOR, "y", since)
    async with play.step("home is compliant again"):
        await play.chronicle.expect(HOME, "compliant", since=since)
    async with play.step(f"{SUCCESSOR} is dimmed in place of {VICTIM}"):
        await _executed(play, f"set_brightness {SUCCESSOR} 0.25")
        await play.chronicle.expect(SUCCESSOR, "changed", since=since, power=0.25)


async def outage(play: Play) -> None:
    """The broker is killed and started again."""
    if play.stage.is_one_process:
        play.act(
            "The broker dies: LEFT OUT",
            "Without a broker there is none to kill. With mosquitto installed, this act kills it and starts it again.",
        )
        return
    play.act(
        "The broker dies",
        "Now the broker itself gets SIGKILL, under everybody, and is started again having forgotten everything. "
        "Orbiters find it again by themselves, and keep their connections with each other.",
    )
    since = play.chronicle.now
    async with play.step("everybody finds the broker again"):
        await play.stage.kill_bus()
        play.chronicle.note("demo", "has killed the broker")
        await play.stage.restart_bus()
        for orbiter in (HOME, *play.lamps):
            await play.chronicle.expect(orbiter, "reconnected", since=since)
    async with play.step("every connection works as before"):
        await _every_connection_works(play)
    async with play.step("no connection was lost over it"):
        lost = [one for name in (HOME, *play.lamps) for one in play.chronicle.find(name, "closed", since=since)]
        told = "; ".join(f"{report.orbiter} {report.sentence()}" for report in lost)
        play.check(not lost, "nobody to report a closed connection", told)


async def end(play: Play) -> None:
    """Everybody stops."""
    how = "is stopped" if play.stage.is_one_process else "gets SIGTERM"
    play.act(
        "The end",
        f"Everybody {how}: an orbiter that stops closes its connections, so that the others know at once. Nothing is "
        "left running.",
    )
    kinds = {**FIRST_LAMPS, SUCCESSOR: "y"}
    async with play.step("each lamp stops, and home is told"):
        for lamp in list(play.lamps):
            since = play.chronicle.now
            await _stops(play, play.lamps[lamp].identifier)
            await play.chronicle.expect(HOME, "closed", remote=lamp, operations=OPERATIONS[kinds[lamp]], since=since)
            told = not play.chronicle.find(HOME, "dead", remote=lamp, since=since)
            play.check(told, f"{lamp} to say good-bye", "home had to find out by its silence")
            del play.lamps[lamp]
    async with play.step("home stops"):
        await _stops(play, HOME)
    async with play.step("nothing is left running"):
        await play.stage.close_bus()
        left = play.stage.left_running()
        play.check(not left, "everything to have ended", f"this still runs: {', '.join(left)}")


ACTS: Final = (alone, handshakes, work, asked, death, succession, outage, languages, end)
"""The acts, in order."""


async def _handshake(play: Play, lamp: str, kind: str, since: int) -> None:
    """Wait until a lamp has gone through all of the handshake, for everything that its brand provides."""
    expect, operations = play.chronicle.expect, OPERATIONS[kind]
    await expect(lamp, "hears", remote=HOME, since=since)
    await expect(lamp, "offers", operations=operations, since=since)
    await expect(HOME, "is offered", remote=lamp, operations=operations, since=since)
    await expect(lamp, "is asked", remote=HOME, operations=operations, since=since)
    await expect(lamp, "confirms", remote=HOME, operations=operations, since=since)
    await expect(HOME, "is confirmed", remote=lamp, operations=operations, since=since)


async def _executed(play: Play, command: str) -> tuple[str, ...]:
    """Have the home execute something, and return the lamps that it was sent to."""
    since, operation = play.chronicle.now, command.split()[0]
    play.home.tell(command)

    def answer() -> Report | None:
        failures = play.chronicle.find(HOME, "cannot execute", since=since)
        executions = play.chronicle.find(HOME, "executes", since=since)
        return next((one for one in (*failures, *executions) if operation in one.operations or one in failures), None)

    report = await play.chronicle.until(f"home to execute {command!r}", answer)
    play.check(report.event == "executes", f"home to execute {command!r}", report.sentence())
    return report.remotes


async def _every_connection_works(play: Play) -> None:
    """Use each operation of each lamp, and wait for what it does."""
    expect, since = play.chronicle.expect, play.chronicle.now
    await _executed(play, "turn_off all")
    for lamp in play.lamps:
        await expect(lamp, "changed", since=since, is_on=False)
    await _executed(play, "turn_on all")
    await _executed(play, f"set_brightness {SUCCESSOR} 1")
    for lamp in play.lamps:
        await expect(lamp, "changed", since=since, is_on=True)
    await expect(SUCCESSOR, "changed", since=since, power=1.0)
    await _executed(play, "get_status all")
    for lamp in play.lamps:
        await expect(HOME, "status", remote=lamp, since=since, is_on=True)
    await _executed(play, "get_energy all")
    await expect(HOME, "energy", remote=SUCCESSOR, since=since)


async def _stops(play: Play, identifier: str) -> None:
    """Have an orbiter stop, and wait until it has."""
    since = play.chronicle.now
    status = await (play.home if identifier == HOME else play.lamps[identifier]).terminate()
    await play.chronicle.expect(identifier, "stopped", since=since)
    play.check(status == 0, f"{identifier} to end with status 0", f"its status was {status}")
