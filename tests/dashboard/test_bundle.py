"""The program of the page that the wheel carries is what its source gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import ROOT, run
from tests.typescript.package import MODULES, PACKAGE

PAGE = ROOT / "orbitalis" / "dashboard" / "page"


def test_the_bundle_is_what_its_source_gives(tmp_path: Path) -> None:
    if not MODULES.exists():
        pytest.skip("bundling takes the packages of typescript/: `make develop`")
    run(["node", "dashboard/bundle.mjs", tmp_path], folder=PACKAGE)

    assert (tmp_path / "page.js").read_bytes() == (PAGE / "page.js").read_bytes(), "run `make dashboard`"
