"""What is emitted follows from the specification alone, and follows it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orbitalis_codegen import read_specification
from orbitalis_codegen.emit import emit
from orbitalis_codegen.emit.parts import part_of
from orbitalis_codegen.emit.python import package
from tests.codegen.broken.cases import LAMPS, edited
from tests.codegen.zoo import write_zoo
from tests.support.repository import ROOT

REQUIRED = ("jinja2", "yaml", "fastavro")
EMIT = """
import hashlib, sys
from pathlib import Path
from orbitalis_codegen import read_specification
from orbitalis_codegen.emit import emit
for root in sys.argv[1:]:
    for path, content in emit(read_specification(Path(root))).items():
        print(path, hashlib.sha256(content).hexdigest())
"""
PACKAGE = "generated/python/orbitalis_wire"
ACCESS = "generated/mosquitto"
TYPESCRIPT = "generated/typescript"


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    zoo = tmp_path_factory.mktemp("determinism") / "zoo"
    return [str(ROOT), str(LAMPS), str(write_zoo(zoo))]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the repository's specification."""
    shutil.copy(ROOT / "asyncapi.yaml", tmp_path)
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    return tmp_path


def emitted_by(python: str | Path, roots: list[str], **environment: str) -> str:
    """Return the digests of all that a Python emits, in a process of its own."""
    return subprocess.run(
        [python, "-c", EMIT, *roots],
        env={**os.environ, "PYTHONPATH": str(ROOT / "codegen"), **environment},
        capture_output=True,
        check=True,
        text=True,
    ).stdout


def other_pythons() -> list[str]:
    """Find other Pythons that can run the generator, also with the dependencies of this one."""
    own = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    names = [f"python3.{minor}" for minor in range(11, 16) if f"python3.{minor}" != own]
    siblings = Path(sys.base_prefix).parent
    found = [shutil.which(name) for name in names]
    found += [str(path) for name in names for path in siblings.glob(f"*/bin/{name}")]
    return [path for path in dict.fromkeys(found) if path is not None and can_run_the_generator(path)]


def can_run_the_generator(python: str) -> bool:
    script = f"import {', '.join(REQUIRED)}"
    return subprocess.run([python, "-c", script], capture_output=True, check=False).returncode == 0


def test_hashing_has_no_influence(roots: list[str]) -> None:
    outputs = {emitted_by(sys.executable, roots, PYTHONHASHSEED=seed) for seed in ("0", "1", "2026")}

    assert len(outputs) == 1
    assert outputs.pop().count(PACKAGE) == 3 * 12


def test_the_surroundings_have_no_influence(roots: list[str], tmp_path: Path) -> None:
    plain = emitted_by(sys.executable, roots)
    elsewhere = shutil.copytree(ROOT / "codegen", tmp_path / "codegen", ignore=shutil.ignore_patterns("__pycache__"))

    assert emitted_by(sys.executable, roots, PYTHONPATH=str(elsewhere)) == plain
    assert emitted_by(sys.executable, roots, LC_ALL="C", LANG="C", TZ="Asia/Tokyo", PYTHONUTF8="0") == plain


def test_other_pythons_emit_the_same(roots: list[str]) -> None:
    pythons = other_pythons()
    if not pythons:
        pytest.skip(f"no other Python with {', '.join(REQUIRED)} is here")
    expected = emitted_by(sys.executable, roots)
    for python in pythons:
        assert emitted_by(python, roots) == expected, python


def test_the_repository_has_what_its_specification_gives() -> None:
    for path, content in emit(read_specification(ROOT)).items():
        assert (ROOT / path).read_bytes() == content, path


