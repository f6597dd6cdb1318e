"""The files of examples/deploy, as far as a machine without a container engine can try them.

Units of systemd are verified by systemd, and their commands run with their environment. Of the containers, the
context of the build is made and the package built in it, and each service runs as a process: with what the image has,
its environment and its command, and a mosquitto with the configuration of theirs.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.examples.programs import Program, marked, processes_left
from tests.support.broker import Broker, find_mosquitto, unused_port
from tests.support.repository import ROOT, repository_files, run

pytestmark = pytest.mark.timeout(180)

DEPLOY = ROOT / "examples" / "deploy"
SYSTEMD = DEPLOY / "systemd"
CONTAINER = DEPLOY / "container"
UNITS = ("greenhouse-bed@.service", "greenhouse-gardener.service")
PYTHON = "/srv/greenhouse/.venv/bin/python"
DROP_IN = SYSTEMD / "greenhouse-bed@.service.d" / "tls.conf"


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Give the environment of programs, none of which may be left after the test."""
    given = marked()
    yield given
    assert processes_left(given) == []


def settings(path: Path) -> dict[str, list[str]]:
    """Return what a unit sets, by name."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def environment_file() -> dict[str, str]:
    """Return what the environment file sets."""
    lines = (SYSTEMD / "greenhouse.env").read_text().splitlines()
    return dict(_pair(line) for line in lines if line and not line.startswith("#"))


def specified(text: str, instance: str, credentials: str = "") -> str:
    """Put in what systemd puts in for specifiers."""
    return text.replace("%i", instance).replace("%d", credentials).replace("%%", "%")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")
@pytest.mark.parametrize("with_drop_in", [False, True], ids=["alone", "with the drop-in"])
@pytest.mark.parametrize("name", UNITS)
def test_systemd_accepts_a_unit(name: str, with_drop_in: bool, tmp_path: Path) -> None:
    unit = tmp_path / name.replace("@", "@tomatoes")
    text = (SYSTEMD / name).read_text()
    assert PYTHON in text
    unit.write_text(text.replace(PYTHON, sys.executable))
    if with_drop_in and "@" in name:
        shutil.copytree(DROP_IN.parent, tmp_path / f"{unit.name}.d")

    said = run(["systemd-analyze", "verify", "--man=no", unit], environment={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"})

    assert [line for line in said.splitlines() if "greenhouse" in line] == []


def test_the_commands_of_the_units_run(broker: Broker, environment: dict[str, str]) -> None:
    given = {**environment, **environment_file(), "ORBITALIS_BUS": broker.url}
    with ExitStack() as stack:
        running: list[Program] = []
        for name in UNITS:
            unit = settings(SYSTEMD / name)
            (command,) = unit["ExecStart"]
            python, option, *module = shlex.split(command)
            assert (python, option) == (PYTHON, "-m")
            of_unit = dict(_pair(specified(one, "tomatoes")) for one in unit["Environment"])
            running.append(stack.enter_context(Program(*module, environment={**given, **of_unit})))
        bed, gardener = running
        bed.expect("tomatoes has started")
        gardener.expect("gardener has started")
        # systemd sends SIGTERM at a stop, and takes the exit status 0 for a success.
        for program in (gardener, bed):
            assert program.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("name", UNITS)
def test_systemd_waits_longer_than_a_graceful_stop_takes(name: str) -> None:
    (patience,) = settings(SYSTEMD / name)["TimeoutStopSec"]

    assert float(patience) > float(environment_file()["GREENHOUSE_CLOSE_TIMEOUT"])


def test_the_drop_in_names_its_credentials() -> None:
    drop_in = settings(DROP_IN)
    loaded = {one.split(":")[0] for one in drop_in["LoadCredential"]}
    (bus,) = drop_in["Environment"]

    assert set(re.findall(r"%d/([\w.]+)", bus)) == loaded


# Containers


@dataclass
class Image:
    """What the last stage of the Dockerfile says."""

    copied: list[tuple[str, str]]
    environment: dict[str, str]
    command: list[str]
    health: list[str]
    folder: str


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, each with its arguments."""
    text = (CONTAINER / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def image() -> Image:
    """Read the last stage of the Dockerfile."""
    made = Image([], {}, [], [], "")
    for name, rest in instructions():
        match name:
            case "FROM":
                made = Image([], {}, [], [], "")
            case "COPY" if "--from" not in rest:
                source, target = rest.split()
                made.copied.append((source, target))
            case "ENV":
                made.environment |= dict(_pair(one) for one in shlex.split(rest))
            case "CMD":
                made.command = json.loads(rest)
            case "HEALTHCHECK":
                made.health = json.loads(rest.partition(" CMD ")[2])
            case "WORKDIR":
                made.folder = rest
            case "COPY" | "RUN" | "USER" | "STOPSIGNAL":
                pass
            case _:
                raise AssertionError(f"no instruction of a Dockerfile: {name}")
    return made


def context() -> list[Path]:
    """Return the files of the repository that the build gets: those that its list of ignored ones lets pass."""
    rules = [line for line in (CONTAINER / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] not in "#"]
    found: list[Path] = []
    for path in repository_files():
        passes = True
        for rule in rules:
            pattern = rule.removeprefix("!")
            places = [*map(str, path.parents), str(path)]
            if any(fnmatch.fnmatch(place, pattern) for place in places):
                passes = rule.startswith("!")
        if passes:
            found.append(path)
    return found


def copy_context(folder: Path) -> Path:
    """Make the context of the build in a folder."""
    for path in context():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    return folder


def services() -> dict[str, dict[str, Any]]:
    """Return the services of the compose file."""
    document: dict[str, dict[str, Any]] = yaml.safe_load((CONTAINER / "compose.yaml").read_text())
    assert set(document) == {"services", "x-program", "x-environment"}
    return document["services"]


def test_the_build_gets_all_that_the_package_is_made_of(tmp_path: Path) -> None:
    folder = copy_context(tmp_path / "context")

    run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path], folder=folder)

    assert len(list(tmp_path.glob("*.whl"))) == 1
    for name, rest in instructions():
        if name == "COPY" and "--from" not in rest:
            assert (folder / rest.split()[0]).exists()


