"""Modules of users with plugin classes, and what is written for them."""

from __future__ import annotations

__all__ = ["ANNOTATIONS", "DOCUMENT", "EVERY_TYPE", "IN_THE_STYLE_OF_THE_GUIDE", "LAMPS", "LEFT_OUT"]

LAMPS = '''\
"""Lamps."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis import AvroMessageMixin, Event, Input, Output, Plugin, StringMessage, operation, output, periodic

print("on its way")


@dataclass(frozen=True)
class Level(AvroMessageMixin):
    """How bright."""

    level: float


@dataclass(frozen=True)
class Scene(AvroMessageMixin):
    levels: tuple[Level, ...] = ()


class LampPlugin(Plugin):
    """A lamp."""

    alarm = output(str, Level, doc="Says that it is too warm.")

    @operation
    async def dim(self, level: Level | bytes) -> Level | None:
        """Dims it.

        As far as it goes.
        """

    @operation
    async def ask(self) -> int: ...

    @operation(name="paint", input=Input.from_message(Scene), output=Output.string())
    async def on_paint(self, topic: str, event: Event[Scene]) -> None:
        """Paints it."""

    @periodic(1.0)
    async def temperature(self) -> float: ...


class Inner:
    class Lamp(LampPlugin): ...


lamp = LampPlugin()
'''

DOCUMENT = """\
asyncapi: 3.0.0
info:
  title: Lamp
  version: 1.0.0
  description: A lamp.
channels:
  alarm:
    address: null
    messages:
      Text:
        $ref: '#/components/messages/Text'
      Level:
        $ref: '#/components/messages/Level'
  dim:
    address: null
    messages:
      Level:
        $ref: '#/components/messages/Level'
      Bytes:
        $ref: '#/components/messages/Bytes'
  dim_reply:
    address: null
    messages:
      Level:
        $ref: '#/components/messages/Level'
  ask:
    address: null
  ask_reply:
    address: null
    messages:
      Integer:
        $ref: '#/components/messages/Integer'
  paint:
    address: null
    messages:
      Scene:
        $ref: '#/components/messages/Scene'
  paint_reply:
    address: null
    messages:
      Text:
        $ref: '#/components/messages/Text'
  temperature:
    address: null
    messages:
      Number:
        $ref: '#/components/messages/Number'
operations:
  alarm:
    action: send
    channel:
      $ref: '#/channels/alarm'
    summary: Says that it is too warm.
    messages:
      - $ref: '#/channels/alarm/messages/Text'
      - $ref: '#/channels/alarm/messages/Level'
  dim:
    action: receive
    channel:
      $ref: '#/channels/dim'
    summary: Dims it.
    description: As far as it goes.
    messages:
      - $ref: '#/channels/dim/messages/Level'
      - $ref: '#/channels/dim/messages/Bytes'
    reply:
      channel:
        $ref: '#/channels/dim_reply'
      messages:
        - $ref: '#/channels/dim_reply/messages/Level'
  ask:
    action: receive
    channel:
      $ref: '#/channels/ask'
    x-input: empty
    reply:
      channel:
        $ref: '#/channels/ask_reply'
      messages:
        - $ref: '#/channels/ask_reply/messages/Integer'
  paint:
    action: receive
    channel:
      $ref: '#/channels/paint'
    summary: Paints it.
    messages:
      - $ref: '#/channels/paint/messages/Scene'
    reply:
      channel:
        $ref: '#/channels/paint_reply'
      messages:
        - $ref: '#/channels/paint_reply/messages/Text'
  temperature:
    action: send
    channel:
      $ref: '#/channels/temperature'
    messages:
      - $ref: '#/channels/temperature/messages/Number'
components:
  messages:
    Text:
      payload:
        schemaFormat: application/vnd.apache.avro;version=1.9.0
        schema: string
    Level:
      payload:
        $ref: '#/components/schemas/Level'
    Bytes:
      payload:
        schemaFormat: application/vnd.apache.avro;version=1.9.0
        schema: bytes
    Integer:
      payload:
        schemaFormat: application/vnd.apache.avro;version=1.9.0
        schema: long
    Scene:
      payload:
        $ref: '#/components/schemas/Scene'
    Number:
      payload:
        schemaFormat: application/vnd.apache.avro;version=1.9.0
        schema: double
  schemas:
    Level:
      schemaFormat: application/vnd.apache.avro;version=1.9.0
      schema:
        type: record
        name: Level
        doc: How bright.
        fields:
          - name: level
            type: double
    Scene:
      schemaFormat: application/vnd.apache.avro;version=1.9.0
      schema:
        type: record
        name: Scene
        fields:
          - name: levels
            type:
              type: array
              items:
                type: record
                name: Level
                doc: How bright.
                fields:
                  - name: level
                    type: double
            default: []
"""

