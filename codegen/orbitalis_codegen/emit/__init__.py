"""From a model to the files that it gives, one folder a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orbitalis_codegen.emit.header import digest_of_inputs, with_header

if TYPE_CHECKING:
    from orbitalis_codegen.model import Model

__all__ = ["emit"]


def emit(model: Model) -> dict[str, bytes]:
    """Emit every file that a model gives, by its path relative to the root."""
    # Importing them takes long, and who imports a module of this package may not need them.
    from orbitalis_codegen.emit.mosquitto import access
    from orbitalis_codegen.emit.python import package

    digest = digest_of_inputs(model.inputs)
    targets = {package.FOLDER: package.emit_python(model), access.FOLDER: access.emit_mosquitto(model)}
    files = {
        f"{folder}/{name}": with_header(body, digest)
        for folder, bodies in targets.items()
        for name, body in bodies.items()
    }
    # A marker for type checkers (PEP 561); it has no content.
    return {**files, f"{package.FOLDER}/py.typed": b""}
