"""The commands: `python -m shinan_research reproduce`, and the others that `help` lists."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import workplace
from .errors import ShinanError, StudyError
from .surroundings import ENVIRONMENT

HERE = Path()
OF_A_STUDY = ("reproduce", "verify", "lab", "archive", "tei", "senses")
NOT_INSTALLED = (
    "{name} is not installed for this Python. Install with `make install` or `python3 -m shinan_research install`, and run the "
    "command with the Python of .venv: .venv/bin/python -m shinan_research (Windows: .venv\\Scripts\\python)."
)


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
        if options.command in OF_A_STUDY:
            _check_named(options.folder)
        return int(COMMANDS[options.command][1](options) or 0)
    except ShinanError as error:
        from .messages import in_chinese

        print("", *filter(None, (in_chinese(error), error)), sep="\n", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if str(error.name).startswith(str(__package__)):
            raise
        print(f"\n此Python里没有安装{error.name}。\n{NOT_INSTALLED.format(name=error.name)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n已停止。Stopped; what stood there stays.", file=sys.stderr)
        return 130


def _check_named(folder: Path) -> None:
    """Refuse a folder that was named and is no study; where none was named, the one around the working directory is meant.

    Raises
    ------
    StudyError
        If the folder has no `data/study.toml`.
    """
    if folder != HERE and not (folder / "data" / "study.toml").is_file():
        raise StudyError(f"{folder} is no study: there is no data/study.toml in it. Name one, or make one with new.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shinan_research", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    added = {name: commands.add_parser(name, help=words) for name, (words, _) in COMMANDS.items()}
    commands.add_parser("help", help="list the commands")
    added["senses"].add_argument("term", help="a term declared in data/study.toml")
    for name in OF_A_STUDY:
        added[name].add_argument("folder", nargs="?", default=HERE, type=Path, help="a study; by default the one you are in")
    added["reproduce"].add_argument("--strict", action="store_true", help="end with an error when a figure is not identical")
    added["archive"].add_argument("--output", type=Path, help="the zip, or a folder for it; by default dist/ of the study")
    added["tei"].add_argument("--output", type=Path, help="the file; by default build/restored.tei.xml of the study")
    added["lab"].add_argument("--no-browser", action="store_true", help="only print the address")
    added["lab"].add_argument("--notebook", default="", help="the notebook to open, as in my-reports")
    added["audit"].add_argument("files", nargs="+", type=Path, help="reports, folders of reports, or pages that hold several")
    added["propose"].add_argument("file", type=Path, help="the damaged report")
    added["propose"].add_argument("--character", required=True, help="the character to put back")
    added["propose"].add_argument("--sister", type=Path, action="append", default=[], help="a sound report of the same place")
    added["propose"].add_argument("--output", type=Path, help="write the proposals as rows for data/emendations")
    for name in ("propose", "collate"):
        added[name].add_argument("--year", type=int, help="year of the report, where the file is a page with several")
    added["review"].add_argument("file", type=Path, help="a file of judgements, such as data/emendations/<report>.csv")
    added["review"].add_argument("--editor", required=True, help="the name of the person who decides")
    added["collate"].add_argument("file", type=Path, help="the report to be checked")
    added["collate"].add_argument("other", type=Path, help="another copy, or quotations from it, one a line")
    added["collate"].add_argument("--apparatus", type=Path, help="an apparatus (<report id>.csv) to confirm, refute and complete")
    added["collate"].add_argument("--source", help="how the apparatus cites the other copy")
    count, new = added["count"], added["new"]
    count.add_argument("folder", type=Path, help="a folder or file of reports")
    for name in ("--before", "--after"):
        count.add_argument(name, type=int, required=True, help="a year of delivery")
    count.add_argument("--scope", default="body", help="body, review, plan or annex")
    count.add_argument("--output", type=Path, default=Path("shift.csv"), help="the table; by default shift.csv")
    count.add_argument("--cache", type=Path, help="a folder for the counts of each report, so that a rerun counts what changed")
    count.add_argument("--workers", type=int, default=1, help="processes of this machine")
    count.add_argument("--cluster", default="", help="a Dask scheduler, as in tcp://scheduler:8786")
    new.add_argument("folder", type=Path, help="the study to be made")
    new.add_argument("--reports", type=Path, required=True, help="a folder or file of reports")
    for name in ("--before", "--after", "--title", "--place"):
        new.add_argument(name)
    new.add_argument("--terms", nargs="*", default=[], help="terms to compare")
    return parser


def _say(words: str) -> None:
    print(words, flush=True)


def _install(options: argparse.Namespace) -> None:
    workplace.install(say=_say)


def _reproduce(options: argparse.Namespace) -> int:
    from .settled import settle, settled

    started, root = time.monotonic(), options.folder.resolve()
    pages = options.folder / "build" / "html" / "index.html"
    names = settled(root)
    if names is not None:
        for name in names:
            _say(f"  {name:<24} identical")
        _say(f"Nothing has changed. {time.monotonic() - started:.1f} s. Pages: {pages}")
        return 0
    from .build import reproduce

    table = reproduce(root, say=_say)
    _print_statuses(table)
    if table["status"].isin(["identical", "new", "different"]).all():
        settle(root, table["name"].tolist())
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


def _archive(options: argparse.Namespace) -> None:
    from .archive import archive

    root = options.folder.resolve()
    path = archive(root, options.output or root / "dist")
    _say(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")


def _tei(options: argparse.Namespace) -> None:
    from .files import write_atomically
    from .restore import restore
    from .study import open_study
    from .tei import to_tei

    study = open_study(options.folder)
    reports = restore(study.reports(), study.emendations)
    path = options.output or options.folder / "build" / "restored.tei.xml"
    write_atomically(path, to_tei(reports))
    _say(f"{path}: {len(reports)} reports, {sum(len(report.emendations) for report in reports)} emendations")


def _lab(options: argparse.Namespace) -> None:
    from .build import working_copy

    workplace.lab(working_copy(options.folder.resolve()), notebook=options.notebook, browser=not options.no_browser)


def _read(path: Path) -> list[Any]:
    """Return the reports of a file or folder: a page with several, or what `read_folder` reads; say what is left out."""
    from .errors import ReadError
    from .messages import say_refused
    from .reports import read_folder, read_page

    if path.suffix.lower() == ".txt" and path.is_file():
        with suppress(ReadError):
            return list(read_page(path))
    refused: list[ReadError] = []
    found = read_folder(path, refused=refused.append)
    if refused and not found:
        raise refused[0]
    for error in refused:
        say_refused(_say, error)
    return found


def _one(path: Path, year: int | None) -> Any:
    """Return the one report of a file, or that of a year."""
    reports = _read(path)
    chosen = [report for report in reports if year in (None, report.year)]
    if len(chosen) != 1:
        years = ", ".join(str(report.year) for report in reports)
        raise ShinanError(f"{path.name} holds reports of {years}. Name one with --year.")
    return chosen[0]


def _audit(options: argparse.Namespace) -> None:
    from .audit import audit

    table = audit([report for path in options.files for report in _read(path)])
    for row in table[table["verdict"] != "naturally absent"].to_dict("records"):
        _say(f"{row['report']}  {row['defect']}: {row['verdict']} ({row['where']})\n    {row['evidence']}")
    absent = int((table["verdict"] == "naturally absent").sum())
    _say(f"{len(table) - absent} findings; {absent} more characters are absent and naturally so.")


def _propose(options: argparse.Namespace) -> None:
    from .files import write_atomically
    from .propose import propose
    from .restore import proposal_rows

    report = _one(options.file, options.year)
    sisters = [sister for path in options.sister for sister in _read(path)]
    table = propose(report, options.character, sisters=sisters)
    for row in table.to_dict("records"):
        _say(f"{row['offset']:>7}  {row['tier']:<16} …{row['left']}〔{row['char']}〕{row['right']}…  {row['evidence']}")
    _say(f"{len(table)} proposals; nothing is applied until a row is accepted.")
    if options.output:
        write_atomically(options.output, proposal_rows(table))


def _senses(options: argparse.Namespace) -> None:
    from .context import SHEET_COLUMNS, kwic, sense_sheet
    from .files import format_rows, read_rows, write_atomically
    from .outline import outline
    from .restore import restore
    from .study import open_study

    study = open_study(options.folder.resolve())
    rows = study.terms[(study.terms["term"] == options.term) & (study.terms["role"] != "wide")]
    if rows.empty:
        declared = ", ".join(dict.fromkeys(study.terms["term"]))
        raise StudyError(f"{options.term!r} is no declared term. Declared in data/study.toml: {declared or 'none'}.")
    reports = restore(study.reports(), study.emendations)
    sheet = sense_sheet(kwic(outline(reports, headings=study.headings), rows, width=8), reports)
    path = study.data / "senses" / f"{options.term}.csv"
    earlier = read_rows(path, SHEET_COLUMNS) if path.exists() else []
    coded = {(row["report"], row["offset"]): row for row in earlier if row["sense"] or row["decided_by"]}
    kept = [coded.get((row["report"], str(row["offset"])), row) for row in sheet.to_dict("records")]
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, format_rows(kept, tuple(dict.fromkeys([*SHEET_COLUMNS, *(earlier[0] if earlier else ())])), mark=True))
    _say(f"{path}: {len(kept)} occurrences, {sum(not row['sense'] for row in kept)} to be coded (columns sense, decided_by).")


def _review(options: argparse.Namespace) -> None:
    from .review import review

    review(options.file, options.editor, ask=_ask, say=_say)


def _ask(words: str) -> str:
    """Ask on the terminal; the end of the input means: stop."""
    try:
        return input(words)
    except EOFError:
        return "q"


def _collate(options: argparse.Namespace) -> None:
    from .collate import collate
    from .files import read_text

    table = collate(_one(options.file, options.year), read_text(options.other))
    for row in table.to_dict("records"):
        rest = row["right"][len(row["here"]) :]
        _say(f"{row['offset']:>7}  {row['kind']:<12} …{row['left']}[{row['here']}|{row['there']}]{rest}…")
    _say(f"{len(table)} differences over {table.attrs['compared']} Han characters compared.")
    if options.apparatus:
        _attest(table, options.apparatus, options.source or options.other.name)


def _attest(differences: Any, path: Path, source: str) -> None:
    """Let the other copy decide on the rows of an apparatus, and write it."""
    from .collate import attest
    from .files import format_rows, write_atomically
    from .restore import COLUMNS, read_emendations

    emendations = read_emendations(path.parent)
    mine = emendations[emendations["report"] == path.stem]
    table = attest(differences, mine, source=source)
    write_atomically(path, format_rows(table.to_dict("records"), COLUMNS, mark=True))
    found = table.attrs
    shares = [f"{name} {found[name]:.2f}" for name in ("precision", "recall") if found[name] == found[name]]
    counts = f"{found['confirmed']} conjectures confirmed, {found['refuted']} refuted, {found['added']} losses added"
    _say(f"{counts}{'; ' if shares else ''}{', '.join(shares)}. Written: {path.name}")


def _new(options: argparse.Namespace) -> None:
    from .messages import say_both
    from .new import new_study

    choices = {name: getattr(options, name) for name in ("reports", "before", "after", "terms", "title", "place")}
    made = new_study(options.folder, say=_say, **choices)
    say_both(_say, "new.done", path=made, python=_python())


def _python() -> str:
    """Return how this Python is called from here."""
    try:
        return str(Path(sys.executable).relative_to(Path.cwd()))
    except ValueError:
        return sys.executable


def _count(options: argparse.Namespace) -> None:
    """Count every report as it stands, and compare two years with the report as the unit."""
    from functools import partial

    from .files import format_rows, write_atomically
    from .messages import say_both, say_refused
    from .reports import each_report
    from .scale import map_reports, open_executor
    from .shifts import compare
    from .tallies import stack, tally

    say_both(_say, "counting.attention")
    passed: list[str] = []
    reports = each_report(options.folder, refused=lambda error: passed.append(str(error)))
    with open_executor(workers=options.workers, cluster=options.cluster) as executor:
        tables = map_reports(
            partial(tally, witness=True), reports, executor=executor, cache=options.cache,
            failed=lambda error: passed.append(str(error)), progress=_bar,
        )  # fmt: skip
        table = compare(stack(tables), options.before, options.after, unit="report", scope=options.scope, n_permutations=0)
    for error in passed:
        say_refused(_say, error)
    rows = [{name: "" if value != value else value for name, value in row.items()} for row in table.to_dict("records")]
    write_atomically(options.output, format_rows(rows, tuple(table.columns), mark=True))
    counted = {side: table.attrs["settings"][f"blocks_{side}"] for side in ("before", "after")}
    say_both(
        _say, "counting.done", before=options.before, after=options.after, n_before=counted["before"], n_after=counted["after"],
        characters=f"{table['han_before'].iloc[0] + table['han_after'].iloc[0]:,}", words=len(table), path=options.output,
    )  # fmt: skip


def _bar(done: int) -> None:
    """Show how many reports are done, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r{done:>7,} reports", end="", file=sys.stderr, flush=True)


def _do(options: argparse.Namespace) -> None:
    workplace.do(options.command)


COMMANDS = {
    "install": ("build .venv from the lock and register the kernel", _install),
    "reproduce": ("rebuild what has changed: notebooks, figures, pages", _reproduce),
    "lab": ("JupyterLab on a working copy", _lab),
    "archive": ("pack everything into one zip to deposit", _archive),
    "tei": ("write the restored reports with their apparatus as TEI", _tei),
    "verify": ("rebuild in a temporary folder and compare", _verify),
    "audit": ("what is wrong with a text?", _audit),
    "propose": ("where would a lost character go?", _propose),
    "senses": ("write the sheet in which the senses of a term are coded", _senses),
    "review": ("decide as a named person", _review),
    "count": ("count the words of many reports as they stand, not restored, and compare two years", _count),
    "new": ("make a study out of a folder of reports", _new),
    "collate": ("compare a report with another copy", _collate),
    "test": ("unit tests, doctests, architecture", _do),
    "docs": ("the docstrings as pages in build/html/api", _do),
    "check": ("lint, types, browser tests, coverage", _do),
}

if __name__ == "__main__":
    os.environ.update(ENVIRONMENT)  # before numpy is imported
    sys.exit(main())
