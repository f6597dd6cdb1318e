"""URLs of buses."""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from orbitalis import Plugin
from orbitalis.bus import LocalEventBus, LocalEventBusClient, MqttEventBusClient, SeveralEventBusClient, connect
from orbitalis.errors import BusUrlError
from tests.support.broker import TlsFiles
from tests.support.repository import run


@pytest.mark.parametrize(("url", "name"), [("local://", ""), ("local:///", ""), ("local://kitchen", "kitchen")])
def test_local(url: str, name: str) -> None:
    client = connect(url, identifier="me")
    assert isinstance(client, LocalEventBusClient)
    assert client.bus is LocalEventBus.named(name)
    assert client.identifier == "me"


@pytest.mark.parametrize(
    ("url", "host", "port", "username", "password"),
    [
        ("mqtt://broker", "broker", 1883, None, None),
        ("mqtt://broker/", "broker", 1883, None, None),
        ("mqtt://broker:18830", "broker", 18830, None, None),
        ("mqtts://broker", "broker", 8883, None, None),
        ("mqtt://user@broker", "broker", 1883, "user", None),
        ("mqtt://user:secret@broker:1", "broker", 1, "user", "secret"),
        ("mqtt://us%40er:p%2F%3F%23%3A%25@broker", "broker", 1883, "us@er", "p/?#:%"),
        ("mqtt://[::1]:1884", "::1", 1884, None, None),
        ("MQTT://Broker", "broker", 1883, None, None),
    ],
)
def test_mqtt(url: str, host: str, port: int, username: str | None, password: str | None) -> None:
    client = connect(url)
    assert isinstance(client, MqttEventBusClient)
    endpoint = client._endpoint
    assert (endpoint.host, endpoint.port, endpoint.username, endpoint.password) == (host, port, username, password)
    assert (endpoint.tls is not None) == url.startswith("mqtts")
    assert endpoint.identifier == client.identifier
    assert password is None or password not in repr(client)


def test_tls_is_checked_unless_told_otherwise() -> None:
    client = connect("mqtts://broker")
    assert isinstance(client, MqttEventBusClient)
    assert client._endpoint.tls is not None
    assert client._endpoint.tls.verify_mode is ssl.CERT_REQUIRED
    own = ssl.create_default_context()
    client = connect("mqtts://broker", tls=own)
    assert isinstance(client, MqttEventBusClient)
    assert client._endpoint.tls is own
    with pytest.raises(BusUrlError, match="mqtts://"):
        connect("mqtt://broker", tls=own)
    with pytest.raises(BusUrlError, match="`tls` is given, which stands for all of them"):
        connect("mqtts://broker?authority=file", tls=own)


def context_of(url: str) -> ssl.SSLContext:
    client = connect(url)
    assert isinstance(client, MqttEventBusClient)
    assert client._endpoint.tls is not None
    return client._endpoint.tls


