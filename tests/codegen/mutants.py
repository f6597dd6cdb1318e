"""Documents that are changed at random, and what JSON Schemas find wrong with documents."""

from __future__ import annotations

import copy
import json
import random
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from orbitalis_codegen.diagnostic import Report
from orbitalis_codegen.read.node import plain
from orbitalis_codegen.read.yaml_text import read_yaml
from tests.support.repository import ROOT

__all__ = ["faults", "loaded", "mutants"]

VALIDATE = """
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { readFileSync } from 'node:fs';
const { schema, documents } = JSON.parse(readFileSync(0, 'utf8'));
// It brings its own copy of what ajv knows.
delete schema.definitions?.['http://json-schema.org/draft-07/schema'];
const ajv = new Ajv({ allErrors: true, strict: false, unicodeRegExp: false });
addFormats(ajv);
const validate = ajv.compile(schema);
const said = ({ instancePath, message }) => `${instancePath} ${message}`;
const found = (document) => (validate(document) ? [] : validate.errors.map(said));
console.log(JSON.stringify(documents.map(found)));
"""


def faults(schema: Mapping[str, Any], documents: Sequence[object]) -> list[list[str]]:
    """Give what a JSON Schema finds wrong with each of the documents."""
    given = json.dumps({"schema": schema, "documents": documents})
    command = ["node", "--input-type=module", "--eval", VALIDATE]
    done = subprocess.run(command, cwd=ROOT / "tools", input=given, check=True, capture_output=True, text=True)
    found: list[list[str]] = json.loads(done.stdout)
    return found


def loaded(path: Path) -> Any:
    """Give what a file holds, as YAML 1.2 has it."""
    tree = read_yaml(path.read_text(encoding="utf-8"), path.name, Report())
    assert tree is not None
    return plain(tree)


def mutants(document: Any, chance: random.Random, count: int) -> Iterator[tuple[str, Any]]:
    """Give copies of a document in each of which one thing is changed, with a word on what that is."""
    # Who has a chart decides what its transitions may say, which JSON Schema cannot.
    places = [place for place in places_of(document, ()) if place[-2:-1] != ("roles",)]
    for _ in range(count):
        *path, last = chance.choice(places)
        mutant = copy.deepcopy(document)
        holder = mutant
        for key in path:
            holder = holder[key]
        match chance.choice(["remove", "rename", "replace", "replace", "add"]):
            case "remove":
                del holder[last]
                how = "removed"
            case "rename" if isinstance(holder, dict) and not last.startswith("x-"):
                new = f"{last}{chance.choice(['s', 'x', '-', ' '])}"
                holder[new] = holder.pop(last)
                how = f"renamed {new!r}"
            case "add" if isinstance(holder, dict):
                new = chance.choice(["x-more", "more", "description", "tags", "title", "$ref"])
                holder.setdefault(new, chance.choice(["text", 1, [], {}]))
                how = f"beside it {new!r}: {holder[new]!r}"
            case _:
                holder[last] = chance.choice([None, True, 1, 1.5, -1, "text", "", [], {}, ["text"], {"key": 1}])
                how = f"now {holder[last]!r}"
        yield f"{'.'.join(map(str, (*path, last)))} {how}", mutant


def places_of(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    match value:
        case dict():
            for key, member in value.items():
                yield (*path, key)
                yield from places_of(member, (*path, key))
        case list():
            for index, member in enumerate(value):
                yield (*path, index)
                yield from places_of(member, (*path, index))
        case _:
            pass
