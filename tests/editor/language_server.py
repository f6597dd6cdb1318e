"""pyright's language server, as an editor drives it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.repository import PACKAGE_FOLDERS, ROOT

__all__ = ["LanguageServer"]

_PROGRAM = ROOT / "tools" / "node_modules" / "pyright" / "langserver.index.js"


class LanguageServer:
    """Answers about one program, which it reads from the editor; a context manager."""

    def __init__(self, folder: Path, program: str) -> None:
        """Start the server in a folder that it may write settings to."""
        paths = [ROOT, PACKAGE_FOLDERS["orbitalis_avro"].parent, PACKAGE_FOLDERS["orbitalis_wire"].parent]
        (folder / "pyrightconfig.json").write_text(json.dumps({"extraPaths": list(map(str, paths))}))
        self._lines = program.splitlines()
        self._document = {"uri": (folder / "program.py").as_uri()}
        self._count = 0
        self._process = subprocess.Popen(
            ["node", _PROGRAM, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        abilities = {"textDocument": {"hover": {"contentFormat": ["markdown"]}}}
        roots = [{"uri": folder.as_uri(), "name": folder.name}]
        self._ask("initialize", processId=os.getpid(), workspaceFolders=roots, rootUri=None, capabilities=abilities)
        self._tell("initialized")
        opened = {**self._document, "languageId": "python", "version": 1, "text": program}
        self._tell("textDocument/didOpen", textDocument=opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def hover(self, text: str) -> str:
        """Return what is shown over the last letter of a text, where it first stands."""
        answer = self._ask("textDocument/hover", textDocument=self._document, position=self._end_of(text, -1))
        return str(answer["contents"]["value"]) if answer else ""

    def completions(self, text: str) -> list[str]:
        """Return what is offered behind a text, where it first stands."""
        answer = self._ask("textDocument/completion", textDocument=self._document, position=self._end_of(text, 0))
        return [one["label"] for one in answer["items"]]

    def _end_of(self, text: str, shift: int) -> dict[str, int]:
        number, line = next((number, line) for number, line in enumerate(self._lines) if text in line)
        return {"line": number, "character": line.index(text) + len(text) + shift}

    def _ask(self, method: str, **parameters: Any) -> Any:
        self._count += 1
        self._send({"id": self._count, "method": method, "params": parameters})
        while True:
            message = self._receive()
            if "method" not in message and message.get("id") == self._count:
                return message["result"]
            if "method" in message and "id" in message:
                self._send({"id": message["id"], "result": self._told(message)})

    def _tell(self, method: str, **parameters: Any) -> None:
        self._send({"method": method, "params": parameters})

    def _told(self, question: dict[str, Any]) -> Any:
        """Return what the server asks of an editor: its settings alone."""
        if question["method"] != "workspace/configuration":
            return None
        return [
            {"pythonPath": sys.executable} if one["section"] == "python" else None
            for one in question["params"]["items"]
        ]

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the language server has ended"
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message
