"""The command `completion`: a script for each shell, made from the words of the other commands."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Final

from orbitalis_codegen.commands.command import DONE, Command

__all__ = ["completion"]

_SHELLS: Final = ("bash", "fish", "zsh")
_TOP: Final = ("--root", "--format", "--help", "--version")
"""What may stand before a command."""

_BASH: Final = """\
_orbitalis_codegen() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD - 1]}}" command="" one
    for one in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$one" in {commands}) command="$one" ;; esac
    done
    case "$previous" in
        --root) COMPREPLY=($(compgen -d -- "$word")); return ;;
        --format) COMPREPLY=($(compgen -W "text json github" -- "$word")); return ;;
        --output) COMPREPLY=(); return ;;
    esac
    case "$command" in
{cases}
        *) COMPREPLY=($(compgen -W "{top}" -- "$word")) ;;
    esac
}}
complete -o default -F _orbitalis_codegen orbitalis-codegen
"""
"""Where it offers nothing, the shell offers files."""


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
        return "\n".join(lines) + "\n"
    cases = "\n".join(
        f'        {name}) COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word")) ;;'
        for name, words in commands.items()
    )
    bash = _BASH.format(commands="|".join(commands), cases=cases, top=" ".join(first))
    return bash if shell == "bash" else f"autoload -U +X bashcompinit && bashcompinit\n{bash}"
