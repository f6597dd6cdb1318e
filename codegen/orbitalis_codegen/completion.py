"""Completion of the command line: a script for each shell, made from the commands and their options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["SHELLS", "script"]

SHELLS: Final = ("bash", "fish", "zsh")

_BASH: Final = """\
_orbitalis_codegen() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD - 1]}}" command="" one
    for one in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$one" in {commands}) command="$one" ;; esac
    done
    case "$previous" in
        --root) COMPREPLY=($(compgen -d -- "$word")); return ;;
        --format) COMPREPLY=($(compgen -W "text json github" -- "$word")); return ;;
    esac
    case "$command" in
{cases}
        *) COMPREPLY=($(compgen -W "{top}" -- "$word")) ;;
    esac
}}
complete -F _orbitalis_codegen orbitalis-codegen
"""


def script(shell: str, commands: Mapping[str, Sequence[str]], top: Sequence[str]) -> str:
    """The script for a shell; `commands` have the words that may follow each, `top` what may stand before them."""
    first = [*commands, *top]
    if shell == "fish":
        names = " ".join(commands)
        lines = ["complete -c orbitalis-codegen -f"]
        lines += [
            f"complete -c orbitalis-codegen -n 'not __fish_seen_subcommand_from {names}' -a '{word}'" for word in first
        ]
        lines += [
            f"complete -c orbitalis-codegen -n '__fish_seen_subcommand_from {name}' -a '{' '.join(words)}'"
            for name, words in commands.items()
        ]
        return "\n".join(lines) + "\n"
    cases = "\n".join(
        f'        {name}) COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word")) ;;'
        for name, words in commands.items()
    )
    bash = _BASH.format(commands="|".join(commands), cases=cases, top=" ".join(first))
    return bash if shell == "bash" else f"autoload -U +X bashcompinit && bashcompinit\n{bash}"
