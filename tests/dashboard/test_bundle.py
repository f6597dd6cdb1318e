"""The page that the wheel carries is what its source gives."""

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
    made = {name: (tmp_path / name).read_bytes() for name in ("page.js", "page.css", "index.html")}

    assert {name: data == (PAGE / name).read_bytes() for name, data in made.items()} == dict.fromkeys(made, True), (
        "run `make dashboard`"
    )
