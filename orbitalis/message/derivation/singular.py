"""English singulars: arrays, maps and fixed types in derived schemas are named after their field, in the singular."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["singular"]

# Schemas have to stay as dataclasses-avroschema has made them, which names these types by the library inflection. These
# are its rules, which it has from Rails: copyright (c) 2012-2020 Janne Vanhala, MIT license.
_UNCOUNTABLE: Final = (
    "equipment",
    "fish",
    "information",
    "jeans",
    "money",
    "rice",
    "series",
    "sheep",
    "species",
)
_RULES: Final = (
    (r"(?i)(z)ombies$", r"\1ombie"),
    (r"k[iI][nN][eE]$", r"cow"),
    (r"K[iI][nN][eE]$", r"Cow"),
    (r"(?i)(m)oves$", r"\1ove"),
    (r"(?i)(s)exes$", r"\1ex"),
    (r"(?i)(c)hildren$", r"\1hild"),
    (r"(?i)(h)umans$", r"\1uman"),
    (r"(?i)(m)en$", r"\1an"),
    (r"(?i)(p)eople$", r"\1erson"),
    (r"(?i)(database)s$", r"\1"),
    (r"(?i)(quiz)zes$", r"\1"),
    (r"(?i)(matr)ices$", r"\1ix"),
    (r"(?i)(vert|ind)ices$", r"\1ex"),
    (r"(?i)(passer)sby$", r"\1by"),
    (r"(?i)^(ox)en", r"\1"),
    (r"(?i)(alias|status)(es)?$", r"\1"),
    (r"(?i)(octop|vir)(us|i)$", r"\1us"),
    (r"(?i)^(a)x[ie]s$", r"\1xis"),
    (r"(?i)(cris|test)(is|es)$", r"\1is"),
    (r"(?i)(shoe)s$", r"\1"),
    (r"(?i)(o)es$", r"\1"),
    (r"(?i)(bus)(es)?$", r"\1"),
    (r"(?i)(m|l)ice$", r"\1ouse"),
    (r"(?i)(x|ch|ss|sh)es$", r"\1"),
    (r"(?i)(m)ovies$", r"\1ovie"),
    (r"(?i)(s)eries$", r"\1eries"),
    (r"(?i)([^aeiouy]|qu)ies$", r"\1y"),
    (r"(?i)([lr])ves$", r"\1f"),
    (r"(?i)(tive)s$", r"\1"),
    (r"(?i)(hive)s$", r"\1"),
    (r"(?i)([^f])ves$", r"\1fe"),
    (r"(?i)(t)he(sis|ses)$", r"\1hesis"),
    (r"(?i)(s)ynop(sis|ses)$", r"\1ynopsis"),
    (r"(?i)(p)rogno(sis|ses)$", r"\1rognosis"),
    (r"(?i)(p)arenthe(sis|ses)$", r"\1arenthesis"),
    (r"(?i)(d)iagno(sis|ses)$", r"\1iagnosis"),
    (r"(?i)(b)a(sis|ses)$", r"\1asis"),
    (r"(?i)(a)naly(sis|ses)$", r"\1nalysis"),
    (r"(?i)([ti])a$", r"\1um"),
    (r"(?i)(n)ews$", r"\1ews"),
    (r"(?i)(ss)$", r"\1"),
    (r"(?i)s$", r""),
)
"""Patterns and replacements, of which the first that is found counts."""


@lru_cache(maxsize=1024)
def singular(word: str) -> str:
    """Return the singular of a word, as in `lamp` for `lamps`, or the word itself."""
    if any(re.search(rf"(?i)\b{one}\Z", word) for one in _UNCOUNTABLE):
        return word
    for pattern, replacement in _RULES:
        if re.search(pattern, word):
            return re.sub(pattern, replacement, word)
    return word
