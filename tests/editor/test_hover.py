"""What an editor shows and completes, and what `help` says."""

from __future__ import annotations

import inspect
import pydoc
import re
from collections.abc import Iterator
from typing import Any

import pytest

from orbitalis import Core, Plugin, operation
from orbitalis.orbiter.hooks import OrbiterHooks
from tests.editor.language_server import LanguageServer

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("type checkers")]

PROGRAM = '''
from orbitalis import Core, Plugin, operation

class TextPlugin(Plugin):
    @operation
    async def lowercase(self, text: str) -> str:
        """Return a text in lower case."""
        return text.lower()

    _on_

class Override(Core):
    async def _on_

async def main() -> None:
    plugin = Plugin(identifier="x")
    core = Core(identifier="x")
    core.with_requirement(TextPlugin.lowercase, minimum=1)
    await core.execute(TextPlugin.lowercase, "HELLO", any=True)
    await TextPlugin().lowercase("HELLO")
'''


class TextPlugin(Plugin):
    """Makes texts small."""

    @operation
    async def lowercase(self, text: str) -> str:
        """Return a text in lower case."""
        return text.lower()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    with LanguageServer(tmp_path_factory.mktemp("editor"), PROGRAM) as server:
        yield server


@pytest.mark.parametrize("role", ["Plugin", "Core"])
def test_hover_over_a_class_shows_what_is_given_first_and_its_hooks(role: str, server: LanguageServer) -> None:
    shown = server.hover(f"= {role}")
    parameters = re.findall(r"^    (\w+): ", shown, re.MULTILINE)

    assert parameters[:2] == ["identifier", "eventbus_client"]
    assert "limits" in parameters
    assert [name for name in parameters if name.startswith("maximum")] == []
    assert "_on_started" in shown
    assert "connect(" in shown


def test_hover_over_a_requirement_explains_each_parameter(server: LanguageServer) -> None:
    shown = server.hover("core.with_requirement").replace("\\_", "_")
    parameters = re.findall(r"^    (\w+): ", shown.partition("```\n")[0], re.MULTILINE)

    assert parameters[:3] == ["operation", "minimum", "maximum"]
    assert [name for name in parameters if not re.search(rf"\W{name}: [A-Z]", shown)] == []


def test_hover_over_an_execution_shows_the_form_and_its_modes(server: LanguageServer) -> None:
    shown = server.hover("core.execute")

    assert "data: InputOf[InputOfOperation" in shown
    assert all(f"`{mode}`: send" in shown for mode in ("any", "all", "plugin_identifier", "distribute"))


@pytest.mark.parametrize("place", ["execute(TextPlugin.lowercase", "TextPlugin().lowercase"])
def test_hover_over_an_operation_shows_what_it_takes_and_says(place: str, server: LanguageServer) -> None:
    shown = server.hover(place)

    assert "(str) -> Waiting[str]" in shown
    assert "Return a text in lower case." in shown


def test_completion_finds_the_hooks_of_a_class_that_overrides_them(server: LanguageServer) -> None:
    offered = server.completions("async def _on_")

    assert {name for name in hooks_of(Core) if name.startswith("_on_")} <= {name.partition("(")[0] for name in offered}


def test_the_signature_of_an_operation_is_that_of_its_method() -> None:
    of_class: Any = TextPlugin.lowercase
    assert str(inspect.signature(of_class)) == "(self, text: 'str') -> 'str'"
    assert str(inspect.signature(TextPlugin().lowercase)) == "(text: 'str') -> 'str'"


def test_help_shows_an_operation_as_a_method() -> None:
    (line, text) = pydoc.plain(pydoc.render_doc(TextPlugin.lowercase)).splitlines()[2:4]

    assert line == "lowercase(self, text: 'str') -> 'str'"
    assert text.strip() == "Return a text in lower case."
    assert "lowercase(self, text: 'str') -> 'str'" in pydoc.plain(pydoc.render_doc(TextPlugin))


async def test_an_operation_of_the_class_is_called_with_a_plugin() -> None:
    assert await TextPlugin.lowercase(TextPlugin(), "HELLO") == "hello"  # type: ignore[operator] # as `help` shows it


def test_an_operation_of_a_class_is_no_sink() -> None:
    with pytest.raises(TypeError, match="give a method of an object"):
        Core().with_operation_sink("lowercase", TextPlugin.lowercase)  # type: ignore[arg-type] # that is the mistake


def hooks_of(role: type[Plugin | Core]) -> set[str]:
    """Return what a subclass overrides: what the runtime calls, or asks for a topic."""
    return {name for base in role.__mro__ for name in vars(base) if name.startswith("_") and is_default(base, name)}


def is_default(base: type, name: str) -> bool:
    function = vars(base)[name]
    return getattr(function, "__orbitalis_default__", None) is function


@pytest.mark.parametrize("role", [Plugin, Core])
def test_the_docstring_of_a_class_lists_its_hooks(role: type[Plugin | Core]) -> None:
    listed = re.findall(r"`(_\w+)`", (role.__doc__ or "").partition("A subclass may override these hooks")[2])

    assert sorted(listed) == sorted([*hooks_of(role), "__post_init__"])
    assert len(listed) == len(set(listed))
    assert [name for name in OrbiterHooks.__dict__ if name.startswith("_on_") and name not in listed] == []
