"""Everything that is fuzzed, by name."""

from __future__ import annotations

from tests.fuzzing.codec_targets import codec_targets
from tests.fuzzing.event_targets import event_targets
from tests.fuzzing.machine_targets import machine_targets
from tests.fuzzing.running_targets import running_targets
from tests.fuzzing.specification_targets import specification_targets
from tests.fuzzing.target import Target
from tests.fuzzing.text_targets import text_targets

__all__ = ["TARGETS"]

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        *codec_targets(),
        *event_targets(),
        *text_targets(),
        *specification_targets(),
        *machine_targets(),
        *running_targets(),
    )
}
