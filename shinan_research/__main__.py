"""The commands: `python -m shinan_research reproduce`, and the others that `help` lists."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import workplace
from .errors import ShinanError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 after an error that was explained, or 3 when strictness found a difference."""
    parser = _parser()
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    if options.command in (None, "help"):
        parser.print_help()
        return 0
    try:
        return int(COMMANDS[options.command][1](options) or 0)
    except ShinanError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shinan_research", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    added = {name: commands.add_parser(name, help=words) for name, (words, _) in COMMANDS.items()}
    commands.add_parser("help", help="list the commands")
    for name in ("reproduce", "verify", "lab"):
        added[name].add_argument("folder", nargs="?", default=".", type=Path, help="a study; by default the one you are in")
    added["reproduce"].add_argument("--strict", action="store_true", help="end with an error when a figure is not identical")
    added["lab"].add_argument("--no-browser", action="store_true", help="only print the address")
    added["collate"].add_argument("file", type=Path, help="the report to be checked")
    added["collate"].add_argument("other", type=Path, help="another copy, or quotations from it, one a line")
    added["collate"].add_argument("--year", type=int, help="year of the report, where the file is a page with several")
    return parser


def _say(words: str) -> None:
    print(words, flush=True)


def _install(options: argparse.Namespace) -> None:
    workplace.install(say=_say)


def _reproduce(options: argparse.Namespace) -> int:
    from .build import reproduce

    started = time.monotonic()
    table = reproduce(options.folder.resolve(), say=_say)
    _print_statuses(table)
    pages = options.folder / "build" / "html" / "index.html"
    _say(f"{time.monotonic() - started:.1f} s. Pages: {pages}")
    return 3 if options.strict and (table["status"] != "identical").any() else 0


def _print_statuses(table: Any) -> None:
    for row in table.to_dict("records"):
        _say(f"  {row['name']:<24} {row['status']:<18} {row['what']}")


def _verify(options: argparse.Namespace) -> int:
    from .build import check

    table = check(options.folder.resolve(), say=_say)
    _print_statuses(table)
    return 0 if table["status"].isin(["identical", "within tolerance"]).all() else 3


def _lab(options: argparse.Namespace) -> None:
    from .build import working_copy

    workplace.lab(working_copy(options.folder.resolve()), browser=not options.no_browser)


def _collate(options: argparse.Namespace) -> None:
    from .collate import collate
    from .errors import ReadError
    from .files import read_text
    from .reports import read_page, read_report

    try:
        reports = read_page(options.file)
    except ReadError:
        reports = [read_report(options.file)]
    chosen = [report for report in reports if options.year in (None, report.year)]
    if len(chosen) != 1:
        years = ", ".join(str(report.year) for report in reports)
        raise ShinanError(f"{options.file.name} holds reports of {years}. Name one with --year.")
    table = collate(chosen[0], read_text(options.other))
    for row in table.to_dict("records"):
        rest = row["right"][len(row["here"]) :]
        _say(f"{row['offset']:>7}  {row['kind']:<12} …{row['left']}[{row['here']}|{row['there']}]{rest}…")
    _say(f"{len(table)} differences over {table.attrs['compared']} Han characters compared.")


def _do(options: argparse.Namespace) -> None:
    workplace.do(options.command)


COMMANDS = {
    "install": ("build .venv from the lock and register the kernel", _install),
    "reproduce": ("rebuild what has changed: notebooks, figures, pages", _reproduce),
    "lab": ("JupyterLab on a working copy", _lab),
    "verify": ("rebuild in a temporary folder and compare", _verify),
    "collate": ("compare a report with another copy", _collate),
    "test": ("unit tests, doctests, architecture", _do),
    "check": ("lint, types, browser tests, coverage", _do),
}

if __name__ == "__main__":
    sys.exit(main())
