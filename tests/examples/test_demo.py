"""The demonstration: that it shows what it says, fails when it should, and leaves nothing running."""

from __future__ import annotations

import io
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.demo import broker as demo_broker
from examples.demo import languages as demo_languages
from examples.demo.chronicle import Chronicle, StepFailedError
from examples.demo.play import Play
from examples.demo.processes import ProcessStage
from examples.demo.terminal import Terminal
from examples.lamps.report import Report
from tests.examples.programs import Program, marked, processes_left
from tests.typescript.package import built

pytestmark = pytest.mark.timeout(180)

HANDSHAKES = [
    f"{lamp} is discovered, offers, is requested and confirms" for lamp in ("lamp_x_1", "lamp_x_2", "lamp_y_1")
]

#: The steps, as they are shown at the end.
STEPS = [
    "home asks for what it needs, and is not compliant",
    *HANDSHAKES,
    "home is compliant",
    "any: one lamp of home's choice is switched on",
    "all: every lamp says how it is, and only that one is on",
    "plugin_identifier: lamp_y_1 alone is dimmed, and says what it has used",
    "distribute: of six questions, each lamp answers two",
    "orbitalis ls: everybody is there, and says what it does",
    "orbitalis call: lamp_y_1 answers in JSON",
    "home notices the silence, and is not compliant any more",
    "orbitalis why: home misses what that lamp alone had",
    "the two others go on working",
    "lamp_y_2 is discovered, offers, is requested and confirms",
    "home is compliant again",
    "lamp_y_2 is dimmed in place of lamp_y_1",
]
#: Without those of the command, which does not reach a bus within another process.
OTHERS = [step for step in STEPS if not step.startswith("orbitalis ")]
OUTAGE = ["everybody finds the broker again", "every connection works as before", "no connection was lost over it"]
LANGUAGES = [
    "a lamp in TypeScript starts",
    "a core in Python turns it on, breaks its bulb and turns it off",
    "the lamp in TypeScript stops",
]
END = ["each lamp stops, and home is told", "home stops", "nothing is left running"]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give the environment of a demonstration, of which neither process nor file may be left after the test."""
    given = {**marked(), "TMPDIR": str(tmp_path)}
    yield given
    assert processes_left(given) == []
    assert list(tmp_path.glob("orbitalis-demo-*")) == []


def summary(output: list[str]) -> list[str]:
    """Return the steps that the demonstration lists at its end, each with its mark."""
    (start,) = (number for number, line in enumerate(output) if line.startswith("── What was shown"))
    return [line.strip() for line in output[start + 1 :] if line.strip().startswith(("✓", "✗"))]


def test_all_of_it_happens(environment: dict[str, str]) -> None:
    has_node = shutil.which("node") is not None
    if has_node:
        built()
    with Program("examples.demo", environment=environment) as demo:
        assert demo.wait() == 0, "\n".join(demo.output)

    steps = ["the broker is running", *STEPS, *OUTAGE, *(LANGUAGES if has_node else []), *END]
    assert summary(demo.output) == [f"✓ {step}" for step in steps]
    text = "\n".join(demo.output)
    assert "Traceback" not in text
    assert "\x1b" not in text, "there are colours, though this is no terminal"
    for sentence in (
        "home      │ asks for get_status",
        "lamp_x_1  │ offers the home get_status, turn_on and turn_off",
        "home      │ has not heard of lamp_y_1 for too long",
        "home      │ is compliant",
        "demo      │ has killed the broker",
        "lamp_y_2  │ has found the bus again",
        "house     │ the bulb is broken after 1000 hours" if has_node else "takes Node.js, which is not installed",
    ):
        assert sentence in text


@pytest.mark.parametrize(
    ("has_node", "reason"), [(False, "takes Node.js, which is not installed"), (True, "is not compiled: `make demo`")]
)
async def test_what_the_other_language_lacks_is_said(
    has_node: bool, reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stream = io.StringIO()
    chronicle = Chronicle(Terminal(stream), patience=5)
    stage = ProcessStage("mosquitto", chronicle, lamp_module="")
    play = Play(stage, chronicle, Terminal(stream))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(demo_languages, "_PROGRAM", tmp_path / "plugin.js")
    if has_node:
        (tmp_path / "node").touch(mode=0o755)

    await demo_languages.languages(play)
    await stage.close()

    assert "LEFT OUT" in stream.getvalue()
    assert reason in " ".join(stream.getvalue().split())
    assert play.steps == []


def test_without_a_broker_it_says_what_it_leaves_out(environment: dict[str, str]) -> None:
    with Program("examples.demo", "--in-process", environment=environment) as demo:
        assert demo.wait() == 0, "\n".join(demo.output)

    assert summary(demo.output) == [f"✓ {step}" for step in ["the event bus is there", *OTHERS, *END]]
    text = "\n".join(demo.output)
    assert "ONE process" in text
    assert "LEFT OUT" in text
    assert "Traceback" not in text


def test_a_lamp_that_crashes_fails_it(environment: dict[str, str]) -> None:
    with Program("examples.demo", "--lamp-module", "tests.examples.crashing_lamp", environment=environment) as demo:
        assert demo.wait() == 1

    done = ["the broker is running", *STEPS[:5]]
    assert summary(demo.output) == [*(f"✓ {step}" for step in done), f"✗ {STEPS[5]}"]
    text = "\n".join(demo.output)
    assert "expected: the report 'changed' of lamp_" in text
    assert "ended by itself with status 3" in text
    assert "the filament broke" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("option", [(), ("--in-process",)], ids=["processes", "in process"])
def test_what_does_not_happen_in_time_fails_it(option: tuple[str, ...], environment: dict[str, str]) -> None:
    """The lamp is noticed to be dead after two seconds or three, which is longer than this demonstration waits."""
    with Program("examples.demo", *option, "--patience", "1.5", environment=environment) as demo:
        assert demo.wait() == 1

    assert summary(demo.output)[-1].startswith("✗ ")
    assert "that did not happen within 1.5 s" in "\n".join(demo.output)
    assert "Traceback" not in "\n".join(demo.output)


def test_a_broker_that_does_not_start_fails_it(environment: dict[str, str], tmp_path: Path) -> None:
    mosquitto = tmp_path / "mosquitto"
    mosquitto.write_text("#!/bin/sh\necho no ports left >&2\nexit 1\n")
    mosquitto.chmod(0o755)

    with Program("examples.demo", environment={**environment, "PATH": f"{tmp_path}:/usr/bin:/bin"}) as demo:
        assert demo.wait() == 1

    assert summary(demo.output) == ["✗ the broker is running"]
    assert "no ports left" in "\n".join(demo.output)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("moment", ["the broker is running", "✓ lamp_x_1 is discovered", "has killed lamp_y_1"])
def test_a_signal_ends_everything(number: signal.Signals, moment: str, environment: dict[str, str]) -> None:
    with Program("examples.demo", environment=environment) as demo:
        demo.expect(moment)
        assert demo.end(number) == 128 + number

    assert demo.output[-1] == f"{number.name}: everything has been ended."
    assert "Traceback" not in "\n".join(demo.output)


def test_the_broker_is_looked_for_where_it_is_not_in_everybodys_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "sbin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(demo_broker, "_FOLDERS", (str(folder),))

    assert demo_broker.find_mosquitto() is None
    (folder / "mosquitto").touch(mode=0o755)
    assert demo_broker.find_mosquitto() == str(folder / "mosquitto")


class Tty(io.StringIO):
    """A stream that says that it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_only_where_they_are_wanted(
    environment: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Tty()
    terminal = Terminal(stream)
    terminal.heading("Heading")
    terminal.say("home", "is compliant", 0.0)
    terminal.step("a step", done=True)

    assert ("\x1b[" in stream.getvalue()) is coloured


def test_a_terminal_that_cannot_write_ticks_gets_words(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    terminal = Terminal(stream)
    terminal.heading("Heading")
    terminal.step("a step", done=True)
    terminal.step("another", done=False)

    stream.seek(0)
    assert [line.strip() for line in stream.read().splitlines()[2:]] == ["ok a step", "FAILED another"]


async def test_reports_that_belong_together_become_one_line() -> None:
    stream = io.StringIO()
    chronicle = Chronicle(Terminal(stream), patience=5)
    for operation, at in (("turn_off", 2.0), ("turn_on", 1.0)):
        chronicle.add(Report(orbiter="lamp", event="is asked", remotes=("home",), operations=(operation,), at=at))
    for at in (4.0, 3.0):
        chronicle.add(Report(orbiter="home", event="asks", operations=("turn_on",), at=at))
    chronicle.tell()
    chronicle.add(Report(orbiter="home", event="asks", operations=("turn_on",), at=5.0))
    chronicle.tell()

    assert [line.partition("│ ")[2] for line in stream.getvalue().splitlines()] == [
        "is requested by home to provide turn_on and turn_off",
        "asks for turn_on",
    ]


async def test_what_is_expected_may_have_come_already_or_never_comes() -> None:
    chronicle = Chronicle(Terminal(io.StringIO()), patience=0.05)
    chronicle.add(Report(orbiter="lamp", event="changed", values={"is_on": True, "power": 1.0}))

    assert len(await chronicle.expect("lamp", "changed", is_on=True)) == 1
    with pytest.raises(StepFailedError, match="of lamp is_on=False, but that did not happen within"):
        await chronicle.expect("lamp", "changed", is_on=False)
    with pytest.raises(StepFailedError):
        await chronicle.expect("lamp", "changed", since=chronicle.now)
    chronicle.break_off("the lamp fell down")
    with pytest.raises(StepFailedError, match="the lamp fell down"):
        await chronicle.expect("lamp", "changed", times=2)
