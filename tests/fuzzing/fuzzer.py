"""One target under atheris, in a process of its own: `python -m tests.fuzzing.fuzzer TARGET FOLDER SECONDS`."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

INSTRUMENTED = ["orbitalis", "orbitalis_codegen", "orbitalis_wire", "json", "urllib"]

with atheris.instrument_imports(include=INSTRUMENTED):
    from tests.fuzzing.bombs import BOMBS
    from tests.fuzzing.mutations import TROUBLE
    from tests.fuzzing.regressions import REGRESSIONS
    from tests.fuzzing.target import Target
    from tests.fuzzing.targets import TARGETS

__all__ = ["main"]

_MOST_MEMORY = 2048
"""Megabytes of the process, with the fuzzer's own tables."""


def main(name: str, folder: Path, seconds: int) -> None:
    """Fuzz until something is wrong or the time is over; never returns."""
    target = TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    inputs = [*target.seeds(), *(bomb for bomb in BOMBS.values() if len(bomb) <= target.largest)]
    for number, seed in enumerate([*inputs, *(data for other, data in REGRESSIONS if other == name)]):
        (corpus / f"seed-{number}").write_bytes(seed)
    dictionary = folder / "dictionary"
    dictionary.write_text("".join(f'"{_quoted(token)}"\n' for token in _tokens(target)))
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-max_len={target.largest}",
            f"-timeout={max(1, round(10 * target.seconds))}",
            f"-rss_limit_mb={_MOST_MEMORY}",
            f"-artifact_prefix={folder}/",
            f"-dict={dictionary}",
            "-print_final_stats=1",
            "-verbosity=0",
            str(corpus),
        ],
        target.run,
    )
    atheris.Fuzz()


def _tokens(target: Target) -> list[bytes]:
    return sorted({token for token in (*target.tokens, *TROUBLE) if 0 < len(token) <= 64})


def _quoted(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
