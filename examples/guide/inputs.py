"""Inputs and outputs: what each of them accepts."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis import AvroMessageMixin, Input, Int64Message, Output, StringMessage

__all__ = ["MyMessage", "main"]


@dataclass(frozen=True)
class MyMessage(AvroMessageMixin):
    """A message of one's own."""

    value: int = 0


async def main() -> None:
    """Show what is accepted."""
    nothing, no_result = Input.no_input(), Output.no_output()
    assert not nothing.has_input
    assert not no_result.has_output

    several = Input(
        schemas=[MyMessage.avro_schema(), Int64Message.avro_schema()],
        support_empty_schema=True,
        support_undefined_schema=False,
    )
    for name, one in {
        "no_input()": nothing,
        "from_message(MyMessage)": Input.from_message(MyMessage),
        "from_schema(MyMessage.avro_schema())": Input.from_schema(MyMessage.avro_schema()),
        "empty()": Input.empty(),
        "undefined()": Input.undefined(),
        "int32()": Input.int32(),
        "int64()": Input.int64(),
        "float32()": Input.float32(),
        "float64()": Input.float64(),
        "string()": Input.string(),
        "bytes()": Input.bytes(),
        "Input(...)": several,
    }.items():
        payloads = {
            "an empty event": None,
            "MyMessage": MyMessage(),
            "an integer": Int64Message(value=1),
            "a text": StringMessage(value="x"),
        }
        accepted = [text for text, payload in payloads.items() if one.accepts_payload(payload)]
        print(f"{name}: {', '.join(accepted) or 'none of these'}")


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
