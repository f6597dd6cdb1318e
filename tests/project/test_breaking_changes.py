"""Nothing breaks that was released: the protocol and the contracts here, compared with the last tag."""

from __future__ import annotations

import subprocess

import pytest

from orbitalis_codegen import cli
from tests.support.repository import ROOT


def last_tag() -> str | None:
    """Return the last version that was released, as this clone knows it."""
    command = ["git", "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def test_nothing_breaks_since_the_last_tag(capsys: pytest.CaptureFixture[str]) -> None:
    tag = last_tag()
    if tag is None:
        pytest.skip("there is no tag to compare with; in a shallow clone, git fetch --tags --unshallow gets them")

    status = cli.main(["diff", "--root", str(ROOT), "--against", tag])

    output = capsys.readouterr()
    assert status == 0, (
        f"what follows breaks since {tag}; undo it, or accept it in accepted.toml:\n{output.out}{output.err}"
    )
