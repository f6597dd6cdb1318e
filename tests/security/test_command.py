"""The command on a broker with access lists: what each role may, as docs/operating.md says."""

from __future__ import annotations

from orbitalis import connect
from tests.cli.command import orbitalis
from tests.cli.orbiters import Lamp, running
from tests.security.secure_broker import SecureBroker


def lamp(secure: SecureBroker) -> Lamp:
    return Lamp(identifier="lamp", eventbus_client=connect(secure.url_of("plugin", "lamp")))


async def test_an_operator_sees_who_is_there(secure: SecureBroker) -> None:
    async with running(lamp(secure)):
        url = secure.url_of("operator", "olga")
        listed = await orbitalis("ls", "--json", "--identifier", "olga", bus=url)
        looked = await orbitalis("doctor", "--listen", "0.5", "--identifier", "olga", bus=url)

    assert (listed.status, [one["identifier"] for one in listed.data]) == (0, ["lamp"])
    assert looked.status == 0
    assert "✓ access: access lists are on, and 'olga' may ask" in looked.output


async def test_another_is_told_what_it_takes(secure: SecureBroker) -> None:
    as_core = await orbitalis("ls", "--identifier", "home", bus=secure.url_of("core", "home"))
    unnamed = await orbitalis("doctor", bus=secure.url_of("operator", "olga"))

    assert (as_core.status, as_core.output) == (3, "")
    assert "orbitalis: " in as_core.errors
    assert unnamed.status == 3
    assert "as --identifier the name of its user" in unnamed.output


async def test_a_call_is_made_as_a_core_and_asks_as_an_operator(secure: SecureBroker) -> None:
    asking = ("--operator-bus", secure.url_of("operator", "olga"), "--operator-identifier", "olga")
    async with running(lamp(secure)):
        called = await orbitalis("call", "name", "--identifier", "home", *asking, bus=secure.url_of("core", "home"))

    assert (called.status, called.output) == (0, '"lamp"\n')
