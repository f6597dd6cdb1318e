"""What a user installs: the wheel in an empty environment, and the source distribution it can be made from."""

from __future__ import annotations

import email
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from tests.support.broker import Broker
from tests.support.repository import PACKAGE_FOLDERS, ROOT, repository_files, run

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("wheel")]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

#: What the wheel has beside packages, for those who implement the protocol.
SPECIFICATION = "orbitalis_wire/specification"


def build(folder: Path, target: str, source: Path = ROOT, *, epoch: str | None = None) -> Path:
    """Build a distribution of `source` into `folder`, and return it; `epoch` is the time that its files get."""
    environment = {} if epoch is None else {"SOURCE_DATE_EPOCH": epoch}
    arguments = ["build", "--target", target, "--directory", str(folder)]
    run([sys.executable, "-m", "hatchling", *arguments], folder=source, environment=environment)
    (distribution,) = folder.iterdir()
    return distribution


def version_of(source: Path) -> str:
    """Return the version that distributions of `source` get."""
    return run([sys.executable, "-m", "hatchling", "version"], folder=source, errors_too=False).strip()


def metadata_of(wheel: Path) -> Message:
    """Return what a wheel says of itself."""
    (data,) = (data for name, data in members(wheel).items() if name.endswith("/METADATA"))
    return email.message_from_bytes(data)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def source_distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("sdist"), "sdist")


def members(wheel: Path) -> dict[str, bytes]:
    """Return the files in a wheel by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class Environment:
    """A virtual environment that holds the wheel and what it asked for."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        self.wheel = wheel
        self.constraints = folder / "constraints.txt"
        venv.create(folder, with_pip=True)
        pins = re.findall(r"^([^\s\\]+==[^\\\n]+)", (ROOT / "requirements-dev.lock").read_text(), re.MULTILINE)
        self.constraints.write_text("\n".join(pins))

    def install(self, extra: str = "") -> None:
        """Install the wheel with its dependencies, in the versions that are locked."""
        options = ["--quiet", "--disable-pip-version-check", "--constraint", str(self.constraints)]
        self.run("-m", "pip", "install", *options, f"{self.wheel}{extra}")

    def run(self, *arguments: str | Path, status: int = 0) -> str:
        """Run Python; nothing of the repository is importable."""
        return run([self.folder / "bin" / "python", *arguments], folder=self.folder, status=status)

    def run_script(self, name: str, *arguments: str, status: int = 0) -> str:
        """Run a command that the wheel has installed."""
        return run([self.folder / "bin" / name, *arguments], folder=self.folder, status=status)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Environment:
    environment = Environment(tmp_path_factory.mktemp("environment"), wheel)
    environment.install()
    return environment


def test_wheel_has_the_packages_and_nothing_else(wheel: Path) -> None:
    expected = {
        f"{name}/{(ROOT / path).relative_to(folder).as_posix()}": (ROOT / path).read_bytes()
        for name, folder in PACKAGE_FOLDERS.items()
        for path in repository_files()
        if (ROOT / path).is_relative_to(folder)
    }
    expected |= {
        f"{SPECIFICATION}/{path.as_posix()}": (ROOT / path).read_bytes()
        for path in repository_files()
        if path.parts[0] in ("asyncapi.yaml", "schemas", "vectors")
    }

    contained = {name: data for name, data in members(wheel).items() if ".dist-info/" not in name}

    assert sorted(contained) == sorted(expected)
    assert contained == expected
    assert {f"{name}/py.typed" for name in PACKAGE_FOLDERS} <= contained.keys()


def test_wheel_says_what_it_is(wheel: Path) -> None:
    metadata = metadata_of(wheel)

    assert wheel.name == f"orbitalis_sdk-{version_of(ROOT)}-py3-none-any.whl"
    assert metadata["Name"] == "orbitalis-sdk"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    assert metadata.get_all("Provides-Extra") == sorted(PROJECT["optional-dependencies"])
    assert metadata.get_all("Project-URL") == [f"{name}, {url}" for name, url in PROJECT["urls"].items()]
    assert any(name.endswith("/licenses/LICENSE") for name in members(wheel))


