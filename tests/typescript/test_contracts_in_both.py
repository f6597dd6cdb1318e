"""Contracts of all shapes: what one language writes is what the other one writes, and each reads the other's.

`ORBITALIS_CONTRACTS=200` tries so many of them, instead of a few.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orbitalis_avro.errors import DecodeError
from orbitalis_codegen.contract.model import Contract
from orbitalis_codegen.emit.contract_python.named import Named as NamedInPython
from orbitalis_codegen.emit.contract_typescript.named import Named
from tests.codegen.contract.contracts import emitted_package
from tests.codegen.contract.random_contracts import random_contract
from tests.support.repository import run
from tests.typescript.contracts import compile_contracts, write_contracts
from tests.typescript.package import needs_node
from tests.typescript.random_avro import RandomAvro

pytestmark = [needs_node, pytest.mark.timeout(300)]

COUNT = int(os.environ.get("ORBITALIS_CONTRACTS", "12"))
SEED = 20_261_130
VALUES = 6
ROUND_TRIP = """
import { readFileSync } from "node:fs";

const packages = new Map();
for (const line of readFileSync(0, "utf8").split("\\n").filter((one) => one !== "")) {
  const { name, type, hex } = JSON.parse(line);
  if (!packages.has(name)) {
    packages.set(name, await import(`./out/${name}/index.js`));
  }
  const { CODECS } = packages.get(name);
  const { fingerprint, schema, messageType } = CODECS[type];
  const said = { fingerprint, schema, messageType };
  try {
    const written = CODECS[type].encode(CODECS[type].decode(Buffer.from(hex, "hex")));
    console.log(JSON.stringify({ ...said, hex: Buffer.from(written).toString("hex") }));
  } catch (error) {
    console.log(JSON.stringify({ ...said, name: error.name, path: error.path, reason: error.reason ?? error.stack }));
  }
}
"""


@dataclass(frozen=True)
class Sample:
    """Bytes that are, or nearly are, a message of a contract."""

    package: str
    type_name: str
    message: Any
    """The class in Python."""
    data: bytes

    @property
    def line(self) -> str:
        """What the other side is given."""
        return json.dumps({"name": self.package, "type": self.type_name, "hex": self.data.hex()})


def samples(contracts: dict[str, Contract], folder: Path) -> Iterator[Sample]:
    """Yield values of every message, and some of them changed."""
    chance = random.Random(SEED)
    for name, contract in contracts.items():
        package = emitted_package(contract, folder, name)
        named, in_python = Named(contract), NamedInPython(contract)
        avro = RandomAvro(chance.getrandbits(32))
        for record, message in named.records.messages.items():
            kind = getattr(package, in_python.types.class_names[record])
            for _ in range(VALUES):
                data = avro.value(json.loads(message.schema))
                yield Sample(name, named.types.type_names[record], kind, data)
                at = chance.randint(0, len(data))
                changed = data[:at] + chance.randbytes(1) + data[at + chance.randint(0, 2) :]
                yield Sample(name, named.types.type_names[record], kind, changed)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Sample, dict[str, Any]]]:
    """Return the samples, each with what TypeScript makes of it."""
    folder = tmp_path_factory.mktemp("contracts")
    contracts = {f"both_{seed}": random_contract(seed) for seed in range(COUNT)}
    write_contracts(contracts, folder)
    compile_contracts(folder)
    given = list(samples(contracts, tmp_path_factory.mktemp("python")))
    (folder / "round-trip.mjs").write_text(ROUND_TRIP)
    (folder / "lines").write_text("\n".join(sample.line for sample in given))
    script = f"node {folder / 'round-trip.mjs'} < {folder / 'lines'}"
    printed = run(["sh", "-c", script], folder=folder, errors_too=False).strip("\n").split("\n")
    return list(zip(given, map(json.loads, printed), strict=True))


def test_schemas_have_the_same_fingerprints(found: list[tuple[Sample, dict[str, Any]]]) -> None:
    for sample, theirs in found:
        ours = sample.message
        assert theirs["fingerprint"] == ours.schema_fingerprint()
        assert theirs["schema"] == ours.avro_schema()
        assert theirs["messageType"] == ours.message_type()


def test_both_write_the_same_and_read_each_other(found: list[tuple[Sample, dict[str, Any]]]) -> None:
    read, differences = 0, []
    for sample, theirs in found:
        try:
            value = sample.message.decode(sample.data)
        except DecodeError as error:
            ours = f"DecodeError at {error.path!r}"
        else:
            ours = value.encode().hex()
            read += 1
        if "hex" in theirs:
            told = theirs["hex"]
            # It has read the same, and what it has written is read as the same.
            assert ours != told or repr(sample.message.decode(bytes.fromhex(told))) == repr(value)
        else:
            told = f"{theirs['name']} at {theirs['path']!r}"
        if ours != told:
            differences.append(f"{sample}\n  Python: {ours}\n  TypeScript: {told} {theirs.get('reason')}")
    shown = "\n".join(differences[:5])
    assert not differences, f"{len(differences)} of {len(found)} differ:\n{shown}"
    assert len(found) / 2 <= read < len(found)
