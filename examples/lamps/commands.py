"""What can be asked of a home, a line of text each."""

from __future__ import annotations

import time

from examples.lamps.messages import BrightnessMessage
from examples.lamps.reporting import ReportingHome
from orbitalis import OrbitalisError

__all__ = ["HELP", "obey"]

HELP = """\
Commands, a line each:
  OPERATION any              one lamp of your home's choice
  OPERATION all              every lamp
  OPERATION distribute N     N times, shared out among the lamps
  OPERATION LAMP             the lamp of that name
OPERATION is get_status, turn_on, turn_off, set_brightness or get_energy. After `any`, `all` or LAMP, set_brightness
takes a number above 0 and up to 1; so can turn_on, which then reaches only lamps that can be dimmed.
For example: turn_on any / get_status all / set_brightness lamp_y_1 0.5"""


async def obey(home: ReportingHome, line: str) -> None:
    """Do what a line asks for, and have the home report it or why it cannot."""
    match line.split():
        case []:
            return
        case [operation, "distribute", number] if number.isdecimal():
            inputs = [None] * min(int(number), 1_000)
            execution, mode = home.execute(operation, inputs, distribute=True), f"distribute, {len(inputs)} times"
        case [operation, mode, *value] if mode != "distribute" and len(value) <= 1:
            try:
                data = BrightnessMessage(power=float(value[0])) if value else None
            except ValueError:
                home.tell_of_failure(line, f"{value[0]} is no number")
                return
            match mode:
                case "any":
                    execution = home.execute(operation, data, any=True)
                case "all":
                    execution = home.execute(operation, data, all=True)
                case lamp:
                    execution, mode = home.execute(operation, data, plugin_identifier=lamp), "plugin_identifier"
        case _:
            home.tell_of_failure(line, "no such command; `help` lists them")
            return
    since = time.time()
    try:
        lamps = await execution
    except OrbitalisError as error:
        home.tell_of_failure(line, str(error))
    else:
        home.tell_of_execution(operation, mode, lamps, since)