IN_THE_STYLE_OF_THE_GUIDE = """\
from dataclasses import dataclass

from orbitalis import Input, Operation, Output, Plugin, StringMessage, operation


@dataclass
class HelloPlugin(Plugin):
    period: float{default}

    def __post_init__(self):
        super().__post_init__()
        self.operations["hello"] = Operation(name="hello", output=Output.from_message(StringMessage))

    @operation(name="ask", input=Input.empty(), output=Output.int64())
    async def on_ask(self, topic, event): ...
"""

EVERY_TYPE = """\
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Literal
from uuid import UUID

from orbitalis import *


class Mode(Enum):
    DAY = "day"


class Level(IntEnum):
    LOW = 1


@dataclass
class Lamp:
    name: str


@dataclass(frozen=True)
class Everything(AvroMessageMixin):
{fields}
    defaults: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    price: Annotated[Decimal, DecimalDigits(10, 2)] = Decimal("1.25")
    lasts: timedelta = timedelta(seconds=2)
    lamp: Lamp = field(default_factory=lambda: Lamp("x"))
    data: bytes = bytes([255, 0])
    lamps: list[list[dict[str, Lamp | None]]] = field(default_factory=list)
    uuid: UUID = UUID(int=5)
    mode: Mode = Mode.DAY


@dataclass(frozen=True)
class Other(AvroMessageMixin):
    class Meta:
        namespace = "home.lamps"
        aliases = ["Old", "home.lamps.Older"]

    lamp: Lamp
    lamps: dict[str, Lamp]
    old: int = field(default=3, metadata={"doc": "was", "aliases": ["older"]})


class LampPlugin(Plugin):
    @operation
    async def ask(self, everything: Everything) -> Other: ...
"""
ANNOTATIONS = [
    *("bool", "int", "Int32", "float", "Float32", "str", "bytes", "None", "date", "time", "TimeMicro", "datetime"),
    *("DateTimeMicro", "LocalDateTime", "LocalDateTimeMicro", "timedelta", "UUID", "Annotated[bytes, Fixed(3)]"),
    *("Annotated[Decimal, DecimalDigits(10, 2)]", "Mode", "Level", "Literal['a', 'b']", "Literal['a', 1]", "Lamp"),
    *("list[int]", "tuple[int, ...]", "dict[str, int]", "str | None", "int | Lamp", "list[bytes | None]"),
]

LEFT_OUT = """\
from dataclasses import dataclass

from orbitalis import AvroMessageMixin, Event, Input, Output, Plugin, operation


class First:
    @dataclass(frozen=True)
    class Level(AvroMessageMixin):
        level: float


class Second:
    @dataclass(frozen=True)
    class Level(AvroMessageMixin):
        level: int


ANY, TEXT, EMPTY = Input.undefined(), Output.string(), Input.empty()


class LampPlugin(Plugin):
    @operation
    async def dim(self, level: First.Level | None) -> None: ...

    @operation(name="{name}", input={input}, output={output})
    async def other(self, topic: str, event: Event) -> None: ...
"""
