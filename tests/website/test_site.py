"""The documentation site as it is built: nothing of the network, no link that leads nowhere, nothing left out."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

import orbitalis
import orbitalis.errors
import orbitalis.operating
import orbitalis.testing
from orbitalis.cli.arguments import COMMANDS
from orbitalis.orbiter import hooks
from orbitalis_codegen import read_specification
from orbitalis_codegen.rules import Rule
from tests.support.repository import ROOT, run
from tools.website.stage import DIRECTIVE, MAKERS, PageError, stage
from tools.website.typescript import Export, entry_points

# In one process, so that the site is built once.
pytestmark = pytest.mark.xdist_group("website")

DOCS = ROOT / "docs"
#: Elements that have the browser fetch something, with the attribute that says what.
FETCHED = {"img": "src", "iframe": "src", "link": "href", "object": "data", "script": "src", "source": "src"}
#: Pages that others link to, and the navigation leaves out.
BESIDE = re.compile(r"decisions/(?!README)")


class Page(HTMLParser):
    """What a page fetches, links to, and can be linked at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what is of interest."""
        given = dict(attrs)
        self.anchors |= {name for name in (given.get("id"), given.get("name")) if name}
        if tag == "a" and (href := given.get("href")):
            self.links.append(href)
        if (source := given.get(FETCHED.get(tag, ""))) and given.get("rel") != "canonical":
            self.fetched.append(source)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the site, built anew."""
    folder = tmp_path_factory.mktemp("website")
    assert "No issues found" in run([sys.executable, "-m", "tools.website", "build", "--folder", folder])
    return folder / "site"


@cache
def page(path: Path) -> Page:
    """Return a page of the site."""
    return Page(path.read_text(encoding="utf-8"))


def pages(site: Path) -> Iterator[tuple[Path, Page]]:
    """Yield each page of the site with its file."""
    for path in sorted(site.rglob("*.html")):
        yield path, page(path)


def text_of(site: Path, name: str) -> str:
    """Return the text of a page of the site."""
    return (site / name).read_text(encoding="utf-8")


def in_navigation(entry: object) -> Iterator[str]:
    """Yield the pages that the navigation has."""
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, dict | list):
        for one in entry.values() if isinstance(entry, dict) else entry:
            yield from in_navigation(one)


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = {(path.name, source) for path, one in pages(site) for source in one.fetched}
    styles = {
        (path.name, url)
        for path in site.rglob("*.css")
        for url in re.findall(r"(?:url\(|@import )['\"]?((?:https?:)?//[^'\")]*)", path.read_text(encoding="utf-8"))
    }

    assert len(fetched) > 100
    assert {(name, source) for name, source in fetched if urlsplit(source).netloc} | styles == set()


def test_what_is_fetched_is_there(site: Path) -> None:
    missing = {
        source
        for path, one in pages(site)
        for source in one.fetched
        if path.name != "404.html" and not (path.parent / urlsplit(source).path).exists()
    }

    assert missing == set()


def test_diagrams_are_drawn_by_a_file_of_the_site(site: Path) -> None:
    """The theme fetches mermaid from elsewhere where a page with diagrams does not bring it."""
    drawn = [one for _, one in pages(site) if any("mermaid.tiny.js" in source for source in one.fetched)]
    with_diagrams = [path for path in site.rglob("*.html") if '<pre class="mermaid">' in path.read_text("utf-8")]

    assert len(drawn) == len(with_diagrams) > 10
    for one in drawn:
        mermaid, bundle = (
            next(at for at, source in enumerate(one.fetched) if name in source) for name in ("mermaid.tiny", "bundle.")
        )
        assert mermaid < bundle


