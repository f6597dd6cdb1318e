"""The package as users install it: what is in it, what its types say, and the programs of its README."""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.broker import Broker
from tests.support.repository import ROOT, run
from tests.typescript.installed import compile_programs, readme_programs
from tests.typescript.package import MODULES, needs_node

pytestmark = [needs_node, pytest.mark.timeout(120), pytest.mark.xdist_group("typescript package")]

BROKER = "mqtt://localhost:1883"
EXPORTS = ("", "/protocol", "/support", "/wire", "/contract", "/opentelemetry")


@contextmanager
def running(path: Path) -> Generator[None]:
    """Have a program run until the end of the block."""
    process = subprocess.Popen(["node", path], stdin=subprocess.DEVNULL)
    try:
        yield
        assert process.poll() is None, "the plugin has ended by itself"
    finally:
        process.kill()
        process.wait()


WRONG = """
import { defineOperation, Core, Plugin, text } from "@orbitalis/sdk";
const turnOn = defineOperation({ name: "turn_on", input: text, output: text });
export function misuse(lamp: Plugin, core: Core): void {
  // @ts-expect-error the operation gives a text
  lamp.operation(turnOn, async (request) => request.value.length);
  // @ts-expect-error the operation takes a text
  void core.request(turnOn, 7n);
}
"""


@pytest.fixture(scope="module")
def programs(project: Path, broker: Broker) -> Path:
    """Have the programs of the README, and what the types forbid, compiled in a strict project; return the folder."""
    imports = [f'import * as part{index} from "@orbitalis/sdk{one}";' for index, one in enumerate(EXPORTS)]
    known = "part0.Plugin, part1.CoreMachine, part2.WireError, part3.envelope, part4.Canned, part5.openTelemetry"
    exports = "\n".join([*imports, f"export const known = [{known}];"])
    plugin, core, operator, traced = (source.replace(BROKER, broker.url) for source in readme_programs())
    # Those who trace install it beside the package.
    (project / "node_modules" / "@opentelemetry").symlink_to(MODULES / "@opentelemetry")
    sources = {
        "plugin": plugin,
        "core": core,
        "operator": operator,
        "traced": traced,
        "exports": exports,
        "wrong": WRONG,
    }
    (project / "source").mkdir()
    for name, source in sources.items():
        (project / "source" / f"{name}.ts").write_text(source, encoding="utf-8")
    compile_programs(project)
    return project / "compiled"


def test_publint_finds_nothing(sdk_archive: Path) -> None:
    run(["node", MODULES / "publint/src/cli.js", "run", sdk_archive, "--strict"], environment={"NO_COLOR": "1"})


def test_the_types_are_not_wrong(sdk_archive: Path) -> None:
    judge = MODULES / "@arethetypeswrong/cli/dist/index.js"

    run(["node", judge, sdk_archive, "--profile", "esm-only", "--no-definitely-typed", "--no-color"])


def test_the_archive_has_the_code_its_types_and_nothing_else(sdk_archive: Path) -> None:
    with tarfile.open(sdk_archive) as archive:
        names = set(archive.getnames())
    others = {name for name in names if not name.endswith((".js", ".js.map", ".d.ts"))}
    code = {name for name in names if name.endswith(".js")}

    assert others == {"package/package.json", "package/README.md", "package/LICENSE"}
    assert {name.removesuffix(".js") + ".d.ts" for name in code} <= names
    assert all(name.startswith(("package/dist/generated/", "package/dist/typescript/src/")) for name in code)


def test_the_license_in_the_archive_is_that_of_the_repository(sdk_archive: Path) -> None:
    # npm packs a file beside package.json alone, and no link.
    with tarfile.open(sdk_archive) as archive:
        packed = archive.extractfile("package/LICENSE")
        assert packed is not None
        assert packed.read() == (ROOT / "LICENSE").read_bytes()


def test_every_export_is_there_for_node(programs: Path) -> None:
    run(["node", programs / "exports.js"])


def test_the_plugin_of_the_readme_has_six_lines() -> None:
    plugin, *_ = readme_programs()

    assert len(list(filter(None, plugin.splitlines()))) == 6


def test_the_core_of_the_readme_uses_its_plugin_and_the_operator_sees_it(programs: Path) -> None:
    assert all(BROKER in source for source in readme_programs())

    with running(programs / "plugin.js"):
        assert run(["node", programs / "core.js"], timeout=60) == "the kitchen is on\n"
        assert "lamp is a plugin with turn_on" in run(["node", programs / "operator.js"], timeout=60).splitlines()


def test_the_traced_core_of_the_readme_tells_its_spans(programs: Path) -> None:
    with running(programs / "plugin.js"):
        told = run(["node", programs / "traced.js"], timeout=60)

    assert re.findall(r"^  name: '(.*)',$", told, re.MULTILINE) == ["handshake turn_on", "request turn_on"]