def test_the_package_index_shows_the_readme(wheel: Path) -> None:
    shown = str(metadata_of(wheel).get_payload())
    targets = re.findall(r"\]\(([^)\s]+)\)", shown)
    pictures = re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", shown)
    raw_files = f"{PROJECT['urls']['Source'].replace('github.com', 'raw.githubusercontent.com')}/main/"
    files = f"{PROJECT['urls']['Source']}/blob/main/"
    ours = [target.removeprefix(files).partition("#")[0] for target in targets if target.startswith(files)]

    assert "## A plugin and a core" in shown
    assert "mermaid" not in shown
    assert [target for target in targets if not target.startswith("https://")] == []
    assert len(ours) >= 30
    assert [target for target in ours if not (ROOT / target).exists()] == []
    # The page of a file in the repository is no picture.
    assert [picture for picture in pictures if not (ROOT / picture.removeprefix(raw_files)).is_file()] == []
    assert pictures != []


@pytest.mark.parametrize("target", ["wheel", "sdist"])
def test_a_distribution_is_the_same_each_time(target: str, tmp_path: Path) -> None:
    first = build(tmp_path / "first", target, epoch="1700000000")
    copy = tmp_path / "copy"
    run(["git", "clone", "--quiet", "--no-checkout", ROOT, copy])
    for path in repository_files():
        # As the files are now, committed or not, and with other times of change.
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, copy / path)
    # What differs from the last commit shows in the version, and nothing may differ that does not here.
    run(["git", "reset", "--quiet"], folder=copy)

    second = build(tmp_path / "second", target, copy, epoch="1700000000")

    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_what_checks_distributions_finds_nothing(wheel: Path, source_distribution: Path) -> None:
    run([sys.executable, "-m", "twine", "check", "--strict", wheel, source_distribution])
    run([sys.executable, "-m", "check_wheel_contents", wheel])