def test_links_lead_somewhere(site: Path) -> None:
    anchors = {str(path): one.anchors for path, one in pages(site)}
    files = {str(path) for path in site.rglob("*") if path.is_file()}
    broken: list[str] = []
    checked = 0
    for path, one in pages(site):
        if path.name == "404.html":
            continue  # its links begin at the root of a server
        for link in set(one.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = os.path.normpath(path.parent / unquote(parts.path)) if parts.path else str(path)
            checked += 1
            if target not in files:
                broken.append(f"{path.relative_to(site)}: {link}")
            elif parts.fragment and target in anchors and unquote(parts.fragment) not in anchors[target]:
                broken.append(f"{path.relative_to(site)}: {link}, where there is no such anchor")

    assert broken == []
    assert checked > 5_000


def test_every_page_is_in_the_navigation() -> None:
    configuration = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = [*in_navigation(yaml.safe_load(configuration.partition("\nnav:")[2].replace("\n  ", "\n")))]
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}

    assert sorted(listed) == sorted(name for name in there if not BESIDE.match(name))


def test_no_directive_is_left(site: Path) -> None:
    asked = {match[1] for path in DOCS.rglob("*.md") for match in DIRECTIVE.finditer(path.read_text("utf-8"))}

    assert asked == set(MAKERS)
    assert [path for path in site.rglob("*.html") if re.search(r"^(<p>)?::: ", path.read_text("utf-8"), re.M)] == []


@pytest.mark.parametrize(
    "module", [orbitalis, orbitalis.testing, orbitalis.operating], ids=lambda module: module.__name__
)
def test_the_reference_has_everything_that_is_public(module: object, site: Path) -> None:
    name: str = vars(module)["__name__"]
    shown = {anchor for path in (site / "reference" / "api").glob("*.html") for anchor in page(path).anchors}
    public = set(vars(module)["__all__"]) - set(orbitalis.errors.__all__)

    assert {one for one in public if f"{name}.{one}" not in shown} == set()


def typescript_exports() -> Iterator[tuple[str, Export]]:
    """Yield each export of the TypeScript package with its anchor, also those in namespaces."""

    def of(exports: Sequence[Export], owner: str) -> Iterator[tuple[str, Export]]:
        for one in exports:
            yield f"{owner}.{one['name']}", one
            yield from of(one.get("exports", ()), f"{owner}.{one['name']}")

    for name, entry in entry_points().items():
        yield from of(entry["exports"], name)


def test_every_entry_point_of_the_typescript_package_is_read() -> None:
    package = json.loads((ROOT / "typescript" / "package.json").read_text(encoding="utf-8"))
    names = [path.lstrip("./") or "sdk" for path, one in package["exports"].items() if "types" in one]

    assert [*entry_points()] == names


def test_the_reference_has_every_export_of_the_typescript_package(site: Path) -> None:
    shown = {anchor for path in (site / "reference" / "typescript").glob("*.html") for anchor in page(path).anchors}
    exports = {anchor for anchor, _ in typescript_exports()}

    assert len(exports) > 400
    assert exports - shown == set()


def test_every_export_of_the_typescript_package_has_a_doc_comment() -> None:
    #: By the name of a message its type, which is described where it is.
    index = "wire.messages.MessageTypes"
    without = [anchor for anchor, one in typescript_exports() if not one["doc"]]
    without += [
        f"{anchor}.{member['name']}"
        for anchor, one in typescript_exports()
        for part in one.get("parts", ())
        for member in part["members"]
        if not member["doc"] and anchor != index
    ]

    assert without == []


def test_an_export_of_the_typescript_package_is_described_in_full(site: Path) -> None:
    core = text_of(site, "reference/typescript/core.html")
    text = re.sub(r"<[^>]+>", "", core)

    assert "new Core(options: CoreOptions)" in text
    assert "timeout?" in text
    assert "Throws an error that the operation declares, a NoConnectionError, or the RequestError" in text
    assert 'id="sdk.Core.request"' in core
    assert "number | null" in text
    assert "OrbiterOptions" in text


def test_every_error_has_an_entry() -> None:
    text = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == {*orbitalis.errors.__all__} | set()


def test_every_hook_has_an_entry(site: Path) -> None:
    called = {
        *hooks.LOOP_HOOKS,
        *hooks.SEND_HOOKS.values(),
        *hooks.TOPIC_HOOKS.values(),
        *(name for names in hooks.MESSAGE_HOOKS.values() for name in names),
        *("_on_starting", "_on_started", "_on_stopping", "_on_stopped", "_get_setup_data", "_setup_operation"),
    }
    page_of_hooks = page(site / "reference" / "hooks.html")

    assert called <= page_of_hooks.anchors


