"""Contracts as TypeScript packages: messages, a plugin to derive from, a client for cores, and a fake for tests."""

from __future__ import annotations

from orbitalis_codegen.emit.contract_typescript.package import emit_contract

__all__ = ["emit_contract"]