def changes(root: Path, file: str, old: str, new: str, *, folder: str = PACKAGE) -> dict[str, list[str]]:
    """Change the specification, and return for each file the lines that come and go, except for the header.

    Files of the other languages are left out.
    """
    other = TYPESCRIPT if folder == PACKAGE else PACKAGE
    before = emit(read_specification(root))
    text = (root / file).read_text()
    assert old in text
    (root / file).write_text(text.replace(old, new, 1))
    after = emit(read_specification(root))
    assert before.keys() == after.keys()
    result: dict[str, list[str]] = {}
    for path in before:
        old_lines, new_lines = before[path].decode().splitlines()[4:], after[path].decode().splitlines()[4:]
        gone = [f"-{line.strip()}" for line in old_lines if line not in new_lines]
        come = [f"+{line.strip()}" for line in new_lines if line not in old_lines]
        if old_lines != new_lines and not path.startswith(other):
            result[path.removeprefix(f"{folder}/")] = gone + come
    return result


def test_quality_of_service_follows(copy: Path) -> None:
    text = (copy / "asyncapi.yaml").read_text()
    assert text.count("qos: 1") == 1
    channels = emit(read_specification(copy))[f"{PACKAGE}/channels.py"].decode()
    reliable = channels.count("quality_of_service=1,")

    found = changes(copy, "asyncapi.yaml", "qos: 1", "qos: 2")

    assert found == {"channels.py": ["-quality_of_service=1,"] * reliable + ["+quality_of_service=2,"] * reliable}


def test_addresses_follow(copy: Path) -> None:
    old, new = "orbitalis/{core_identifier}/{plugin_identifier}/offer", "o/{plugin_identifier}/to/{core_identifier}"

    found = changes(copy, "asyncapi.yaml", f"address: {old}", f"address: {new}")

    assert sorted(found) == ["channels.py", f"{ACCESS}/core.acl", f"{ACCESS}/plugin.acl", "topics.py"]
    assert [line for line in found["channels.py"] if line[0] == "+"] == [f'+address="{new}",']
    assert found[f"{ACCESS}/core.acl"] == ["-pattern read orbitalis/%u/+/offer", "+pattern read o/+/to/%u"]
    assert found[f"{ACCESS}/plugin.acl"] == ["-pattern write orbitalis/+/%u/offer", "+pattern write o/%u/to/+"]
    assert f'+ADDRESS: ClassVar[str] = "{new}"' in found["topics.py"]
    assert '+return "/".join(["o", plugin_identifier_level, "to", core_identifier_level])' in found["topics.py"]
    assert '+return f"o/{plugin_identifier}/to/{core_identifier}"' in found["topics.py"]


def test_fields_follow(copy: Path) -> None:
    old = '"fields": ['
    new = '"fields": [{"name": "added", "type": ["null", "long"], "default": null, "doc": "A new one."},'

    found = changes(copy, "schemas/KeepaliveMessage.avsc", old, new)

    assert sorted(found) == ["codecs.py", "messages.py", "schemas.py"]
    assert [line for line in found["messages.py"] if line[0] == "+"] == [
        '+__slots__ = ("added", "from_identifier")',
        "+added: int | None",
        '+"""A new one."""',
        "+def __init__(self, *, added: int | None = None, from_identifier: str) -> None:",
        '+_set(self, "added", added)',
    ]
    assert '+at = ".added"' in found["codecs.py"]
    assert any(line.startswith('+fingerprint="') for line in found["schemas.py"])


def test_the_envelope_follows(copy: Path) -> None:
    text = (copy / "schemas/EventEnvelope.avsc").read_text().rstrip()
    end = text[text.rindex("}", 0, text.rindex("]")) :]

    found = changes(
        copy,
        "schemas/EventEnvelope.avsc",
        end,
        '}, {"name": "hop", "type": ["null", "int"], "default": null, "since": "1.1"}' + end[1:],
    )

    assert sorted(found) == ["_envelope.py", "codecs.py", "envelope.py", "messages.py"]
    assert '+content["hop"] = write_int(envelope.hop)' in found["_envelope.py"]
    assert any(line.startswith("+ENVELOPE_FINGERPRINT") for line in found["envelope.py"])


