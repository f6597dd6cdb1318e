"""Whether the operation of a plugin suits a core: input and output are the same, or resolve between peers that can.

The core writes inputs and the plugin reads them; the plugin writes outputs and the core reads them. Peers of version
1.1 resolve schemas; with all others, only the same schemas match.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from orbitalis.message.matching import ForeignSchema, NotCompared, SchemaPair, foreign_schemas, match
from orbitalis.message.schema import Input, Output, SchemaSpec
from orbitalis.message.schema_difference import Shapes
from orbitalis.protocol.config import OperationTerms, PluginConfig, RequirementTerms
from orbitalis.protocol.headers import Reader, is_of_version_1_1
from orbitalis.protocol.obstacles import UNREAD_SCHEMAS, Obstacle, ObstacleKind, schemas_differ
from orbitalis.protocol.quotas import Quotas
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.waiting_queries import AskingCore
from orbitalis_wire.messages import DiscoverQuery, OfferedOperation, OfferMessage, RequestOperationMessage

__all__ = ["Fit", "Matching", "offer_message", "size_of_foreign"]

_READER_BYTES = 64
"""How many bytes what reads a schema takes for each character of it, at most about."""


@dataclass(slots=True)
class Fit:
    """What a core and an offered operation have in common, as the core sees it."""

    input: Input
    """What the core may send."""
    output: Output
    """What it gets."""
    input_schemas: tuple[str, ...] = ()
    """The schemas with which it writes, if these are not those that are offered."""
    foreign: Mapping[str, ForeignSchema] | None = None
    """The schemas with which the plugin writes, as far as they are none of `output`."""


@dataclass(slots=True, eq=False)
class Matching:
    """Holds inputs and outputs of one orbiter against those of remotes. Times are seconds on the caller's clock.

    `exact` has, by operation name, the fingerprints of the schemas that a remote wants to be matched exactly.
    """

    _quotas: Quotas
    _is_cut_short: bool = field(init=False, default=False)
    """Whether schemas were not compared, when that was last tried, since that was more than the quota admits."""

    def shape_for(
        self, terms: OperationTerms, name: str, query: DiscoverQuery, asking: AskingCore, now: float
    ) -> tuple[Input, Output] | None:
        """Return input and output of a plugin's operation as they are offered in answer to a query, if they suit it.

        A side that is the same as what the core asks for is repeated in the words of the query.
        """
        taken, given = terms.input, terms.output
        inputs = [Input.from_wire(record) for record in query.inputs]
        for theirs in inputs:
            if taken.accepts(theirs):
                taken = taken.spelled_like(inputs)
                break
        else:
            if self._first_match(inputs, (taken,), terms, asking, asking.exact_schemas.get(name, ()), now) is None:
                return None
        outputs = [Output.from_wire(record) for record in query.outputs]
        for wanted in outputs:
            if wanted.accepts(given):
                return taken, given.spelled_like(outputs)
        found = self._first_match((given,), outputs, terms, asking, asking.exact_schemas.get(name, ()), now)
        return None if found is None else (taken, given)

    def fit(
        self,
        terms: RequirementTerms,
        offered: OfferedOperation,
        remote: Reader,
        exact: Mapping[str, Sequence[str]],
        now: float,
    ) -> Fit | None:
        """Return what a core can do with an offered operation, if that is what it requires."""
        taken, given = Input.from_wire(offered.input), Output.from_wire(offered.output)
        fit = Fit(taken, given)
        for mine in terms.inputs:
            if taken.accepts(mine):
                break
        else:
            found = self._first_match(terms.inputs, (taken,), terms, remote, exact.get(offered.name, ()), now)
            if found is None:
                return None
            fit.input_schemas = schemas = tuple([pair.writer for pair in found])
            fit.input = Input(schemas=schemas, support_empty_schema=taken.support_empty_schema)
        for wanted in terms.outputs:
            if wanted.accepts(given):
                break
        else:
            found = self._first_match((given,), terms.outputs, terms, remote, exact.get(offered.name, ()), now)
            if found is None:
                return None
            fit.foreign = foreign_schemas(found)
            readers = dict.fromkeys(pair.reader for pair in found)
            fit.output = Output(schemas=tuple(readers), support_empty_schema=given.support_empty_schema)
        return fit

    def read_inputs(
        self, reads: Input, terms: OperationTerms, request: RequestOperationMessage, remote: Reader, now: float
    ) -> Sequence[SchemaPair] | Obstacle:
        """Return how a plugin reads the inputs that a request announces, or why it cannot.

        `reads` is the input that was offered.
        """
        core, name, schemas = request.core_identifier, request.operation_name, request.input_schemas
        writes = Input(schemas=tuple(schemas))
        self._is_cut_short = not self._quotas.admit_schemas(schemas, now)
        if not self._is_cut_short:
            if reads.accepts(writes):
                return ()
            found = self._first_match((writes,), (reads,), terms, remote, (), now)
            if found is not None:
                return found
        return self.obstacle(core, name, terms, ((writes,), (terms.output,)), remote, {})

    def obstacle(
        self,
        remote_identifier: str,
        operation_name: str,
        terms: OperationTerms | RequirementTerms,
        there: Shapes,
        remote: Reader,
        exact: Mapping[str, Sequence[str]],
    ) -> Obstacle:
        """Return why nothing matched; `there` is what the remote takes and gives, or may."""
        if self._is_cut_short:
            return Obstacle(
                remote_identifier=remote_identifier,
                operation_name=operation_name,
                kind=ObstacleKind.LIMIT,
                detail=UNREAD_SCHEMAS,
            )
        known = None
        if is_of_version_1_1(remote):
            known = frozenset((*terms.exact, *exact.get(operation_name, ())))
        return schemas_differ(remote_identifier, operation_name, terms, there, known)

    def _first_match(
        self,
        writes: Sequence[SchemaSpec],
        reads: Sequence[SchemaSpec],
        terms: OperationTerms | RequirementTerms,
        remote: Reader,
        exact: Collection[str],
        now: float,
    ) -> tuple[SchemaPair, ...] | None:
        """Return how the first alternative is read that can be, by resolution."""
        self._is_cut_short = False
        if not is_of_version_1_1(remote):
            return None
        known = frozenset((*terms.exact, *exact))
        try:
            for written in writes:
                for read in reads:
                    found = match(written, read, known, partial(self._quotas.admit_comparison, now=now))
                    if found is not None:
                        return found
        except NotCompared:
            self._is_cut_short = True
        return None


def size_of_foreign(foreign: Mapping[str, ForeignSchema] | None) -> int:
    """Return about how many bytes foreign schemas take, with what reads them."""
    return sum(_READER_BYTES * len(one.schema) for one in foreign.values()) if foreign else 0


def offer_message(config: PluginConfig, core_identifier: str, slots: Sequence[Slot]) -> OfferMessage:
    """Return the message that offers the operations of slots, of which there may be one for each operation."""
    topics, after = config.topics, config.consider_others_dead_after
    exact: dict[str, Sequence[str]] = {}
    offered: list[OfferedOperation] = []
    for slot in slots:
        name = slot.operation_name
        offered.append(OfferedOperation(name=name, input=slot.input, output=slot.output))
        if name in config.operations and config.operations[name].exact:
            exact[name] = config.operations[name].exact
    return OfferMessage(
        plugin_identifier=config.identifier,
        offered_operations=offered,
        reply_topic=topics.reply(core_identifier),
        considered_dead_after=math.inf if after is None else after,
        plugin_keepalive_topic=topics.keepalive(core_identifier),
        plugin_keepalive_request_topic=topics.keepalive_request(core_identifier),
        exact_schemas=exact,
    )
