"""Warnings at a pace that strangers cannot set."""

from __future__ import annotations

import logging

import pytest

from orbitalis.bus.throttled_log import ThrottledLog
from orbitalis.log import FieldLogger


def test_logs_so_many_in_a_period(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("orbitalis.bus.throttled_log.time.monotonic", lambda: now)
    log = ThrottledLog(FieldLogger(logging.getLogger("orbitalis.bus.test")), maximum=2, period=10.0)
    for number in range(5):
        log.warning("message %d", number)
    now = 1009.9
    log.warning("message %d", 5)
    now = 1010.0
    log.warning("message %d", 6)
    now = 1020.0
    log.warning("message %d", 7)

    assert [record.getMessage() for record in caplog.records] == [
        "message 0",
        "message 1",
        "4 more warnings like these were not logged",
        "message 6",
        "message 7",
    ]
