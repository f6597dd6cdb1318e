"""Writes the pages that Zensical reads.

Two things make them differ from those in `docs/`. A line `::: kind argument` stands for text made from code, and
a link to a file outside `docs/` leads to a page that shows this file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.website import api, commands, configuration, protocol, typescript

__all__ = ["DIRECTIVE", "MAKERS", "PageError", "stage"]

DIRECTIVE = re.compile(r"^::: (\w+)(?: (\S+))? *$", re.MULTILINE)
"""A line that stands for text made from code: what is to be made, and of what."""

MAKERS: Mapping[str, Callable[[str], str]] = {
    "api": api.describe,
    "hooks": api.describe_hooks,
    "command": commands.describe,
    "configuration": configuration.describe,
    "description": protocol.description,
    "channels": protocol.channels,
    "messages": protocol.messages,
    "rules": protocol.rules,
    "typescript": typescript.describe,
}
"""By first word of a directive: what makes its text."""

_CODE = re.compile(r"^( *)(`{3,})[^\n]*\n.*?^\1\2 *$", re.MULTILINE | re.DOTALL)
#: A code span in a row of a table. GitHub wants a backslash before each bar in it, and Zensical shows that backslash.
_CODE_IN_ROW = re.compile(r"`[^`\n]*\\\|[^`\n]*`")
_LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
_LANGUAGES = {
    "avsc": "json",
    "cjs": "javascript",
    "env": "sh",
    "js": "javascript",
    "md": "markdown",
    "py": "python",
    "service": "ini",
    "ts": "typescript",
}
_PLAIN = {"acl", "conf"}
_SHOWN = {".conf", ".env", ".js", ".json", ".md", ".mjs", ".py", ".service", ".yaml"}


class PageError(Exception):
    """A page cannot be staged; says which, and what is wrong."""


def stage(root: Path, target: Path) -> None:
    """Write the pages of `root / "docs"` below `target`, and remove what is not among them any more."""
    pages = _Pages(root)
    for path in sorted((root / "docs").rglob("*")):
        if path.suffix == ".md":
            pages.add(path)
        elif path.is_file():
            pages.files[path.relative_to(root / "docs").as_posix()] = path.read_bytes()
    pages.follow()
    for old in [one for one in target.rglob("*") if one.is_file()]:
        name = old.relative_to(target).as_posix()
        if name not in pages.files and not name.startswith("assets/"):
            old.unlink()
    for name, content in pages.files.items():
        path = target / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


class _Pages:
    """The pages as they are collected: each file outside `docs/` that one links to becomes a page, too."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._waiting: list[Path] = []
        self._seen: set[Path] = set()
        self.files: dict[str, bytes] = {}
        """By path below the target: the content."""

    def add(self, path: Path) -> None:
        """Add a page of `docs/`."""
        self.files[self._name(path)] = self._rewritten(path, self._expanded(path)).encode()

    def follow(self) -> None:
        """Add a page for each file outside `docs/` that a page links to."""
        while self._waiting:
            path = self._waiting.pop()
            self.files[self._name(path)] = self._shown(path).encode()

    def _name(self, path: Path) -> str:
        """Return where the page of a file stands, below the target."""
        relative = path.relative_to(self._root)
        if relative.parts[0] == "docs":
            return Path(*relative.parts[1:]).as_posix()
        if path.is_dir():
            return f"source/{relative.as_posix()}/index.md"
        return f"source/{relative.as_posix()}" + ("" if path.suffix == ".md" else ".md")

    def _expanded(self, path: Path) -> str:
        def made(match: re.Match[str]) -> str:
            maker = MAKERS.get(match[1])
            try:
                if maker is None:
                    raise LookupError(f"there is no {match[1]!r} among {', '.join(MAKERS)}")
                return maker(match[2] or "")
            except LookupError as error:
                place = f"{path.relative_to(self._root)}:{text.count(chr(10), 0, match.start()) + 1}"
                raise PageError(f"{place}: {match[0]!r} cannot be made: {error}") from None

        text = path.read_text(encoding="utf-8")
        return DIRECTIVE.sub(made, text)

    def _rewritten(self, path: Path, text: str) -> str:
        """Return a page whose links lead to pages."""
        here = os.path.dirname(self._name(path))

        def page_of(match: re.Match[str]) -> str:
            if "://" in match[2] or match[2].startswith("mailto:"):
                return match[0]
            linked = Path(os.path.normpath(path.parent / match[2]))
            if not linked.exists():
                raise PageError(f"{path.relative_to(self._root)}: the link to {match[2]} leads nowhere")
            if linked.is_dir() and (linked / "README.md").exists():
                linked /= "README.md"
            if (self._root / "docs") not in linked.parents and linked not in self._seen:
                self._seen.add(linked)
                self._waiting.append(linked)
            return match[1] + os.path.relpath(self._name(linked), here or ".") + match[3]

        def prose(part: str) -> str:
            return _LINK.sub(page_of, _CODE_IN_ROW.sub(lambda code: code[0].replace("\\|", "|"), part))

        parts: list[str] = []
        end = 0
        for code in _CODE.finditer(text):
            parts += [prose(text[end : code.start()]), code[0]]
            end = code.end()
        return "".join([*parts, prose(text[end:])])

    def _shown(self, path: Path) -> str:
        """Return the page of a file outside `docs/`."""
        relative = path.relative_to(self._root)
        if path.suffix == ".md":
            return self._rewritten(path, path.read_text(encoding="utf-8"))
        if path.is_dir():
            listed = [one for one in sorted(path.iterdir()) if self._is_shown(one)]
            rows = "\n".join(f"- [`{one.name}`]({one.name}{'/' if one.is_dir() else ''})" for one in listed)
            return self._rewritten(path / "index", f"# `{relative}`\n\n{rows}\n")
        kind = _LANGUAGES.get(path.suffix[1:], "text" if path.suffix[1:] in _PLAIN else path.suffix[1:] or "text")
        text = path.read_text(encoding="utf-8")
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
        return f"---\ntitle: {path.name}\nhide: [toc]\n---\n\n# `{relative}`\n\n{fence}{kind}\n{text}{fence}\n"

    def _is_shown(self, path: Path) -> bool:
        if path.name.startswith((".", "__pycache__")) or path.name in ("node_modules", "certificates"):
            return False
        return path.is_dir() or path.suffix in _SHOWN
