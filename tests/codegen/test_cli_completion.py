"""Completion of the command line: what the scripts of the shells offer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.support.repository import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "codegen"), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-m", "orbitalis_codegen", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_completion_offers_commands_options_and_codes() -> None:
    bash = run("completion", "bash").stdout
    script = f'{bash}\nCOMP_WORDS=(orbitalis-codegen "$@"); COMP_CWORD=$#; _orbitalis_codegen; echo ${{COMPREPLY[*]}}'

    def completed(*words: str) -> str:
        return subprocess.run(
            ["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    assert completed("ge") == "generate"
    assert completed("check", "--d") == "--diff"
    assert completed("--root", ".", "rules", "ORB20") == " ".join(f"ORB20{digit}" for digit in range(1, 10))
    assert completed("check", "--format", "g") == "github"
    assert completed("contract", "lamps.yaml", "--language", "t") == "typescript"
    # The shell offers files then.
    assert completed("contract", "con") == completed("contract", "--output", "") == ""
    assert "complete -o default -F" in bash
    fish = run("completion", "fish").stdout
    assert "complete -c orbitalis-codegen -l format -x -a 'text json github'" in fish


@pytest.mark.parametrize("module", ["orbitalis_codegen", "orbitalis.cli"])
def test_zsh_completes_as_bash_does(module: str) -> None:
    script = subprocess.run(
        [sys.executable, "-m", module, "completion", "zsh"], capture_output=True, text=True, check=True
    ).stdout

    # In zsh, a slice whose length begins with a letter is an unknown modifier.
    assert re.findall(r"\$\{\w+\[@\]:", script) == []
    if (zsh := shutil.which("zsh")) is None:
        return
    name = module.split(".", maxsplit=1)[0]
    # Of all that is offered, zsh itself takes what begins as the word does.
    words = "COMP_WORDS=(program comp); COMP_CWORD=1"
    program = f"{script}\nsetopt ksharrays shwordsplit; {words}; _{name}; echo ${{COMPREPLY[@]}}"
    done = subprocess.run([zsh, "-f", "-c", program], capture_output=True, text=True, check=False)
    assert "completion" in done.stdout.split()
    assert done.stderr == ""


def test_completion_knows_what_the_help_says() -> None:
    fish = run("completion", "fish").stdout
    completed = dict(re.findall(r"'__fish_seen_subcommand_from (\S+)' -a '(.*)'", fish))

    assert sorted(completed) == sorted(re.findall(r"^    (\w+) ", run("--help").stdout, flags=re.MULTILINE))
    for command, words in completed.items():
        options = re.findall(r"^  (?:-h, )?(--\w+)", run(command, "--help").stdout, flags=re.MULTILINE)
        assert {word for word in words.split() if word.startswith("-")} == set(options), command
