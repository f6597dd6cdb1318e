"""Packets of MQTT 5.0 as a page, or somebody in its place, may send them."""

from __future__ import annotations

__all__ = ["connect_packet", "publish_packet", "subscribe_packet"]


def connect_packet(
    client: str,
    *,
    keepalive: int = 30,
    version: int = 5,
    will: tuple[str, bytes] | None = None,
    will_is_retained: bool = False,
) -> bytes:
    """Return a CONNECT packet; its properties ask for a session that outlives the connection."""
    flags = 0x02 | (0 if will is None else 0x04 | (0x20 if will_is_retained else 0))
    expiry = b"\x11\xff\xff\xff\xff"
    body = _text("MQTT") + bytes((version, flags)) + keepalive.to_bytes(2, "big")
    body += bytes((len(expiry),)) + expiry + _text(client)
    if will is not None:
        topic, payload = will
        body += b"\x00" + _text(topic) + len(payload).to_bytes(2, "big") + payload
    return _packet(0x10, body)


def publish_packet(topic: str, payload: bytes, *, is_retained: bool = False) -> bytes:
    """Return a PUBLISH packet of quality of service 0."""
    return _packet(0x31 if is_retained else 0x30, _text(topic) + b"\x00" + payload)


def subscribe_packet(*filters: str) -> bytes:
    """Return a SUBSCRIBE packet."""
    return _packet(0x82, b"\x00\x01\x00" + b"".join(_text(one) + b"\x00" for one in filters))


def _text(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()


def _packet(first: int, body: bytes) -> bytes:
    length = len(body)
    written = bytearray((first,))
    while True:
        length, byte = length >> 7, length & 0x7F
        written.append(byte | (0x80 if length else 0))
        if not length:
            return bytes(written) + body
