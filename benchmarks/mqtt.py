"""Handshakes, executions and requests over MQTT, each side in a process of its own, and a bare echo beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from benchmarks.broker import running_broker
from benchmarks.echo import asking
from benchmarks.measuring import Numbers, Settings, Stopwatch, fresh, interleaved, settle, show
from benchmarks.stage import TextCore, TextPlugin, start_compliant
from orbitalis import connect
from tests.support.processes import ReportingProcess

__all__ = ["echo", "execute", "main", "request", "shake_hands"]


def main(settings: Settings) -> None:
    """Measure and print."""
    plugins, count, many = settings.pick((100, 3_000, 100), (3, 20, 10))
    with running_broker() as broker:
        url = broker.url
        cases: dict[str, Callable[[], Numbers]] = {
            f"handshakes with {plugins} plugins": partial(fresh, shake_hands, url, plugins),
            "executions one by one": partial(fresh, execute, url, count),
        }
        compared: dict[str, list[str]] = {}
        for how, at_once in (("one by one", 1), (f"{many} at a time", many)):
            cases[f"requests {how}"] = partial(fresh, request, url, at_once, count)
            cases[f"echo {how}"] = partial(fresh, echo, url, at_once, count, False)
            compared[f"requests {how}"] = [f"echo {how}"]
        # As handlers do that take the inputs of a connection one after the other.
        cases[f"echo {how}, ordered"] = partial(fresh, echo, url, at_once, count, True)
        compared[f"requests {how}"].append(f"echo {how}, ordered")
        samples = interleaved(settings.rounds, cases)
    show(
        ("over MQTT", "a second", "CPU us each, both sides"),
        [(case, f"{samples.median(case, 'rate'):,.0f}", f"{samples.median(case, 'cpu') * 1e6:,.0f}") for case in cases],
    )
    print()
    show(
        ("against", "a second", "a CPU second, both sides"),
        [
            (
                f"{case} / {other}",
                f"{samples.ratio(case, other, 'rate'):.2f}",
                f"{samples.ratio(other, case, 'cpu'):.2f}",
            )
            for case, others in compared.items()
            for other in others
        ],
    )


async def shake_hands(url: str, plugins: int) -> Numbers:
    """Have one core become compliant with plugins that are in another process."""
    core = TextCore(identifier="core", eventbus_client=connect(url)).need(plugins)
    async with _worker("plugins", url, plugins) as worker:
        return await _measure(worker, partial(start_compliant, core), plugins)


async def execute(url: str, count: int) -> Numbers:
    """Execute an operation of a plugin in another process so many times, each after the output of the one before."""
    core = TextCore(identifier="core", eventbus_client=connect(url)).need(1)

    async def work() -> None:
        for _ in range(count):
            core.expect(1)
            await core.execute_sending_any(TextPlugin.lowercase, "HELLO")
            await core.arrived.wait()

    async with _worker("plugins", url, 1) as worker:
        await start_compliant(core)
        return await _measure(worker, work, count)


async def request(url: str, at_once: int, count: int) -> Numbers:
    """Make so many requests to a plugin in another process, so many at a time."""
    core = TextCore(identifier="core", eventbus_client=connect(url)).need(1)

    async def ask() -> None:
        await core.request(TextPlugin.lowercase, "HELLO")

    async with _worker("plugins", url, 1) as worker:
        await start_compliant(core)
        return await _measure(worker, partial(_repeat, ask, at_once, count), count)


async def echo(url: str, at_once: int, count: int, is_ordered: bool) -> Numbers:
    """Ask so many questions over aiomqtt alone, so many at a time."""
    async with _worker("echo", url, "ordered" if is_ordered else "at once") as worker, asking(url) as asker:
        return await _measure(worker, partial(_repeat, asker.ask, at_once, count), count)


def _worker(kind: str, url: str, argument: object) -> ReportingProcess:
    return ReportingProcess(kind, "benchmarks.worker", kind, url, str(argument))


async def _repeat(call: Callable[[], Awaitable[None]], at_once: int, count: int) -> None:
    """Call so many times, so many at a time."""

    async def some() -> None:
        for _ in range(count // at_once):
            await call()

    await asyncio.gather(*(some() for _ in range(at_once)))


async def _measure(worker: ReportingProcess, work: Callable[[], Awaitable[None]], count: int) -> Numbers:
    """Do some work; return how often it is done in a second, and what each time costs, in seconds of the processor."""
    settle()
    before = float(await worker.ask("cpu"))
    with Stopwatch() as watch:
        await work()
    cpu = watch.cpu + float(await worker.ask("cpu")) - before
    return {"rate": count / watch.wall, "cpu": cpu / count}
