"""The command on a broker with access lists: what each role may, as docs/how-to/operating.md says."""

from __future__ import annotations

from collections.abc import Callable

from orbitalis import connect
from tests.cli.command import orbitalis
from tests.cli.orbiters import Home, Lamp, running
from tests.security.secure_broker import SecureBroker
from tests.support.broker import Broker
from tests.support.repository import ROOT


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
    listing = await orbitalis("ls", bus=secure.url_of("operator", "olga"))
    calling = await orbitalis("call", "name", bus=secure.url_of("core", "home"))
    unnamed = await orbitalis("doctor", bus=secure.url_of("operator", "olga"))

    assert (as_core.status, as_core.output) == (3, "")
    assert "orbitalis: " in as_core.errors
    assert "--identifier" not in as_core.errors
    assert (listing.status, listing.output) == (3, "")
    advice = "; with access lists, give the name in the certificate as --"
    assert listing.errors.endswith(f"Not authorized{advice}identifier\n")
    assert (calling.status, calling.output) == (3, "")
    assert calling.errors.endswith(f"Not authorized{advice}identifier and --operator-identifier\n")
    assert unnamed.status == 3
    assert "as --identifier the name of its user" in unnamed.output


async def test_a_call_is_made_as_a_core_and_asks_as_an_operator(secure: SecureBroker) -> None:
    asking = ("--operator-bus", secure.url_of("operator", "olga"), "--operator-identifier", "olga")
    async with running(lamp(secure)):
        called = await orbitalis("call", "name", "--identifier", "home", *asking, bus=secure.url_of("core", "home"))

    assert (called.status, called.output) == (0, '"lamp"\n')


ACCESS = """
user home
topic readwrite #
topic readwrite $handshake.discover
topic readwrite $handshake.announce
topic read $introspection.request

user olga
topic read #
topic read $handshake.discover
topic read $handshake.announce

"""
"""Lists in which an operator, `olga`, has the rules that docs/how-to/operating.md has for those who watch."""


async def test_an_operator_who_may_read_everything_watches(new_broker: Callable[..., Broker]) -> None:
    operators = (ROOT / "generated" / "mosquitto" / "operator.acl").read_text()
    broker = new_broker(users={"home": "h", "olga": "o"}, access=ACCESS + operators)
    page = (ROOT / "docs" / "how-to" / "operating.md").read_text()
    core = Home(
        identifier="home",
        eventbus_client=connect(broker.url.replace("//", "//home:h@")),
        discovering_interval=0.2,
    ).with_requirement(Lamp.name, minimum=1)
    async with running(core):
        url = broker.url.replace("//", "//olga:o@")
        watched = await orbitalis("watch", "--count", "1", "--json", "--identifier", "olga", bus=url)

    assert (watched.status, watched.data["kind"], watched.data["sender"]) == (0, "discover", "home")
    rules = [line for line in ACCESS.partition("user olga\n")[2].splitlines() if line]
    assert [rule for rule in rules if f"`{rule}`" not in page] == []