def test_an_authority_is_the_only_one(tls_files: TlsFiles) -> None:
    context = context_of(f"mqtts://broker?authority={quote(str(tls_files.authority))}")
    assert len(context.get_ca_certs()) == 1
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_client_can_prove_who_it_is(tls_files: TlsFiles, tmp_path: Path) -> None:
    both = tmp_path / "both & more.pem"
    both.write_text(tls_files.certificate.read_text() + tls_files.key.read_text())
    context_of(f"mqtts://broker?certificate={tls_files.certificate}&key={tls_files.key}")
    context_of(f"mqtts://broker?certificate={quote(str(both))}")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("authority=/none.pem", r"authority that is of no use: /none\.pem: No such file"),
        ("authority={key}", r"authority that is of no use: .*key: expected PEM"),
        ("certificate=/none.pem", r"certificate and a key that are of no use: /none\.pem: No such file"),
        ("certificate={certificate}", r"broker\.pem: expected PEM, not encrypted, and a key"),
        ("certificate={authority}&key={key}", r"authority\.pem and .*broker\.key: expected PEM.*(?i:mismatch)"),
        ("certificate={certificate}&key={encrypted}", r"encrypted\.key: expected PEM, not encrypted"),
    ],
)
def test_files_that_are_of_no_use(tls_files: TlsFiles, tmp_path: Path, options: str, reason: str) -> None:
    encrypted = tmp_path / "encrypted.key"
    run(["openssl", "pkey", "-in", tls_files.key, "-aes128", "-passout", "pass:secret", "-out", encrypted])
    files = {"authority": tls_files.authority, "certificate": tls_files.certificate, "key": tls_files.key}
    with pytest.raises(BusUrlError, match=reason):
        connect("mqtts://broker?" + options.format(**files, encrypted=encrypted))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "is empty"),
        ("broker:1883", "no scheme, such as mqtt://"),
        ("http://user:secret@broker", "unknown scheme 'http'"),
        ("mqtt://", "no host"),
        ("mqtt://user:secret@", "no host"),
        ("mqtt://user:secret", "port"),
        ("mqtt://broker:secret", "port"),
        ("mqtt://broker:0", "port"),
        ("mqtt://broker:70000", "port"),
        ("mqtt:user:secret@broker", "no scheme"),
        ("mqtt://user:sec/ret@broker", "ends neither"),
        ("mqtt://user:sec#ret@broker", "ends neither"),
        ("mqtt://user:sec?ret@broker", "ends neither"),
        ("mqtt://broker/topic", "ends neither"),
        ("mqtt://broker?secret=1", "ends neither"),
        ("mqtt://broker?authority=secret", "ends neither"),
        ("local://name?authority=secret", "ends neither"),
        ("mqtts://broker#secret", "ends neither"),
        ("mqtts://broker?secret=1", "none of authority, certificate, key"),
        ("mqtts://broker?secret", "none of authority, certificate, key"),
        ("mqtts://broker?&", "none of authority, certificate, key"),
        ("mqtts://broker?authority=secret&authority=secret", "an option twice"),
        ("mqtts://broker?authority=", "authority without a file: write authority=FILE"),
        ("mqtts://broker?authority", "authority without a file: write authority=FILE"),
        ("mqtts://broker?authority=sec%00ret", "authority with a character that cannot be printed"),
        ("mqtts://broker?key=secret", "key without the option certificate"),
        ("mqtts://user:sec?authority=ret@broker", "port"),
        ("mqtt://user:secret@[broker", "cannot be read"),
        ("mqtt://user:secret@bro\u2100ker", "cannot be read"),
        ("local://user:secret@name", "neither credentials nor port"),
        ("local://name:1883", "neither credentials nor port"),
        ("mqtt://bro ker", "contains a blank"),
        ("mqtt://user:sec ret@broker", "contains a blank"),
        ("local://, broker", "contains a blank"),
        ("local://,broker", "contains a comma"),
        ("mqtt://broker,", "contains a comma"),
        ("local://,mqtt://user:secret", "number 2 of 2: .*port"),
        ("mqtt://user:secret@broker mqtts://x http://secret", "number 3 of 3: .*unknown scheme 'http'"),
        ("mqtt://a:secret@broker mqtt://Broker:1883/", "number 2 of 2: .*names mqtt://broker:1883, which another"),
        ("local:// local:///", "number 2 of 2: .*names local://, which another"),
    ],
)
def test_what_names_no_bus(url: str, reason: str) -> None:
    with pytest.raises(BusUrlError, match=reason) as failure:
        connect(url)
    error: BaseException | None = failure.value
    while error is not None:
        assert "secret" not in str(error)
        assert "sec" not in str(error)
        error = error.__cause__ or error.__context__
    assert "mqtts://user:password@host:8883" in str(failure.value)


SEVERAL = ["local://kitchen", "mqtt://broker:1883", "mqtts://[::1]:8883"]


