"""What a chaos was like, in tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median

from tests.chaos.chaos import Record
from tests.chaos.stage import Healing

__all__ = ["summarize"]


def summarize(record: Record) -> str:
    """Return tables of the faults with their healing times, and of the processes before and after."""
    kinds: dict[str, list[Healing]] = {}
    for kind, healing in record.faults:
        kinds.setdefault(kind, []).append(healing)
    lines = [
        f"seed {record.seed}: {len(record.faults)} faults survived in {record.seconds:.0f} s, "
        f"{record.broker_kills} kills of the broker and {record.process_kills} of processes among them",
        "",
        "seconds after the end of the fault          "
        "            survived | compliant again: times  median   99 % |  working: median   99 %    max |"
        "  agreed: median   99 %    max",
    ]
    lines += [_row(kind, healings) for kind, healings in sorted(kinds.items())]
    lines += [_row("all", [healing for _, healing in record.faults]), ""]
    if not record.processes:  # it was ended before its end
        return "\n".join(lines[:-1])
    lines += ["process  faults survived   MiB before  after   objects before    after   tasks  reconnections"]
    for name, (survived, before, after) in record.processes.items():
        tasks, reconnections = sum(after["tasks"].values()), after["statistics"]["reconnections"]
        lines.append(
            f"{name:<7}  {survived:>15}  {before['memory'] / 1024:>11.1f}  {after['memory'] / 1024:>5.1f}  "
            f"{before['objects']:>15}  {after['objects']:>7}  {tasks:>6}  {reconnections:>13}"
        )
    outcomes = ", ".join(f"{what} {times}" for what, times in sorted(record.traffic.items()))
    lines += ["", f"in the core's last life: {outcomes}; the longest took {record.longest_request:.2f} s"]
    lines += ["proxies: " + ", ".join(f"{what} {times}" for what, times in record.packets.items())]
    return "\n".join(lines)


def _row(kind: str, healings: Sequence[Healing]) -> str:
    compliant = [healing.compliant for healing in healings if healing.compliant is not None]
    working = [healing.working for healing in healings]
    agreed = [healing.agreed for healing in healings]
    return (
        f"{kind:<55} {len(healings):>8} | {len(compliant):>22}  {_middle(compliant)} {_last(compliant)} |"
        f"          {_middle(working)} {_last(working)} {max(working):>6.2f} |"
        f"         {_middle(agreed)} {_last(agreed)} {max(agreed):>6.2f}"
    )


def _middle(times: Sequence[float]) -> str:
    return f"{median(times):>6.2f}" if times else f"{'-':>6}"


def _last(times: Iterable[float]) -> str:
    """Return the time that 99 % of all do not exceed."""
    ordered = sorted(times)
    return f"{ordered[math.ceil(0.99 * len(ordered)) - 1]:>6.2f}" if ordered else f"{'-':>6}"
