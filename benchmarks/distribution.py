"""What `execute_distributed` costs for a message, with few plugins and with many."""

from __future__ import annotations

from functools import partial

from benchmarks.measuring import Numbers, Settings, Stopwatch, fresh, interleaved, settle, show
from benchmarks.stage import TextPlugin, connected

__all__ = ["distribute", "main"]


def main(settings: Settings) -> None:
    """Measure and print."""
    sizes, lengths = settings.pick((200, 800), (2, 8)), settings.pick((1, 20, 1_000), (1, 20))
    messages = settings.pick(1_000, 20)
    samples = interleaved(
        settings.rounds,
        {
            f"{size}, {length}": partial(fresh, distribute, size, length, messages // length)
            for length in lengths
            for size in sizes
        },
    )
    few, many = sizes
    rows = [
        (
            f"{length:,}",
            f"{samples.median(f'{few}, {length}', 'cost') * 1e6:.0f}",
            f"{samples.median(f'{many}, {length}', 'cost') * 1e6:.0f}",
            f"{samples.ratio(f'{many}, {length}', f'{few}, {length}', 'cost'):.2f}",
        )
        for length in lengths
    ]
    show(("messages a call", f"us each, {few} plugins", f"us each, {many} plugins", "ratio"), rows)


async def distribute(plugins: int, length: int, calls: int) -> Numbers:
    """Distribute lists of so many messages, so many times, each after all outputs of the one before."""
    core, _ = await connected(plugins)
    texts = ["HELLO"] * length
    settle()
    with Stopwatch() as watch:
        for _ in range(calls):
            core.expect(length)
            await core.execute_distributed(TextPlugin.lowercase, texts)
            await core.arrived.wait()
    return {"cost": watch.cpu / (calls * length)}
