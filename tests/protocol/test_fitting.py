"""Who is connected with whom: allow and block lists on both sides, and inputs and outputs that fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from orbitalis.message import Input, Output
from orbitalis.operations.policy import Policy
from orbitalis_wire.messages import OfferMessage, RejectOperationMessage
from tests.support.machine_settings import Terms, text_constraint
from tests.support.machines import Net


@pytest.mark.parametrize(
    ("policy", "admitted"),
    [
        (Policy(allowlist=["core"]), True),
        (Policy(allowlist=["another"]), False),
        (Policy(allowlist=[]), False),
        (Policy(blocklist=["another"]), True),
        (Policy(blocklist=["core"]), False),
        (Policy(maximum=0), False),
    ],
)
def test_a_policy_says_which_cores_are_offered_anything(policy: Policy, admitted: bool) -> None:
    net = Net()
    core, plugin = net.add_core(), net.add_plugin(policy=policy)
    net.start()
    assert bool(plugin.sent(OfferMessage)) is admitted
    assert core.connections() == (["plugin"] if admitted else [])


@pytest.mark.parametrize(
    ("lists", "admitted"),
    [
        ({"allowlist": ["plugin"]}, True),
        ({"allowlist": ["another"]}, False),
        ({"allowlist": ["another"], "mandatory": ["plugin"]}, True),
        ({"blocklist": ["another"]}, True),
        ({"blocklist": ["plugin"]}, False),
    ],
)
def test_a_constraint_says_which_plugins_are_connected(lists: dict[str, list[str]], admitted: bool) -> None:
    net = Net()
    core, plugin = net.add_core(text=text_constraint(minimum=0, **lists)), net.add_plugin()
    net.start()
    assert bool(plugin.sent(OfferMessage)) is admitted
    # A plugin that does not mind the lists is rejected.
    offer = plugin.plugin.send_offer("core", core.settings.topics.offer_of_anybody, ["text"], net.now)
    plugin.do(offer)
    net.run()
    assert core.connections() == (["plugin"] if admitted else [])
    assert bool(core.sent(RejectOperationMessage)) is not admitted


@pytest.mark.parametrize(
    ("theirs", "mine", "fits"),
    [
        (Input.string(), [Input.string()], True),
        (Input.string(), [Input.int64()], False),
        (Input.string(), [Input.int64(), Input.string()], True),
        (Input.empty(), [Input.empty()], True),
        (Input.empty(), [Input.string()], False),
        (Input.no_input(), [Input.no_input()], True),
        (Input.no_input(), [Input.empty()], False),
        (Input.undefined(), [Input.string()], True),
        (Input.undefined(), [Input.empty()], True),
        (Input.string(), [Input.undefined()], False),
        (Input(schemas=[*Input.string().schemas, *Input.int64().schemas]), [Input.string()], True),
        (Input(schemas=Input.string().schemas, support_empty_schema=True), [Input.empty()], True),
        (Input(schemas=Input.string().schemas, support_empty_schema=True), [Input.string()], True),
    ],
)
def test_an_operation_fits_that_accepts_what_the_core_may_send(theirs: Input, mine: list[Input], fits: bool) -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, inputs=mine))
    net.add_plugin(operations={"text": Terms(input=theirs)})
    net.start()
    assert core.requester.compliant is fits


@pytest.mark.parametrize(
    ("theirs", "mine", "fits"),
    [
        (Output.string(), [Output.string()], True),
        (Output.string(), [Output.int64(), Output.string()], True),
        (Output.string(), [Output.int64()], False),
        (Output.string(), [Output.undefined()], True),
        (Output.undefined(), [Output.string()], False),
        (Output.no_output(), [Output.no_output()], True),
        (Output.string(), [Output.no_output()], False),
    ],
)
def test_an_operation_fits_that_sends_what_the_core_accepts(theirs: Output, mine: list[Output], fits: bool) -> None:
    net = Net()
    core = net.add_core(text=text_constraint(minimum=1, outputs=mine))
    plugin = net.add_plugin(operations={"text": Terms(output=theirs)})
    net.start()
    assert core.requester.compliant is fits
    if fits:
        assert (core.slot(plugin).output_topic is not None) is theirs.has_output
        assert plugin.slot(core).output_topic == core.slot(plugin).output_topic


def documented(schema: str, doc: str) -> str:
    """Return the same schema in other words."""
    return json.dumps({"doc": doc, **json.loads(schema)}, indent=4)


def test_schemas_are_held_against_each_other_in_their_canonical_form_and_repeated_in_the_askers_words() -> None:
    net = Net()
    (schema,) = Input.string().schemas
    asked = documented(schema, "In my words.")
    core = net.add_core(text=text_constraint(minimum=1, inputs=[Input(schemas=[asked])]))
    plugin = net.add_plugin()
    net.start()
    assert core.requester.compliant
    (offer,) = plugin.sent(OfferMessage)
    assert list(offer.offered_operations[0].input.schemas) == [asked]
    assert list(offer.offered_operations[0].output.schemas) == list(Output.string().schemas)


@pytest.mark.parametrize(
    ("make", "rules", "complaint"),
    [
        (Policy, {"allowlist": "core"}, r"allowlist must be a list, got 'core': write \['core'\]"),
        (Policy, {"blocklist": "core"}, "blocklist must be a list, got 'core'"),
        (Policy, {"maximum": "3"}, "maximum must be a whole number, got '3'"),
        (text_constraint, {"mandatory": "plugin"}, "mandatory must be a list, got 'plugin'"),
        (text_constraint, {"inputs": Input.string()}, "inputs must be a list, got Input"),
        (text_constraint, {"outputs": Output.string()}, "outputs must be a list, got Output"),
        (text_constraint, {"minimum": True}, "minimum must be a whole number, got True"),
    ],
)
def test_what_looks_like_a_rule_and_is_none_is_refused(
    make: Callable[..., object], rules: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(TypeError, match=complaint):
        make(**rules)
