"""From a model to the files that it gives, one folder a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orbitalis_codegen.emit.header import with_header

if TYPE_CHECKING:
    from orbitalis_codegen.model import Model

__all__ = ["emit"]


def emit(model: Model) -> dict[str, bytes]:
    """Emit every file that a model gives, by its path relative to the root."""
    # Importing them takes long, and who imports a module of this package may not need them.
    from orbitalis_codegen.emit.mosquitto import access
    from orbitalis_codegen.emit.parts import digest_of_part, part_of
    from orbitalis_codegen.emit.python import package
    from orbitalis_codegen.emit.typescript import package as typescript
    from orbitalis_codegen.model import ROLES

    files: dict[str, bytes] = {}
    for name, (needs, emitter) in package.MODULES.items():
        part = part_of(model, needs)
        files[f"{package.FOLDER}/{name}"] = with_header(emitter(part), digest_of_part(part))
    for name, (needs, emitter) in typescript.MODULES.items():
        part = part_of(model, needs)
        files[f"{typescript.FOLDER}/{name}"] = with_header(emitter(part), digest_of_part(part), comment="//")
    for role in ROLES:
        part = access.part_of_role(part_of(model, access.NEEDS), role)
        files[f"{access.FOLDER}/{role}.acl"] = with_header(access.emit_list(part, role), digest_of_part(part))
    # A marker for type checkers (PEP 561); it has no content.
    return {**files, f"{package.FOLDER}/py.typed": b""}
