"""What is said of messages of the protocol is what happens to them; and what the protocol's own versions changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orbitalis_codegen import read_specification
from orbitalis_codegen.emit import emit
from tests.codegen.broken.cases import edited
from tests.codegen.diff.pairs import compared
from tests.support.repository import ROOT

VERSION = ("asyncapi.yaml", "  version: 2.1.0", "  version: 2.2.0")
LAST = '"type": {"type": "map", "values": "string"}, "default": {}}'
REASON = '{"name": "reason", "type": "string", "default": "none"'
VALUE: dict[str, Any] = {"state": "ON", "color": None, "after": 2.5, "labels": {"a": "b"}}
GROWN = ("schemas/Switch.avsc", LAST, f'{LAST},\n{REASON}, "since": "2.2"}}')
UNDATED = ("schemas/Switch.avsc", LAST, f"{LAST},\n{REASON}}}")
BEFORE_ALL = ("schemas/Switch.avsc", '  "fields": [', f'  "fields": [\n{REASON}}},')
OTHER_DEFAULT = ("schemas/Switch.avsc", '"default": 1,', '"default": 3,')


class Version:
    """The code that was generated from a specification."""

    def __init__(self, root: Path) -> None:
        """Generate it below the root."""
        for name, data in emit(read_specification(root)).items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self._path = os.pathsep.join([str(root / "generated" / "python"), str(ROOT / "avro")])

    def run(self, *arguments: str) -> str:
        """Run `grown.py` with this code."""
        command = [sys.executable, str(Path(__file__).with_name("grown.py")), *arguments]
        environment = {**os.environ, "PYTHONPATH": self._path}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout

    def reads(self, writer: Version, value: dict[str, Any]) -> dict[str, Any] | None:
        """Return what it reads of what another version writes, or `None` if it refuses that."""
        fingerprint, data = writer.run("write", json.dumps(value)).split()
        read = self.run("read", fingerprint, data).strip()
        return None if read == "refused" else json.loads(read)


@pytest.mark.parametrize(
    ("edits", "level", "is_read"),
    [
        ([VERSION, GROWN, OTHER_DEFAULT], "NONE", True),
        ([UNDATED], "WIRE", False),
        ([BEFORE_ALL], "WIRE", False),
    ],
    ids=["grown", "without since", "at the beginning"],
)
def test_a_message_is_judged_as_generated_code_reads_it(
    edits: list[tuple[str, str, str]], level: str, is_read: bool, tmp_path: Path
) -> None:
    before, after = edited(tmp_path / "before"), edited(tmp_path / "after", *edits)
    of_switch = [one["level"] for one in compared(before, after, None) if one["subject"].startswith("types.Switch")]
    old, new = Version(before), Version(after)

    newer = new.reads(old, VALUE)
    older = old.reads(new, {**VALUE, "reason": "dark"})

    assert ("WIRE" if "WIRE" in of_switch else "NONE") == level
    assert (newer == {**VALUE, "reason": "none"} and older == VALUE) is is_read


def test_a_symbol_at_the_end_is_read_by_newer_peers_unless_the_message_grows(tmp_path: Path) -> None:
    symbol = ("schemas/State.avsc", '"ON", "OFF"', '"ON", "OFF", "DIM"')
    before = edited(tmp_path / "before")
    after, grown = edited(tmp_path / "after", symbol), edited(tmp_path / "grown", VERSION, GROWN, symbol)

    def refused_by(root: Path) -> list[str]:
        (change,) = [one for one in compared(before, root, None) if one["code"] == "ORB679"]
        return [one["reader_version"] for one in change["encounters"] if one["reader"] == "plugin"]

    old = Version(before)
    assert (refused_by(after), Version(after).reads(old, VALUE)) == (["old"], VALUE)
    assert (refused_by(grown), Version(grown).reads(old, VALUE)) == (["new", "old"], None)


def test_a_field_that_a_released_version_should_have_had_is_told(tmp_path: Path) -> None:
    late = ("schemas/Switch.avsc", LAST, f'{LAST},\n{REASON}, "since": "2.1"}}')

    (change,) = compared(edited(tmp_path / "before"), edited(tmp_path / "after", late), None)

    assert (change["code"], change["level"]) == ("ORB651", "BEHAVIOUR")
    assert change["affected"] == [
        "new plugin with old core: Switch: 2.1.0 does not have Switch.reason, though it says that it came with 2.1"
    ]


def test_the_versions_of_the_protocol_understand_each_other() -> None:
    # tests/wire/test_versions.py holds the same against events that were written.
    found = compared(ROOT / "tests/wire/versions/1.0", ROOT, None)

    assert [one for one in found if one["level"] != "NONE"] == []
    assert {one["code"] for one in found} >= {"ORB601", "ORB604", "ORB611", "ORB641", "ORB651"}


def test_a_change_of_a_shared_record_is_one_change_for_all_that_carry_it(tmp_path: Path) -> None:
    before = edited(tmp_path / "before")
    after = edited(tmp_path / "after", ("schemas/State.avsc", '"ON", "OFF"', '"ON", "OFF", "DIM"'))

    (change,) = compared(before, after, None)

    # A Switch goes to plugins, and a Status to cores.
    assert change["code"] == "ORB679"
    assert [one.partition(":")[0] for one in change["affected"]] == [
        "old plugin with new core",
        "old core with new plugin",
    ]


def test_parameters_that_change_places_are_another_address(tmp_path: Path) -> None:
    swapped = ("asyncapi.yaml", "lamps/{lamp}/{sender}/command", "lamps/{sender}/{lamp}/command")

    (change,) = compared(edited(tmp_path / "before"), edited(tmp_path / "after", swapped), None)

    assert (change["code"], change["level"]) == ("ORB614", "WIRE")


def test_a_message_that_users_send_from_now_on_no_longer_grows(tmp_path: Path) -> None:
    given = ("asyncapi.yaml", "      name: Status\n", "      name: Status\n      x-payload:\n        format: avro\n")

    (change,) = compared(edited(tmp_path / "before"), edited(tmp_path / "after", given), None)

    assert (change["code"], change["level"]) == ("ORB645", "WIRE")
    assert (change["was"], change["now"]) == ("avro that grows", "avro")