def test_limits_timings_and_the_version_follow(copy: Path) -> None:
    limit = changes(copy, "asyncapi.yaml", "maximum: 255\n", "maximum: 99\n")
    timing = changes(copy, "asyncapi.yaml", "seconds: 120.0", "seconds: 1.0e+20")
    version = changes(copy, "asyncapi.yaml", "  version: 1.", "  version: 1.9")

    assert limit == {"limits.py": ["-IDENTIFIER_BYTES: Final = 255", "+IDENTIFIER_BYTES: Final = 99"]}
    assert timing == {"timings.py": ["-CONSIDERED_DEAD_AFTER: Final = 120.0", "+CONSIDERED_DEAD_AFTER: Final = 1e20"]}
    assert version["__init__.py"][-1].startswith('+SPECIFICATION_VERSION: Final = "1.9')


def test_typescript_follows(copy: Path) -> None:
    def follows(file: str, old: str, new: str) -> dict[str, list[str]]:
        return changes(copy, file, old, new, folder=TYPESCRIPT)

    added = '"fields": [{"name": "added", "type": ["null", "long"], "default": null, "doc": "A new one."},'

    assert follows("asyncapi.yaml", "qos: 1", "qos: 2").keys() == {"channels.ts"}
    assert follows("asyncapi.yaml", "maximum: 255\n", "maximum: 99\n") == {
        "limits.ts": ["-export const IDENTIFIER_BYTES = 255;", "+export const IDENTIFIER_BYTES = 99;"]
    }
    assert follows("asyncapi.yaml", "seconds: 120.0", "seconds: 1.0e+20") == {
        "timings.ts": ["-export const CONSIDERED_DEAD_AFTER = 120;", "+export const CONSIDERED_DEAD_AFTER = 1e20;"]
    }
    found = follows("schemas/KeepaliveMessage.avsc", '"fields": [', added)
    assert sorted(found) == ["codecs.ts", "messages.ts", "schemas.ts"]
    assert '+added: field("added", nullable(long)),' in found["codecs.ts"]
    assert "+readonly added: number | null;" in found["messages.ts"]
    assert "+added: fields.added ?? null," in found["messages.ts"]


OF_TYPES = ["_envelope.py", "channels.py", "codecs.py", "envelope.py", "messages.py", "schemas.py"]
TOPICS = ["topics.py", "topics.ts"]
SCHEMAS = ["schemas.py", "schemas.ts"]
IN_TYPESCRIPT = ["codecs.ts", "envelope.ts", "messages.ts", "schemas.ts"]


@pytest.mark.parametrize(
    ("file", "old", "new", "touched"),
    [
        ("asyncapi.yaml", "that is right, for", "that is fine, for", []),
        ("asyncapi.yaml", "summary: What a lamp does.", "summary: What a lamp is.", []),
        ("asyncapi.yaml", "Length of a topic.", "Bytes of a topic.", ["limits.py", "limits.ts"]),
        ("asyncapi.yaml", "Time between two blinks.", "A time.", ["timings.py", "timings.ts"]),
        ("asyncapi.yaml", "The wire broke.", "It broke.", ["states.py", "states.ts"]),
        ("asyncapi.yaml", "summary: Command one lamp.", "summary: Command it.", ["core.acl"]),
        ("asyncapi.yaml", "Who sends the command.", "Who sends it.", TOPICS),
        ("schemas/Switch.avsc", "Seconds to wait.", "Seconds.", ["messages.py", "messages.ts", *SCHEMAS]),
        ("schemas/Color.avsc", "255", "254", sorted([*OF_TYPES, *IN_TYPESCRIPT])),
    ],
)  # fmt: skip
def test_a_change_touches_the_files_that_depend_on_it(
    file: str, old: str, new: str, touched: list[str], tmp_path: Path
) -> None:
    before = emit(read_specification(LAMPS))
    after = emit(read_specification(edited(tmp_path, (file, old, new))))

    assert sorted(Path(path).name for path in before if before[path] != after[path]) == touched


def test_an_emitter_gets_nothing_but_what_its_file_depends_on() -> None:
    part = part_of(read_specification(LAMPS), package.MODULES["limits.py"][0])

    assert part.limits
    assert not any([part.channels, part.types, part.messages, part.description, part.inputs, part.requirements])
