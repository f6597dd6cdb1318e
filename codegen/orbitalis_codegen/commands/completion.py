"""The command `completion`: a script for each shell, made from the words of the other commands."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Final

from orbitalis_codegen.commands.command import DONE, Command
from orbitalis_codegen.contract.languages import LANGUAGES
from orbitalis_codegen.output import FORMATS

__all__ = ["completion"]

_SHELLS: Final = ("bash", "fish", "zsh")
_TOP: Final = ("--root", "--format", "--help", "--version")
"""What may stand before a command."""
_VALUES: Final[Mapping[str, Sequence[str]]] = {"--format": FORMATS, "--language": tuple(LANGUAGES)}
"""What may stand behind an option."""

_BASH: Final = """\
_orbitalis_codegen() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD - 1]}}" command="" at=1
    while [ "$at" -lt "$COMP_CWORD" ]; do
        case "${{COMP_WORDS[at]}}" in {commands}) command="${{COMP_WORDS[at]}}" ;; esac
        at=$((at + 1))
    done
    case "$previous" in
        --root) COMPREPLY=($(compgen -d -- "$word")); return ;;
{values}
        --output|--against|--contract) COMPREPLY=(); return ;;
    esac
    case "$command" in
{cases}
        *) COMPREPLY=($(compgen -W "{top}" -- "$word")) ;;
    esac
}}
complete -o default -F _orbitalis_codegen orbitalis-codegen
"""
"""Where it offers nothing, the shell offers files. It keeps to what zsh understands as well."""
_ZSH: Final = """\
(( ${+functions[compdef]} )) || { autoload -U compinit && compinit; }
autoload -U +X bashcompinit && bashcompinit
"""
"""What zsh needs for completion as bash has it, also where its own is not switched on yet."""


def completion(others: Sequence[Command]) -> Command:
    """The command that completes the `others`, and itself."""
    words = {one.name: one.all_words for one in others}

    def run(options: argparse.Namespace) -> int:
        print(_script(options.shell, words | {command.name: command.all_words}), end="")
        return DONE

    command = Command(
        name="completion",
        summary="print a script that completes the command line",
        description="""\
Print a script that lets a shell complete the command line: eval "$(orbitalis-codegen completion bash)"
""",
        add_arguments=_add_arguments,
        run=run,
        words=lambda: _SHELLS,
    )
    return command


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=_SHELLS)


def _script(shell: str, commands: Mapping[str, Sequence[str]]) -> str:
    """The script for a shell; `commands` have the words that may follow each."""
    first = [*commands, *_TOP]
    if shell == "fish":
        names = " ".join(commands)
        # Without -f, fish offers files beside the words.
        lines = [f"complete -c orbitalis-codegen -n 'not __fish_seen_subcommand_from {names}' -f"]
        lines += [
            f"complete -c orbitalis-codegen -n 'not __fish_seen_subcommand_from {names}' -a '{word}'" for word in first
        ]
        lines += [
            f"complete -c orbitalis-codegen -n '__fish_seen_subcommand_from {name}' -a '{' '.join(words)}'"
            for name, words in commands.items()
        ]
        lines += ["complete -c orbitalis-codegen -l root -x -a '(__fish_complete_directories)'"]
        lines += [f"complete -c orbitalis-codegen -l {name[2:]} -x -a '{' '.join(of)}'" for name, of in _VALUES.items()]
        return "\n".join(lines) + "\n"
    cases = "\n".join(
        f'        {name}) COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word")) ;;'
        for name, words in commands.items()
    )
    values = "\n".join(
        f'        {name}) COMPREPLY=($(compgen -W "{" ".join(of)}" -- "$word")); return ;;'
        for name, of in _VALUES.items()
    )
    bash = _BASH.format(commands="|".join(commands), cases=cases, values=values, top=" ".join(first))
    return bash if shell == "bash" else f"{_ZSH}{bash}"
