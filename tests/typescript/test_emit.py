"""What is emitted for TypeScript of specifications that are hard to emit: it compiles, and reads what Python reads."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orbitalis_avro.errors import DecodeError
from orbitalis_codegen import read_specification
from orbitalis_codegen.emit import emit
from tests.codegen.broken.cases import LAMPS
from tests.codegen.zoo import emitted_package, write_zoo
from tests.support.repository import run
from tests.typescript.package import BEYOND, MODULES, PACKAGE, needs_node
from tests.typescript.random_avro import RandomAvro

SEED = 20_261_123
ROUND_TRIP = """
import { readFileSync } from "node:fs";
import { codecOf } from "./generated/typescript/codecs.js";

for (const line of readFileSync(0, "utf8").split("\\n").filter((one) => one !== "")) {
  const { name, hex } = JSON.parse(line);
  const codec = codecOf(name);
  try {
    const written = codec.encode(codec.decode(Buffer.from(hex, "hex")));
    console.log(JSON.stringify({ hex: Buffer.from(written).toString("hex") }));
  } catch (error) {
    console.log(JSON.stringify({ name: error.name, path: error.path, reason: error.reason ?? String(error) }));
  }
}
"""


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a specification with one message for each thing that is hard to emit."""
    return write_zoo(tmp_path_factory.mktemp("zoo") / "zoo")


@pytest.fixture(scope="module")
def compiled(zoo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile what is emitted of it and of another one, with what that calls; return the folder of the first."""
    folder = tmp_path_factory.mktemp("typescript")
    for name, root in (("zoo", zoo), ("lamps", LAMPS)):
        for path, data in emit(read_specification(root)).items():
            if path.startswith("generated/typescript/"):
                target = folder / name / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        shutil.copytree(PACKAGE / "src" / "support", folder / name / "typescript" / "src" / "support")
    options = {"types": [], "rootDir": ".", "outDir": "out", "noEmit": False}
    config = {"extends": str(PACKAGE / "tsconfig.json"), "compilerOptions": options, "include": ["zoo", "lamps"]}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    run(["node", MODULES / "typescript" / "bin" / "tsc", "--project", folder])
    (folder / "out" / "package.json").write_text('{"type": "module"}')
    return folder / "out" / "zoo"


@pytest.fixture(scope="module")
def wire(zoo: Path, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Import what is emitted of it for Python."""
    return emitted_package(zoo, tmp_path_factory.mktemp("python"), "zoo_for_typescript")


def written_at_random(wire: Any) -> list[tuple[str, bytes]]:
    """Write values of every message, and change some of them."""
    avro = RandomAvro(SEED)
    found: list[tuple[str, bytes]] = []
    for codec in wire.codecs.CODECS:
        for _ in range(8):
            data = avro.value(json.loads(codec.schema))
            found.append((codec.message_type, data))
            for _ in range(4):
                at = avro.chance.randint(0, len(data))
                noise = avro.chance.randbytes(2)
                found.append((codec.message_type, data[:at] + noise + data[at + avro.chance.randint(0, 3) :]))
    return found


@needs_node
@pytest.mark.timeout(120)
def test_what_is_hard_to_emit_compiles_and_reads_what_python_reads(compiled: Path, wire: Any, tmp_path: Path) -> None:
    given = written_at_random(wire)
    (compiled / "round-trip.js").write_text(ROUND_TRIP)
    lines = (json.dumps({"name": name, "hex": data.hex()}) for name, data in given)
    (tmp_path / "lines").write_text("\n".join(lines))

    script = f"node {compiled / 'round-trip.js'} < {tmp_path / 'lines'}"
    printed = run(["sh", "-c", script], errors_too=False).splitlines()

    read = 0
    differences: list[str] = []
    for (name, data), theirs in zip(given, map(json.loads, printed), strict=True):
        codec = wire.codecs.CODEC_BY_MESSAGE_TYPE[name]
        try:
            ours = repr(codec.decode(data))
        except DecodeError as error:
            ours = f"DecodeError {error.path}"
        else:
            read += 1
        if "hex" in theirs:
            found = repr(codec.decode(bytes.fromhex(theirs["hex"])))
        elif theirs.get("reason", "").startswith(BEYOND):
            continue
        else:
            found = f"{theirs['name']} {theirs.get('path')}"
        # A whole number is written as an integer where a union has both.
        if found != ours and re.sub(r"(\d)\.0\b", r"\1", ours) != found:
            differences.append(f"{name} {data.hex()}\n  Python: {ours}\n  TypeScript: {found} {theirs.get('reason')}")
    shown = "\n".join(differences[:5])
    assert not differences, f"{len(differences)} of {len(given)} differ:\n{shown}"
    assert len(given) / 8 < read < len(given)
