"""Inputs that are small and ask for much, or large and made to be expensive."""

from __future__ import annotations

import json
import struct
from typing import Final

from orbitalis_wire import limits
from orbitalis_wire.envelope import ENVELOPE_FINGERPRINT
from tests.support.avro import long, text

__all__ = ["BOMBS"]

_MANY: Final = limits.EVENT_BYTES // 16
_HEADER: Final = b"\xc3\x01" + bytes.fromhex(ENVELOPE_FINGERPRINT)
_DISCOVER: Final = text("core") + text("o") + text("k") + text("r") + struct.pack("<d", 1.0)
_ENVELOPE: Final = text("event") + text("me") + long(0)
_JSON: Final = (
    b'{"identifier":"e","publisher_identifier":"p","timestamp":{"__type__":"datetime","value":"2026-11-23T21:26:01"},'
)


def _schema(fields: str, more: str = "") -> bytes:
    return f'{{"type":"record","name":"a",{more}"fields":[{fields}]}}'.encode()


def _names(count: int) -> str:
    return ",".join(f'{{"name":"f{number}","type":"a"}}' for number in range(count))


BOMBS: Final[dict[str, bytes]] = {
    "nothing": b"",
    "zeros": b"\x00" * _MANY,
    "ones": b"\x01" * _MANY,
    "twos": b"\x02" * _MANY,
    "high bytes": b"\xff" * _MANY,
    "continued for ever": b"\x80" * _MANY,
    "count of 2**40": long(2**40),
    "count of 2**62, then zeros": long(2**62) + b"\x00" * 1000,
    "negative count": long(-(2**40)) + long(4) + b"\x00" * 1000,
    "smallest count": long(-(2**63)) + b"\x00" * 1000,
    "as many empty items as there are bytes": long(_MANY) + b"\x00" * _MANY,
    "blocks of one": (long(1) + b"\x00") * (_MANY // 2),
    "sized blocks of one": (long(-1) + long(1) + b"\x00") * (_MANY // 3),
    "queries without end": _DISCOVER + long(2**40) + b"\x00" * 1000,
    "queries of nothing": _DISCOVER
    + long(_MANY // 8)
    + b"".join(text(str(n)) + b"\x00" * 5 for n in range(_MANY // 12)),
    "inputs of nothing": _DISCOVER
    + (long(1) + text("a") + long(_MANY // 4) + b"\x00" * (3 * _MANY // 4) + b"\x00" * 4)
    + b"\x00",
    "names in an envelope": _HEADER + _ENVELOPE + b"\x00" * 8 + long(1) + long(_MANY) + b"\x00" * _MANY,
    "headers without end": _HEADER + _ENVELOPE + b"\x00" * 8 + long(1) + long(2**40),
    "brackets": b"[" * 100_000,
    "braces": b'{"a":' * 100_000,
    "closed brackets": b"[" * 100_000 + b"]" * 100_000,
    "brackets in an envelope": b'{"identifier":' + b"[" * 100_000,
    "brackets behind others in a text": _JSON + b'"x":"' + b"]" * 1000 + b'","y":' + b"[" * 900 + b"]" * 900 + b"}",
    "a deep schema behind brackets in a text": b'{"type":"record","name":"a","doc":"'
    + b"]" * 1000
    + b'","fields":[{"name":"x","type":'
    + b'{"type":"array","items":' * 900
    + b'"int"'
    + b"}" * 900
    + b"}]}",
    "open quotes": b'{"' + b'\\"' * (_MANY // 2),
    "lists in an envelope": _JSON + b'"x":[' + b"[]," * (_MANY // 3) + b"[]]}",
    "objects in an envelope": _JSON + b'"x":[' + b'{"a":1},' * (_MANY // 8) + b"{}]}",
    "numbers in an envelope": _JSON + b'"x":[' + b"0.1," * (_MANY // 4) + b"1]}",
    "names in JSON": _JSON + b'"open_connections":[' + b'"",' * (_MANY // 3) + b'""]}',
    "the same key": _JSON + b'"x":1,' * (_MANY // 6) + b'"y":1}',
    "digits": b"9" * 10_000,
    "digits in an envelope": _JSON + b'"protocol_version":' + b"9" * 10_000 + b"}",
    "an integer of 65 bits": b"\xff" * 9 + b"\x02",
    "a boolean that is two": b"\x00\x00\x02",
    "an integer of 33 bits": _JSON + b'"protocol_version":4294967296}',
    "digits of a fraction": _JSON + b'"x":' + b"9" * _MANY + b".1e" + b"9" * 1000 + b"}",
    "spaces": _JSON + b" " * _MANY + b"}",
    "base64": _JSON + b'"serialized_payload":{"__type__":"bytes","value":"' + b"A" * _MANY + b'"}}',
    "half a surrogate pair": b'"\\ud800"',
    "halves of surrogate pairs": b"\xed\xa0\x80" * (_MANY // 3),
    "a long topic": b"orbitalis/" + b"a" * 70_000 + b"/b/offer",
    "many levels": b"/" * 70_000,
    "many wildcards": b"a/b\n" + b"+/" * 3_000 + b"+",
    "many filters": b"/".join([b"a"] * 200) + b"\n" + b"\n".join(b"/".join([b"+"] * n + [b"#"]) for n in range(1, 200)),
    "controls": bytes(range(32)) * 1000,
    "a schema as large as may be": _schema(",".join(f'{{"name":"f{n}","type":"int"}}' for n in range(2150))),
    "a schema that is larger": _schema(",".join(f'{{"name":"f{n}","type":"int"}}' for n in range(4_000))),
    "a schema of long names": _schema(_names(1300), f'"namespace":"{"n" * 30_000}",'),
    "a schema of a long name": _schema(_names(1300)).replace(b'"a"', b'"b.' + b"n" * 22 + b'"'),
    "a schema with a deep name": json.dumps(
        {"type": "array", "items": {"type": "enum", "name": "a." * 15_000 + "b", "symbols": ["A"]}}
    ).encode(),
    "a deep schema": b'{"type":"array","items":' * 10_000 + b'"int"' + b"}" * 10_000,
    "a schema as deep as may be": b'{"type":"array","items":' * 63 + b'"int"' + b"}" * 63,
    "a deep union": b"[" * 64 + b"]" * 64,
    "a schema with a large default": b'{"type":"record","name":"a","fields":[{"name":"x","type":'
    b'{"type":"array","items":"a"},"default":[' + b"{}," * 20_000 + b"{}]}]}",
    "a schema with digits": b'{"type":"fixed","name":"a","size":' + b"9" * 10_000 + b"}",
    "a schema with a large precision": b'{"type":"bytes","logicalType":"decimal","precision":1e308,"scale":1e400}',
    "aliases of aliases": b"".join(
        f"x{n}: &x{n} [{', '.join([f'*x{n - 1}' if n else 'a'] * 9)}]\n".encode() for n in range(20)
    ),
    "a deep document": b"- " * 3_000 + b"a",
    "many documents": b"--- a\n" * 2_000,
    "many keys": b"".join(f"k{n}: {n}\n".encode() for n in range(4_000)),
    "many URLs": b"mqtt://a, " * 5_000,
    "a long URL": b"mqtt://" + b"a" * 100_000 + b":1883",
    "many users": b"mqtt://" + b"a:b@" * 20_000 + b"c",
    "percents": b"mqtt://" + b"%25" * 20_000 + b"@c",
    "options": b"mqtts://a?" + b"key=a&" * 20_000,
}
"""By what they are; every target gets all of them."""
