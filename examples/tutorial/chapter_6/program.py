"""The main part of each program of the greenhouse."""

import logging
import sys
from collections.abc import Callable

from examples.tutorial.chapter_6.settings import Settings
from orbitalis import Orbiter, run


def main(make: Callable[[Settings], Orbiter]) -> None:
    """Run an orbiter until it is told to stop. What is wrong with the settings is said in one line."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = Settings.read()
        orbiter = make(settings)
    except ValueError as error:
        sys.exit(str(error))
    run(orbiter, close_timeout=settings.close_timeout)
