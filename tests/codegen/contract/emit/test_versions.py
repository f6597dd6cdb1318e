"""Plugins and clients whose packages are of different versions of a contract."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orbitalis import Core, NoConnectionError
from orbitalis.testing import Harness
from tests.codegen.contract.contracts import contract, emitted_package, message, record

GONE = message(record("Gone", {"why": "string"}, namespace="shop"))
FULL = message(record("Full", {"places": "long"}, namespace="shop"))
OLD = message(record("Order", {"number": "int"}, namespace="shop"))
NEW = message(record("Order", {"number": "int", "note": ("string", "none")}, namespace="shop"))


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    made = contract("Shop", {"order": {"inputs": [OLD], "outputs": [OLD], "errors": [GONE]}, "close": {}})
    return emitted_package(made, tmp_path_factory.mktemp("older"), "older_shop")


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Emit a version with a new field; both records have the full names that they had before."""
    made = contract("Shop", {"order": {"inputs": [NEW], "outputs": [NEW], "errors": [GONE]}, "close": {}})
    return emitted_package(made, tmp_path_factory.mktemp("newer"), "newer_shop")


@pytest.fixture(scope="module")
def stricter(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Emit a version with one more error."""
    made = contract("Shop", {"order": {"inputs": [OLD], "outputs": [OLD], "errors": [GONE, FULL]}, "close": {}})
    return emitted_package(made, tmp_path_factory.mktemp("stricter"), "stricter_shop")


async def started(harness: Harness, client: Any, provider: Any) -> tuple[Any, Any]:
    """Return the client of one package, on a core, and the fake of another."""
    core = Core(identifier="core", eventbus_client=harness.client())
    shop, fake = client.ShopClient(core), provider.ShopFake(identifier="shop", eventbus_client=harness.client())
    fake.when_order.calls(lambda order: order)
    await harness.start(fake, core)
    await harness.idle()
    return shop, fake


async def test_a_client_and_a_plugin_of_which_either_has_a_new_field(harness: Harness, older: Any, newer: Any) -> None:
    shop, fake = await started(harness, older, newer)

    assert await shop.order(older.Order(number=1)) == older.Order(number=1)
    assert fake.when_order.inputs == [newer.Order(number=1, note="none")]
    fake.when_order.raises(newer.Gone(why="sold"))
    with pytest.raises(older.Gone, match="why='sold'"):
        await shop.order(older.Order(number=1))


async def test_a_default_of_any_branch_stands_for_a_field_that_is_not_written(
    harness: Harness, older: Any, tmp_path: Path
) -> None:
    part = record("Part", {"x": "int"}, namespace="shop")
    kind = {"type": "enum", "name": "Kind", "namespace": "shop", "symbols": ["BIG", "SMALL"]}
    fields: dict[str, Any] = {
        "number": "int",
        "note": (["string", "null"], None),
        "part": (["null", part, {"type": "map", "values": "long"}], {"x": 3}),
        "kinds": ({"type": "array", "items": ["null", kind]}, [None, "SMALL"]),
        "weights": (["null", "shop.Part", {"type": "map", "values": "long"}], {"y": 2}),
    }
    order = message(record("Order", fields, namespace="shop"))
    made = contract("Shop", {"order": {"inputs": [order], "outputs": [order], "errors": [GONE]}, "close": {}})
    package: Any = emitted_package(made, tmp_path, "shop_of_any_branch")
    shop, fake = await started(harness, older, package)

    await shop.order(older.Order(number=1))

    expected = package.Order(number=1)
    assert fake.when_order.inputs == [expected]
    assert (expected.note, expected.part, expected.weights) == (None, package.Part(x=3), {"y": 2})
    assert expected.kinds == (None, package.Kind.SMALL)


async def test_a_newer_client_asks_an_older_plugin(harness: Harness, older: Any, newer: Any) -> None:
    shop, fake = await started(harness, newer, older)

    assert await shop.order(newer.Order(number=1, note="red")) == newer.Order(number=1, note="none")
    assert fake.when_order.inputs == [older.Order(number=1)]
    fake.when_order.raises(older.Gone(why="sold"))
    with pytest.raises(newer.Gone, match="why='sold'"):
        await shop.order(newer.Order(number=1))


async def test_a_client_that_knows_one_more_error_asks_an_older_plugin(
    harness: Harness, older: Any, stricter: Any
) -> None:
    shop, _ = await started(harness, stricter, older)

    assert await shop.order(stricter.Order(number=1)) == stricter.Order(number=1)


async def test_a_plugin_with_an_error_that_the_client_does_not_know_is_not_connected_for_the_operation(
    harness: Harness, older: Any, stricter: Any, caplog: pytest.LogCaptureFixture
) -> None:
    shop, _ = await started(harness, older, stricter)

    with pytest.raises(NoConnectionError):
        await shop.order(older.Order(number=1))
    (line,) = [record.getMessage() for record in caplog.records if "does not lend" in record.getMessage()]
    assert line == (
        "shop does not lend operation 'order' to 'core': output: 'Full' may be sent from here (a declared error "
        "counts), and all that is taken there is 'Order' and 'Gone': give the other side a version "
        "that takes 'Full' first"
    )
    assert await shop.close() == ["shop"]