def test_the_program_gets_the_signals_of_the_container() -> None:
    """A command that is a text would be run by a shell, which gets the signals in its place."""
    commands = [rest for name, rest in instructions() if name in ("CMD", "ENTRYPOINT")]

    assert commands
    assert all(isinstance(json.loads(command), list) for command in commands)
    assert all(isinstance(one.get("command", []), list) for one in services().values())


def seconds(text: str) -> float:
    """Read a duration of the compose file."""
    return float(re.fullmatch(r"(\d+)s", text)[1])  # type: ignore[index]  # a match, or the test fails


def of_service(service: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment of a service."""
    given: dict[str, str] = service["environment"]
    assert all(isinstance(value, str) for value in given.values())
    return given


def test_containers_wait_longer_than_a_graceful_stop_takes() -> None:
    programs = [one for name, one in services().items() if name != "broker"]

    assert len(programs) == 4
    for service in programs:
        assert seconds(service["stop_grace_period"]) > float(of_service(service)["GREENHOUSE_CLOSE_TIMEOUT"])


@pytest.fixture
def broker_of_containers(tmp_path: Path) -> Iterator[str]:
    """Run a mosquitto with the configuration of the container, on a free port; give its URL."""
    port = unused_port()
    text = (CONTAINER / "mosquitto.conf").read_text()
    (volume,) = services()["broker"]["volumes"]
    assert volume.split(":")[0] == "./mosquitto.conf"
    assert "listener 1883\n" in text
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(text.replace("listener 1883", f"listener {port} 127.0.0.1"))
    with subprocess.Popen([find_mosquitto(), "-c", configuration], stderr=subprocess.DEVNULL) as process:
        try:
            yield f"mqtt://127.0.0.1:{port}"
            assert process.poll() is None
        finally:
            process.kill()


def test_the_containers_work_together(broker_of_containers: str, environment: dict[str, str], tmp_path: Path) -> None:
    made, folder = image(), tmp_path / "image"
    sources = copy_context(tmp_path / "context")
    for source, target in made.copied:
        shutil.copytree(sources / source, folder / target.lstrip("/"))
    bin_folder = str(Path(sys.executable).parent)
    # The package is that of this environment; of the repository the programs have what the image has.
    given = {**environment, "PYTHONPATH": "", "PATH": f"{bin_folder}:/usr/bin:/bin"}
    running: dict[str, Program] = {}
    with ExitStack() as stack:
        for name, service in services().items():
            if name == "broker":
                continue
            assert of_service(service)["GREENHOUSE_IDENTIFIER"] == name, "its health check asks another one"
            of_this = {**given, **of_service(service), "ORBITALIS_BUS": broker_of_containers}
            python, option, *arguments = service.get("command", made.command)
            assert (python, option) == ("python", "-m")
            cwd = folder / made.folder.lstrip("/")
            running[name] = stack.enter_context(Program(*arguments, environment=of_this, folder=cwd))
        running["gardener"].expect("is open to 40 %")
        for bed in ("tomatoes", "herbs"):
            running[bed].expect(f"{bed}: 15 litres")
        asked = {**given, **of_service(services()["herbs"]), "ORBITALIS_BUS": broker_of_containers}
        assert "herbs" in run(made.health, environment=asked)
        for program in running.values():
            assert program.end(signal.SIGTERM) == 0
