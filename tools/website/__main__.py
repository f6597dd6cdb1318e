"""Builds the documentation site, or shows it while its pages are edited.

python -m tools.website build    makes build/site; --folder DIR makes DIR/site
python -m tools.website serve    shows it, and renews it after each edit in docs/
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.website.site import build, serve
from tools.website.stage import PageError

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Build or show the site, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.website", description="Build the documentation site.")
    commands = parser.add_subparsers(dest="command", required=True)
    built = commands.add_parser("build", help="make the site")
    shown = commands.add_parser("serve", help="show the site, and renew it after each edit in docs/")
    shown.add_argument("--address", default="localhost:8000", help="where it is shown (default: %(default)s)")
    for command in (built, shown):
        command.add_argument(
            "--folder", type=Path, default=ROOT / "build", help="where what is made stands (default: build)"
        )
    given = parser.parse_args(arguments)
    try:
        if given.command == "build":
            return build(ROOT, given.folder)
        return serve(ROOT, given.folder, given.address)
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
