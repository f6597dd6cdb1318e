"""A broker for measurements, as long as it is needed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.broker import Broker

__all__ = ["running_broker"]


@contextmanager
def running_broker() -> Iterator[Broker]:
    """Give a broker that is running, and that holds no packet back."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder), no_delay=True)
        broker.start()
        try:
            yield broker
        finally:
            broker.kill()