def test_the_version_comes_from_the_newest_tag(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    run([*git, "clone", "--quiet", "--depth", "1", "--no-tags", f"file://{ROOT}", copy])
    shutil.copy(ROOT / "pyproject.toml", copy)

    assert re.fullmatch(r"1\.1\.dev\d+", version_of(copy))

    run([*git, "commit", "--quiet", "--all", "--allow-empty", "--message", "A release"], folder=copy)
    run([*git, "tag", "v1.2.3"], folder=copy)
    assert version_of(copy) == "1.2.3"

    run([*git, "commit", "--quiet", "--allow-empty", "--message", "A change"], folder=copy)
    assert version_of(copy) == "1.2.4.dev1"


def test_source_distribution_has_the_repository(source_distribution: Path) -> None:
    with tarfile.open(source_distribution) as archive:
        contained = {Path(*Path(name).parts[1:]) for name in archive.getnames()}
    unneeded = {Path(".editorconfig"), Path(".gitignore"), Path(".ci/run")}

    assert contained - set(repository_files()) <= {Path("PKG-INFO"), Path(".gitignore")}
    assert set(repository_files()) - contained <= unneeded


def test_source_distribution_makes_the_same_wheel(source_distribution: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(source_distribution) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()

    # There is no repository around it: it says its version itself.
    assert members(build(tmp_path / "wheel", "wheel", source)) == members(wheel)


def test_installed_packages_can_be_imported(installed: Environment) -> None:
    program = "import {0}; print({0}.__file__)"

    for name in PACKAGE_FOLDERS:
        assert Path(installed.run("-c", program.format(name)).strip()).is_relative_to(installed.folder)


def test_installed_version(installed: Environment) -> None:
    program = "import orbitalis; print(orbitalis.__version__)"

    assert installed.run("-c", program).strip() == version_of(ROOT)
    assert installed.run_script("orbitalis", "--version") == f"orbitalis {version_of(ROOT)}\n"


def test_installed_specification_can_be_read(installed: Environment) -> None:
    program = """
from importlib.resources import files
specification = files("orbitalis_wire") / "specification"
print((specification / "asyncapi.yaml").read_text(encoding="utf-8").partition("\\n")[0])
print((specification / "schemas" / "DiscoverMessage.avsc").is_file(), (specification / "vectors").is_dir())
"""
    first_line = (ROOT / "asyncapi.yaml").read_text().partition("\n")[0]

    assert installed.run("-c", program).splitlines() == [first_line, "True True"]


def test_every_module_of_the_runtime_can_be_imported_without_an_extra(installed: Environment) -> None:
    program = """
import importlib, pkgutil
for package in ("orbitalis", "orbitalis_wire"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            print(module.name, str(error).partition("pip install ")[2].rstrip('`'))
        else:
            print(module.name)
"""
    found = installed.run("-c", program).splitlines()
    assert "orbitalis_wire.codecs" in found
    # What makes up an extra says so.
    assert sorted(line for line in found if " " in line) == [
        "orbitalis.observability.metrics 'orbitalis-sdk[otel]'",
        "orbitalis.observability.prometheus 'orbitalis-sdk[prometheus]'",
        "orbitalis.observability.traces 'orbitalis-sdk[otel]'",
    ]


def test_modules_of_the_extras_for_observability_can_be_imported_with_them(installed: Environment) -> None:
    installed.install("[otel,prometheus]")

    for module in ("metrics", "prometheus", "traces"):
        installed.run("-c", f"import orbitalis.observability.{module}")


def test_installed_tester_of_conformance_has_its_cases(installed: Environment) -> None:
    refusal = installed.run_script("orbitalis-conformance", "--list", status=2)
    assert "pip install 'orbitalis-sdk[conformance]'" in refusal

    installed.install("[conformance]")

    assert "handshake-plugin: a reject frees the slot  [ORB-HS-28]" in installed.run_script(
        "orbitalis-conformance", "--list"
    )


def test_generator_says_which_extra_it_needs_and_runs_with_it(installed: Environment) -> None:
    assert "generate" in installed.run_script("orbitalis-codegen", "--help")
    refusal = installed.run_script("orbitalis-codegen", "check", status=2)
    assert "pip install 'orbitalis-sdk[codegen]'" in refusal
    assert "Traceback" not in refusal

    installed.install("[codegen]")

    refusal = installed.run_script("orbitalis-codegen", "check", status=2)
    assert "asyncapi.yaml cannot be read" in refusal


def test_installed_generator_does_its_job(installed: Environment, tmp_path: Path) -> None:
    installed.install("[codegen]")
    shutil.copy(ROOT / "asyncapi.yaml", tmp_path)
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")

    installed.run_script("orbitalis-codegen", "generate", "--root", str(tmp_path))

    generated = tmp_path / "generated/python/orbitalis_wire/messages.py"
    assert generated.read_bytes() == (PACKAGE_FOLDERS["orbitalis_wire"] / "messages.py").read_bytes()


CALL = """
import asyncio
from lamps import LampsClient, LampsFake, Status, TurnOn
from orbitalis import Core

async def main():
    core, lamp = Core(), LampsFake()
    lamp.when_turn_on.returns(Status(on=True))
    lamps = LampsClient(core, minimum=1)
    async with lamp, core:
        await core.compliant_event.wait()
        print(await lamps.turn_on(TurnOn(level=0.5)))

asyncio.run(main())
"""


def test_installed_generator_emits_contracts(installed: Environment, tmp_path: Path) -> None:
    installed.install("[codegen]")
    document = ROOT / "examples" / "contract" / "lamps.yaml"
    (tmp_path / "call.py").write_text(CALL)

    installed.run_script("orbitalis-codegen", "contract", str(document), "--output", str(tmp_path))

    assert installed.run("-W", "error", tmp_path / "call.py") == "Status(on=True)\n"


PLUGIN = """
import asyncio, sys
from dataclasses import dataclass
from orbitalis import Event, Input, Output, Plugin, StringMessage, connect, operation

@dataclass
class Lowercase(Plugin):
    @operation(name="lowercase", input=Input.string(), output=Output.string())
    async def lowercase(self, topic: str, event: Event[StringMessage]) -> None:
        connections = await self.retrieve_and_touch_connections("lowercase", input_topic=topic)
        await self.send_result_to_all(connections, event.payload.value.lower())

async def main() -> None:
    async with Lowercase(identifier="plugin", eventbus_client=connect(sys.argv[1])):
        await asyncio.Event().wait()

asyncio.run(main())
"""
CORE = """
import asyncio, sys
from dataclasses import dataclass, field
from orbitalis import Constraint, Core, Event, Input, OperationRequirement, Output, StringMessage, connect, sink

@dataclass
class MyCore(Core):
    result: asyncio.Future = field(default_factory=asyncio.Future)

    @sink("lowercase")
    async def lowercase(self, topic: str, event: Event[StringMessage]) -> None:
        self.result.set_result(event.payload.value)

async def main() -> None:
    constraint = Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()])
    core = MyCore(
        identifier="core",
        eventbus_client=connect(sys.argv[1]),
        operation_requirements={"lowercase": OperationRequirement(constraint)},
    )
    async with core, asyncio.timeout(30):
        await core.compliant_event.wait()
        await core.execute("lowercase", "HELLO", any=True)
        print(await core.result)

asyncio.run(main())
"""


def test_two_installed_processes_work_together(installed: Environment, broker: Broker) -> None:
    plugin = subprocess.Popen([installed.folder / "bin" / "python", "-c", PLUGIN, broker.url], cwd=installed.folder)
    try:
        assert installed.run("-c", CORE, broker.url) == "hello\n"
        assert plugin.poll() is None
    finally:
        plugin.kill()
        plugin.wait()