def test_every_command_has_an_entry(site: Path) -> None:
    text = text_of(site, "reference/command-line.html")

    own = {f"orbitalis {name}" for name in COMMANDS}
    shown = {
        command for command in re.findall(r"<h3[^>]*><code>([^<]+)</code>", text) if command.startswith("orbitalis ")
    }
    assert shown == own
    assert "<code>orbitalis-codegen bundle</code>" in text
    assert "<code>orbitalis-conformance</code>" in text
    assert "--count" in text


def test_every_setting_has_an_entry(site: Path) -> None:
    text = text_of(site, "reference/configuration.html")
    settings = {*orbitalis.Core.__dataclass_fields__, *orbitalis.Plugin.__dataclass_fields__}

    assert {name for name in settings if not name.startswith("_") and f"<code>{name}</code>" not in text} == set()


def test_the_protocol_is_complete(site: Path) -> None:
    model = read_specification(ROOT)
    text = text_of(site, "reference/protocol.html")

    assert [one for one in [*model.channels, *model.messages] if f"<code>{one}</code>" not in text] == []
    assert all(rule.code in text_of(site, "reference/rules.html") for rule in Rule)
    assert "ORB-HS-01" in text_of(site, "reference/wire.html")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a repository with one page."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("# A page\n\n[code](../code.py#L1), [itself](page.md)\n")
    (tmp_path / "code.py").write_text('"""```"""\n')
    return tmp_path


def test_a_link_to_a_file_leads_to_a_page_that_shows_it(small: Path, tmp_path: Path) -> None:
    stage(small, tmp_path / "out")

    assert "[code](source/code.py.md#L1), [itself](page.md)" in (tmp_path / "out" / "page.md").read_text()
    assert "````py" + 'thon\n"""```"""\n````' in (tmp_path / "out" / "source" / "code.py.md").read_text()


def test_a_folder_lists_units_and_settings(small: Path, tmp_path: Path) -> None:
    (small / "deploy").mkdir()
    (small / "deploy" / "bed.service").write_text("[Unit]\n")
    (small / "deploy" / "bed.env").write_text("A=b\n")
    (small / "docs" / "page.md").write_text("[files](../deploy)\n")
    stage(small, tmp_path / "out")

    folder = tmp_path / "out" / "source" / "deploy"
    assert all(f"[`{name}`]" in (folder / "index.md").read_text() for name in ("bed.env", "bed.service"))
    assert "```ini\n[Unit]\n```" in (folder / "bed.service.md").read_text()


def test_a_page_that_is_gone_is_removed(small: Path, tmp_path: Path) -> None:
    stage(small, tmp_path / "out")
    (small / "docs" / "page.md").rename(small / "docs" / "other.md")
    (small / "docs" / "other.md").write_text("# Other\n")
    stage(small, tmp_path / "out")

    assert [path.name for path in (tmp_path / "out").rglob("*.md")] == ["other.md"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("::: api orbitalis.Cor", r"docs/page\.md:3: '::: api orbitalis\.Cor' cannot be made: orbitalis has no Cor"),
        ("::: apis x", r"docs/page\.md:3: '::: apis x' cannot be made: there is no 'apis' among api, "),
        ("::: typescript sdk.Cor", r"@orbitalis/sdk has no Cor"),
        ("::: typescript all", "the entry points are sdk, "),
        ("::: command orbit", "the commands are orbitalis, "),
        ("::: configuration orbitalis.connect", r"orbitalis\.connect is no dataclass"),
        ("[x](nowhere.md)", r"docs/page\.md: the link to nowhere\.md leads nowhere"),
    ],
)
def test_what_cannot_be_made_is_said_with_its_place(small: Path, tmp_path: Path, text: str, complaint: str) -> None:
    (small / "docs" / "page.md").write_text(f"# A page\n\n{text}\n")

    with pytest.raises(PageError, match=complaint):
        stage(small, tmp_path / "out")
