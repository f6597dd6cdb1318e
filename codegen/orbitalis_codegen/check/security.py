"""Security schemes: nothing here reads them, and each type has its own keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orbitalis_codegen.check.kinds import TEXT, URI, Check, by_type, choice, list_of, map_of, shaped
from orbitalis_codegen.check.shape import Shape

__all__ = ["SECURITY"]

_NAME: Final = "security scheme"


def _scheme(required: Mapping[str, Check] | None = None, optional: Mapping[str, Check] | None = None) -> Check:
    kinds = {"description": TEXT, **(required or {}), **(optional or {})}
    shape = Shape(name=_NAME, required=("type", *(required or ())), optional=("description", *(optional or ())))
    return shaped(shape, kinds)


def _flow(*required: str) -> Check:
    return shaped(
        Shape(name="flow", required=(*required, "availableScopes"), optional=("refreshUrl",)),
        {**dict.fromkeys(("refreshUrl", *required), URI), "availableScopes": map_of(TEXT)},
    )


_FLOWS: Final[Mapping[str, Check]] = {
    "implicit": _flow("authorizationUrl"),
    "password": _flow("tokenUrl"),
    "clientCredentials": _flow("tokenUrl"),
    "authorizationCode": _flow("authorizationUrl", "tokenUrl"),
}

SECURITY: Final = by_type(
    _NAME,
    {
        **dict.fromkeys(
            (
                *("userPassword", "X509", "symmetricEncryption", "asymmetricEncryption"),
                *("plain", "scramSha256", "scramSha512", "gssapi"),
            ),
            _scheme(),
        ),
        "apiKey": _scheme({"in": choice("user", "password")}),
        "httpApiKey": _scheme({"name": TEXT, "in": choice("header", "query", "cookie")}),
        "http": _scheme({"scheme": TEXT}, {"bearerFormat": TEXT}),
        "oauth2": _scheme(
            {"flows": shaped(Shape(name="flows", optional=tuple(_FLOWS)), _FLOWS)}, {"scopes": list_of(TEXT)}
        ),
        "openIdConnect": _scheme({"openIdConnectUrl": URI}, {"scopes": list_of(TEXT)}),
    },
)
"""A security scheme, or a reference to one."""
