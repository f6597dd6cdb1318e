"""What nothing here reads is held against the official schema of AsyncAPI 3: we refuse what it refuses."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from orbitalis_codegen import SpecificationError, read_specification
from tests.codegen.broken.cases import LAMPS, edited
from tests.codegen.mutants import faults, loaded, mutants
from tests.support.repository import ROOT

OFFICIAL = ROOT / "tools/node_modules/@asyncapi/specs/schemas/3.0.0.json"
DOCS = {"url": "https://example.org/docs", "description": "More."}
TAGS = [{"name": "one", "description": "One.", "externalDocs": DOCS}]
DOCUMENTED = {"title": "Title", "summary": "In short.", "description": "At length.", "externalDocs": DOCS}
FLOWS = {
    "implicit": {"authorizationUrl": "https://example.org/a", "availableScopes": {"read": "Reads."}},
    "clientCredentials": {"tokenUrl": "https://example.org/t", "availableScopes": {}},
}
PLACE = {"location": "$message.header#/place", "description": "Where."}
COMPONENTS: dict[str, Any] = {
    "schemas": {"Anything": {"type": "object"}},
    "securitySchemes": {
        "password": {"type": "userPassword", "description": "Known to both."},
        "key": {"type": "apiKey", "in": "user"},
        "header": {"type": "httpApiKey", "name": "key", "in": "header"},
        "http": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "oauth": {"type": "oauth2", "flows": FLOWS, "scopes": ["read"]},
        "open": {"type": "openIdConnect", "openIdConnectUrl": "https://example.org/o", "scopes": []},
        "sasl": {"type": "scramSha256"},
    },
    "serverVariables": {"port": {"enum": ["1883"], "default": "1883", "description": "Port.", "examples": ["1883"]}},
    "correlationIds": {"one": PLACE},
    "replyAddresses": {"one": PLACE},
    "externalDocs": {"one": DOCS},
    "tags": {"one": TAGS[0]},
    "servers": {"one": {**DOCUMENTED, "host": "localhost", "protocol": "mqtt", "tags": TAGS}},
    "channels": {"one": {**DOCUMENTED, "address": None, "messages": {"one": {"contentType": "text/plain"}}}},
    "operations": {
        "one": {
            **DOCUMENTED,
            **{"action": "send", "channel": {"$ref": "#/channels/command"}, "tags": [{"name": "core"}]},
            **{"bindings": {"mqtt": {"qos": 0}}, "reply": {"channel": {"$ref": "#/channels/status"}}},
        }
    },
    "replies": {"one": {"channel": {"$ref": "#/channels/status"}, "address": PLACE}},
    "operationTraits": {"one": {**DOCUMENTED, "tags": TAGS, "bindings": {"mqtt": {"retain": True}}}},
    "messageTraits": {"one": {**DOCUMENTED, "name": "one", "contentType": "text/plain", "correlationId": PLACE}},
    "serverBindings": {
        "one": {"mqtt": {"clientId": "a", "cleanSession": True, "keepAlive": 60, "lastWill": {"qos": 1, "topic": "t"}}}
    },
    "channelBindings": {"one": {"mqtt": {}}},
    "messageBindings": {"one": {"mqtt": {"contentType": "text/plain", "payloadFormatIndicator": 1}}},
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Give a document that is right and has all that AsyncAPI has and nothing here reads."""
    found: dict[str, Any] = loaded(LAMPS / "asyncapi.yaml")
    found["id"] = "urn:example:lamps"
    found["info"] |= {"termsOfService": "https://example.org", "tags": TAGS, "externalDocs": DOCS}
    found["info"]["contact"] = {"name": "We", "url": "https://example.org", "email": "we@example.org"}
    found["info"]["license"] = {"name": "MIT", "url": "https://example.org"}
    found["servers"]["local"] |= {**DOCUMENTED, "protocolVersion": "5", "pathname": "/", "tags": TAGS}
    found["servers"]["local"] |= {"security": [{"type": "userPassword"}], "bindings": {"mqtt": {"clientId": "a"}}}
    command = found["channels"]["command"]
    command |= {
        **DOCUMENTED,
        "description": command["description"],
        "tags": TAGS,
        "servers": [{"$ref": "#/servers/local"}],
        "bindings": {"mqtt": {}},
    }
    command["parameters"]["lamp"] |= {"examples": ["hall"], "location": "$message.payload#/lamp"}
    found["operations"]["coreSendsCommand"] |= {**DOCUMENTED, "security": [{"type": "plain"}]}
    example = {"name": "one", "summary": "One.", "headers": {"a": 1}, "payload": {"state": "ON"}}
    found["components"]["messages"]["Status"] |= {**DOCUMENTED, "tags": TAGS, "deprecated": True, "examples": [example]}
    found["components"] |= COMPONENTS
    return found


def refused(document: Any, root: Path) -> bool:
    (root / "asyncapi.yaml").write_text(json.dumps(document))
    try:
        read_specification(root)
    except SpecificationError:
        return True
    return False


def test_all_of_asyncapi_may_be_written(document: dict[str, Any], tmp_path: Path) -> None:
    assert not refused(document, edited(tmp_path))


def test_what_the_official_schema_refuses_is_refused(document: dict[str, Any], tmp_path: Path) -> None:
    root = edited(tmp_path)
    changed = [(how, one) for how, one in mutants(document, random.Random(3), 300) if not _is_of_users(how)]

    found = faults(json.loads(OFFICIAL.read_text()), [one for _, one in changed])

    missed = [
        (how, one[-1]) for (how, mutant), one in zip(changed, found, strict=True) if one and not refused(mutant, root)
    ]
    assert missed == []
    assert sum(map(bool, found)) > 100


def _is_of_users(how: str) -> bool:
    """Whether it is about keys of ours, or about schemas that nothing here is made of."""
    return how.startswith(("x-orbitalis", "components.schemas.Anything")) or "x-more" in how
