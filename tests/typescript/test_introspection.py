"""Operators are told of an orbiter in TypeScript what they are told of one in Python that is in the same place."""

from __future__ import annotations

import asyncio
import re

import pytest

from orbitalis import connect
from orbitalis.message.payload import schema_of
from orbitalis.operating import InfoAnswer, Operator
from orbitalis_wire.messages import Int64Message
from tests.support.broker import Broker
from tests.typescript.package import needs_node
from tests.typescript.python_side import PATIENCE, TEXT, lower, python_core, python_plugin
from tests.typescript.typescript_side import typescript

pytestmark = [needs_node, pytest.mark.timeout(120)]

NUMBER = {"schemas": [schema_of(Int64Message)]}
NEEDS = {"lowercase": {"inputs": [TEXT], "outputs": [TEXT], "minimum": 1}}


async def told(operator: Operator, identifier: str, *wanted: str) -> InfoAnswer:
    """Return what an operator is told of an orbiter, once its explanation has these words."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = (await operator.info(identifier))[identifier]
            if all(one in answer.explanation for one in wanted):
                return answer


def anonymous(explanation: str) -> list[str]:
    """Return the lines of an explanation without names of orbiters, and without how often something was."""
    return sorted(re.sub(r"(python|typescript)-|\(\d+ times\)", "", line).strip() for line in explanation.splitlines())


async def test_cores_in_the_same_place_say_the_same(broker: Broker) -> None:
    async with (
        Operator(connect(broker.url)) as operator,
        python_plugin(broker, "lowercase", TEXT, lower, identifier="plugin"),
        python_core(broker, "lowercase", TEXT),
        typescript(broker) as subject,
    ):
        await subject.start("core", requirements=NEEDS)

        mine = await told(operator, "python-core", "'plugin' is connected")
        theirs = await told(operator, "typescript-core", "'plugin' is connected")

    assert anonymous(theirs.explanation) == anonymous(mine.explanation)
    assert theirs.requirements == mine.requirements
    assert (theirs.implementation, theirs.specification_version) == ("orbitalis-typescript", mine.specification_version)


async def test_plugins_in_the_same_place_say_the_same(broker: Broker) -> None:
    lent = {"lowercase": {"input": NUMBER, "output": NUMBER}}
    async with (
        Operator(connect(broker.url)) as operator,
        python_plugin(broker, "lowercase", NUMBER, lower),
        python_core(broker, "lowercase", TEXT),
        typescript(broker) as subject,
    ):
        await subject.start("plugin", operations=lent)

        mine = await told(operator, "python-plugin", "'python-core': input:", "times")
        theirs = await told(operator, "typescript-plugin", "'python-core': input:", "times")

    assert anonymous(theirs.explanation) == anonymous(mine.explanation)
    assert theirs.operations == mine.operations


async def test_statistics_have_the_same_names(broker: Broker) -> None:
    async with (
        Operator(connect(broker.url)) as operator,
        python_core(broker, "lowercase", TEXT),
        typescript(broker) as subject,
    ):
        await subject.start("core", requirements=NEEDS)

        mine = (await operator.statistics("python-core"))["python-core"]
        theirs = (await operator.statistics("typescript-core"))["typescript-core"]

    names = [{name for name in one.counters if name.startswith("orbiter.")} for one in (mine, theirs)]
    # In TypeScript, no operation is periodic.
    assert names[0] - names[1] == {"orbiter.failed_periodic_calls"}
    assert names[1] <= names[0]
