"""Completion of the command line: a script for each shell, made from the commands and their options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["SHELLS", "script"]

SHELLS: Final = ("bash", "fish", "zsh")

_BASH: Final = """\
_orbitalis() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" command="" at=1
    while [ "$at" -lt "$COMP_CWORD" ]; do
        case "${{COMP_WORDS[at]}}" in {commands}) command="${{COMP_WORDS[at]}}"; break ;; esac
        at=$((at + 1))
    done
    case "$command" in
{cases}
        *) COMPREPLY=($(compgen -W "{top}" -- "$word")) ;;
    esac
}}
complete -F _orbitalis orbitalis
"""
"""It keeps to what zsh understands as well."""
_ZSH: Final = """\
(( ${+functions[compdef]} )) || { autoload -U compinit && compinit; }
autoload -U +X bashcompinit && bashcompinit
"""
"""What zsh needs for completion as bash has it, also where its own is not switched on yet."""


def script(shell: str, commands: Mapping[str, Sequence[str]], top: Sequence[str]) -> str:
    """Return the script for a shell; `commands` have the words that may follow each, `top` what may stand before."""
    first = [*commands, *top]
    if shell == "fish":
        names = " ".join(commands)
        lines = ["complete -c orbitalis -f"]
        lines += [f"complete -c orbitalis -n 'not __fish_seen_subcommand_from {names}' -a '{word}'" for word in first]
        lines += [
            f"complete -c orbitalis -n '__fish_seen_subcommand_from {name}' -a '{' '.join(words)}'"
            for name, words in commands.items()
        ]
        return "\n".join(lines) + "\n"
    cases = "\n".join(
        f'        {name}) COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word")) ;;'
        for name, words in commands.items()
    )
    bash = _BASH.format(commands="|".join(commands), cases=cases, top=" ".join(first))
    return bash if shell == "bash" else f"{_ZSH}{bash}"