@pytest.mark.parametrize(
    "urls",
    [
        ["local://kitchen", "mqtt://user:a,b@Broker/", "mqtts://[::1]"],
        ["local://kitchen mqtt://broker,mqtts://[::1]"],
        [" local://kitchen ,\n mqtt://broker", "mqtts://[::1]\n"],
    ],
)
def test_several(urls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    own = ssl.create_default_context()
    client = connect(*urls, identifier="me", tls=own)
    assert isinstance(client, SeveralEventBusClient)
    assert list(client.members) == SEVERAL
    assert {client.identifier, *(member.identifier for member in client.members.values())} == {"me"}
    plain, encrypted = client.members[SEVERAL[1]], client.members[SEVERAL[2]]
    assert isinstance(plain, MqttEventBusClient)
    assert isinstance(encrypted, MqttEventBusClient)
    assert (plain._endpoint.tls, encrypted._endpoint.tls) == (None, own)
    assert plain._endpoint.password in (None, "a,b")
    with pytest.raises(BusUrlError, match="without TLS"):
        connect("local://", "mqtt://broker", tls=own)

    monkeypatch.setenv("ORBITALIS_BUS", " ".join(urls))
    from_environment = connect()
    assert isinstance(from_environment, SeveralEventBusClient)
    assert list(from_environment.members) == SEVERAL
    with_another = connect(None, "local://other")
    assert isinstance(with_another, SeveralEventBusClient)
    assert list(with_another.members) == [*SEVERAL, "local://other"]


def test_many_separators_take_no_time() -> None:
    before = time.process_time()
    with pytest.raises(BusUrlError, match="contains a blank"):
        connect("mqtt://a" + " ," * 50_000 + "b")
    assert time.process_time() - before < 1


@pytest.mark.parametrize(("text", "reason"), [("", "empty"), ("  ", "empty"), ("localhost:1883", "has no scheme")])
async def test_an_error_about_the_environment_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    monkeypatch.setenv("ORBITALIS_BUS", text)
    with pytest.raises(BusUrlError, match=f"environment variable ORBITALIS_BUS: .*{reason}"):
        connect()
    plugin = Plugin()
    with pytest.raises(BusUrlError, match=f"environment variable ORBITALIS_BUS: .*{reason}"):
        await plugin.start()
    assert not plugin.is_running
    assert isinstance(connect("local://"), LocalEventBusClient)


@pytest.mark.parametrize("given", [["mqtt://broker:secret@host"], 1883, b"mqtt://user:secret@host", LocalEventBus])
def test_a_url_that_is_no_text_is_refused_and_not_shown(given: Any) -> None:
    for urls in ((given,), ("local://", given)):
        with pytest.raises(TypeError, match=r"bus must be a text, got a .*: write connect\('mqtt") as failure:
            connect(*urls)
        assert "secret" not in str(failure.value)


def test_the_environment_says_how_long_a_broker_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait_of(client: object) -> float:
        assert isinstance(client, MqttEventBusClient)
        return client._wait

    monkeypatch.delenv("ORBITALIS_BUS_WAIT", raising=False)
    assert wait_of(connect("mqtt://broker")) == 0
    monkeypatch.setenv("ORBITALIS_BUS_WAIT", "2.5")
    assert wait_of(connect("mqtt://broker")) == 2.5
    assert wait_of(connect("mqtt://broker", wait=0)) == 0
    several = connect("local://", "mqtt://broker", wait=4)
    assert isinstance(several, SeveralEventBusClient)
    assert wait_of(several.members["mqtt://broker:1883"]) == 4


@pytest.mark.parametrize("text", ["", "soon", "-1", "nan", "inf", "5 s"])
def test_a_wait_of_the_environment_that_is_no_number_of_seconds_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("ORBITALIS_BUS_WAIT", text)
    with pytest.raises(ValueError, match=f"ORBITALIS_BUS_WAIT must be a number of seconds, such as 30, got '{text}'"):
        connect("mqtt://broker")
    assert isinstance(connect("mqtt://broker", wait=1), MqttEventBusClient)


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        ({"wait": "5"}, TypeError, r"wait must be a number of seconds, such as wait=5\.0, got '5'"),
        ({"wait": -1}, ValueError, "wait must not be negative, got -1"),
        ({"keepalive": 0}, ValueError, "keepalive must be positive, got 0"),
        ({"connect_timeout": 0}, ValueError, "connect_timeout must be positive"),
        ({"publish_timeout": None}, TypeError, "publish_timeout must be a number"),
        ({"reconnect_delay": float("nan")}, ValueError, "reconnect_delay must not be negative, got nan"),
        ({"identifier": 5}, TypeError, "identifier of a client must be a text, got 5"),
        ({"identifier": ""}, ValueError, "identifier of a client is empty: leave it out"),
    ],
)
def test_arguments_of_a_client_that_cannot_be_meant_are_refused(
    options: dict[str, Any], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        MqttEventBusClient("broker", **options)
