"""Make a study out of a folder of reports: data, notebooks and a list of what a person has to decide."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from . import messages
from .audit import audit
from .build import package_notebooks
from .choice import NUMBERS, UNITS_PER_TOPIC
from .counts import SCOPES, Group, belongs
from .dictionary import resource
from .discover import listed_words
from .errors import ReadError, ShinanError, StudyError
from .files import format_rows, sha256, write_atomically
from .intake import Text, fit_name, read_texts, report_files, unopened
from .losses import findings
from .messages import LANGUAGES, say_both, say_refused
from .outline import outline
from .reports import Report, read_folder
from .restore import COLUMNS, restore
from .shifts import MIN_BLOCKS, MIN_COUNT
from .study import open_study
from .tokens import tokenize
from .windows import topic_windows

Say = Callable[[str], None]
Names = str | Mapping[str, str] | None
MOST_TERMS = 5
MOST_PLACES = 3
COMMAS = re.compile("[,，、;；]+")
TOPICS_NOTEBOOK = "07-topics.ipynb"
VOCABULARY_NOTEBOOKS = ("03-vocabulary.ipynb", "05-how-firm.ipynb")
MANY, MANY_NOTEBOOK = 3, "many-reports.ipynb"  # reports, and the notebook that follows terms over them
UNDECIDED = ("lost", "probably lost", "not tested")
MAKEFILE = """PYTHON ?= {python}

reproduce:
\t"$(PYTHON)" -m shinan_research reproduce .

lab:
\t"$(PYTHON)" -m shinan_research lab .
"""


def new_study(
    folder: str | Path,
    *,
    reports: str | Path,
    before: Group | None = None,
    after: Group | None = None,
    terms: Iterable[str] = (),
    title: Names = None,
    place: Names = None,
    say: Say = lambda words: None,
) -> Path:
    """Make a study that builds as it is: `data/`, the package's notebooks and a Makefile that nobody needs.

    The reports are copied byte by byte into `data/raw`, those of an archive or a table one by one; what cannot be read is
    named and left out. They are audited: a report in which nothing is lost gets an apparatus without rows, which says
    so; for the others that is left to a person. The folder appears complete or not at all.

    Parameters
    ----------
    folder
        Where to write; it must not exist, or be empty.
    reports
        A folder of reports, or one file that holds them (:func:`~shinan_research.reports.read_folder`).
    before, after
        The groups to compare: years, report ids, or places and years. By default the two latest years that one place
        has both.
    terms
        The terms to declare. By default the five most frequent that stand in both groups: first those often enough to be
        tested, of the policy lexicon before ordinary words.
    title, place
        In Chinese and English (`{"zh": …, "en": …}`), or one string for both. By default computed from the reports.
    say
        Called with every sentence for the user, in both languages: what was left out, and what needs a decision.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    StudyError
        If the folder holds something, a group is not there, or two groups cannot be told apart.
    ReadError
        If there are no reports, or two of one place and year.
    """
    folder = Path(folder).resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StudyError(f"{folder.name} exists and is not empty. Name a new folder; a study is never written over another.")
    terms = tidy_terms(terms)
    stage = _stage(folder)
    try:
        found = _collect(Path(reports), stage / "data" / "raw", say)
        groups = _groups(found, before, after)
        tokens = tokenize(outline(restore(found, pd.DataFrame(columns=list(COLUMNS)))))
        for group in groups:
            belongs(tokens, group)
        chosen = terms or _frequent(tokens, groups)
        _write(stage, found, groups, _names(found, groups, title, place), chosen)
        _decide(stage, found, say)
        _remark(found, tokens, groups, bool(terms), chosen, say)
        _leave_out(stage / "notebooks", tokens, groups, say)
        open_study(stage)
        stage.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        stage.rename(folder)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise
    return folder


def tidy_terms(terms: Iterable[str]) -> tuple[str, ...]:
    """Return each term once, in order; several in one string are divided at commas of either script.

    >>> tidy_terms(["养老，就业", "养老、 5G"])
    ('养老', '就业', '5G')

    Raises
    ------
    StudyError
        If a term holds neither letter nor digit, or nothing is left.
    """
    given = tuple(terms)
    found = tuple(dict.fromkeys(filter(None, (word.strip() for term in given for word in COMMAS.split(term)))))
    if given and not found:
        raise StudyError(f"The terms {given} hold no form to count. Name words, as in --terms 养老 就业, or none.")
    if unfit := [term for term in found if not re.search(r"\w", term)]:
        raise StudyError(f"{unfit[0]!r} is no term: it holds neither letter nor digit. Name words, as in --terms 养老 就业.")
    return found


def _stage(folder: Path) -> Path:
    """Return a new folder beside the one to be made, in which it is prepared."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    except OSError as error:
        raise StudyError(f"{folder.parent} cannot be written to ({error.strerror}). Name a folder of your own.") from error


# Reports


def _collect(source: Path, raw: Path, say: Say) -> list[Report]:
    """Copy every readable text of a folder or file into `raw`, and read what stands there."""
    reasons = unopened(source)
    for file in report_files(source):
        for text in read_texts(file):
            if not isinstance(text, ReadError) and (raw / _raw_name(text)).exists():
                text = ReadError(f"{text.name}: two reports are called so. Take one away, or name them <place>-<year>.")
            if isinstance(text, ReadError):
                reasons.append(text)
            else:
                write_atomically(raw / _raw_name(text), text.raw)
    found = read_folder(raw, refused=reasons.append) if raw.is_dir() else []
    for error in reasons:
        say_refused(say, error)
    if not found:
        raise ReadError(f"{source.name}: not one file here can be read as a report. The first reason: {reasons[0]}")
    kept = {report.source for report in found}
    for path in [path for path in raw.iterdir() if path.name not in kept]:
        path.unlink()
    return found


def _raw_name(text: Text) -> str:
    """Return the name of a text in `data/raw`: its own, after the folders it stood in within an archive."""
    path = PurePosixPath(text.name)
    return "_".join(fit_name(part) for part in (*path.parts[:-1], path.stem)) + path.suffix.lower()


# Groups and terms


def _groups(reports: list[Report], before: Group | None, after: Group | None) -> tuple[Group, Group]:
    """Return the groups as asked for, or the two latest years."""
    years = sorted({report.year for report in reports})
    shared = [year for year in years[:-1] if _places(reports, year) & _places(reports, years[-1])]
    default: tuple[Group | None, Group | None] = ((shared or years[:-1])[-1], years[-1]) if len(years) > 1 else (None, None)
    if len(years) == 1 and len(reports) == 2:
        default = ((reports[0].place, reports[0].year), (reports[1].place, reports[1].year))
    chosen = tuple(as_group(given) if given is not None else other for given, other in zip((before, after), default, strict=True))
    one, two = chosen
    if one is None or two is None or one == two:
        what = f"{one} and {two} are the same" if one is not None and one == two else "there is one group only"
        raise StudyError(
            f"Two groups of reports are compared, but {what}. Years present: {', '.join(map(str, years))}. "
            "Put reports of two years into the folder, or name them with --before and --after."
        )
    return one, two


def _places(reports: list[Report], year: int) -> set[str]:
    return {report.place for report in reports if report.year == year}


def as_group(given: Group) -> Group:
    """Return a group as the command line gives it: four digits are a year."""
    return int(given) if isinstance(given, str) and given.isdecimal() and len(given) == 4 else given


def _frequent(tokens: pd.DataFrame, groups: tuple[Group, Group]) -> tuple[str, ...]:
    """Return the most frequent words that stand in the bodies of both groups: what can be tested first, terms before words."""
    plain = ~tokens["term"].isin(listed_words("edge_words.txt")) & (tokens["term"].astype(str).str.len() > 1)
    body = tokens[tokens["kind"].isin(["term", "word"]) & (tokens["part"] != "annex") & plain].astype({"term": str})
    chosen = [belongs(tokens, group)[body.index] for group in groups]
    body = body[chosen[0] | chosen[1]].assign(after=chosen[1])
    found = body.groupby("term").agg(
        count=("term", "size"), kind=("kind", "first"), both=("after", "nunique"),
    ).join(body.drop_duplicates(["term", "report", "block"]).groupby("term").size().rename("blocks"))  # fmt: skip
    found = found[found["both"] == 2].reset_index()
    places = " ".join(sorted(set(tokens["place"].astype(str))))
    found = found[[term not in places for term in found["term"]]]
    if found.empty:
        raise StudyError("No word of two characters stands in both groups. Name the terms to compare with --terms.")
    found["untested"] = (found["count"] < MIN_COUNT) | (found["blocks"] < MIN_BLOCKS)
    found["word"] = (found["kind"] == "word") | found["untested"]
    ranked = found.sort_values(["untested", "word", "count", "term"], ascending=[True, True, False, True])
    return tuple(ranked["term"].head(MOST_TERMS))


# Files


def _names(reports: list[Report], groups: tuple[Group, Group], title: Names, place: Names) -> dict[str, dict[str, str]]:
    """Return title and place in both languages."""
    places = list(dict.fromkeys(report.place for report in reports))
    joined = {"zh": "、".join(places[:MOST_PLACES]), "en": ", ".join(places[:MOST_PLACES])}
    if len(places) > MOST_PLACES:
        joined = {one: messages.say("new.places", one, places=joined[one], n=len(places)) for one in LANGUAGES}
    place = joined if place is None else dict.fromkeys(LANGUAGES, place) if isinstance(place, str) else dict(place)
    before, after = (" ".join(map(str, group)) if isinstance(group, tuple) else str(group) for group in groups)
    made = {one: messages.say("new.title", one, place=place[one], before=before, after=after) for one in LANGUAGES}
    title = made if title is None else dict.fromkeys(LANGUAGES, title) if isinstance(title, str) else dict(title)
    return {"title": title, "place": place}


def _write(
    stage: Path, reports: list[Report], groups: tuple[Group, Group], names: dict[str, dict[str, str]], terms: tuple[str, ...]
) -> None:
    """Write study.toml, hashes, a list of the files with room for their sources, notebooks and Makefile."""
    lines = [*_head(names, groups), *(line for number, term in enumerate(terms) for line in _term(term, first=number == 0))]
    write_atomically(stage / "data" / "study.toml", "\n".join([*lines, "", *_comment("files"), ""]).encode("utf-8"))
    raw = sorted((stage / "data" / "raw").iterdir())
    sums = "".join(f"{sha256(path)}  raw/{path.name}\n" for path in raw)
    write_atomically(stage / "data" / "SHA256SUMS", sums.encode("utf-8"))
    write_atomically(stage / "data" / "README.md", _readme(reports).encode("utf-8"))
    for path in sorted(package_notebooks().glob("*.ipynb")):
        write_atomically(stage / "notebooks" / path.name, path.read_bytes())
    if len(reports) >= MANY:
        write_atomically(stage / "notebooks" / MANY_NOTEBOOK, resource(f"notebooks/{MANY_NOTEBOOK}"))
    makefile = "\n".join([*_comment("makefile"), MAKEFILE.format(python=Path(sys.executable).as_posix())])
    write_atomically(stage / "Makefile", makefile.encode("utf-8"))


def _readme(reports: list[Report]) -> str:
    """Return a table of the files of `data/raw`, with empty cells for what only a person knows."""
    head, line = (" | ".join(cells) for cells in (["report", "file", "delivered", "source", "address", "retrieved"], ["---"] * 6))
    rows = [f"| {each.id} | raw/{each.source} | {each.delivered} |  |  |  |" for each in reports]
    words = "\n\n".join(messages.say("new.readme", language) for language in LANGUAGES)
    return "\n".join([words, "", f"| {head} |", f"| {line} |", *rows, ""])


def _comment(key: str) -> list[str]:
    """Return a message as lines of comment, Chinese first."""
    return [f"# {line}" for language in LANGUAGES for line in messages.say(f"new.{key}", language).splitlines()]


def _quoted(value: object) -> str:
    """Return a value as TOML: strings, whole numbers, lists of them."""
    return json.dumps(value, ensure_ascii=False)


def _head(names: dict[str, dict[str, str]], groups: tuple[Group, Group]) -> Iterator[str]:
    """Yield the lines of study.toml above the terms."""
    yield from _comment("head")
    yield ""
    for key, value in names.items():
        yield f"{key} = {{ zh = {_quoted(value['zh'])}, en = {_quoted(value['en'])} }}"
    values = {"before": groups[0], "after": groups[1]}
    settings: list[tuple[str, Mapping[str, object]]] = [
        ("groups", values), ("language", {"language": "both"}), ("width", {"width": "double"}), ("seed", {"seed": 0}),
        ("declared", {"declared": "after reading"}),
    ]  # fmt: skip
    for key, pairs in settings:
        yield from ["", *_comment(key)]
        yield from (f"{name} = {_quoted(value)}" for name, value in pairs.items())


def _term(term: str, *, first: bool) -> Iterator[str]:
    """Yield the lines of study.toml that declare a term; the first explains."""
    yield from ["", *(_comment("terms") if first else []), "[[terms]]", f"name = {_quoted(term)}", f"forms = [{_quoted(term)}]"]


# Decisions


def _decide(stage: Path, reports: list[Report], say: Say) -> None:
    """Audit the reports, say what needs a decision, and state for the others that nothing is lost."""
    found = audit(reports)
    lost = found[(found["defect"] == "lost character") & found["verdict"].isin(UNDECIDED)]
    for report in reports:
        if report.id not in set(lost["report"]):
            write_atomically(stage / "data" / "emendations" / f"{report.id}.csv", format_rows([], COLUMNS))
    for language in LANGUAGES:
        say(findings(found, language))
    for row in lost.to_dict("records"):
        say(f"  {row['report']}: {row['where']} {row['verdict']} – {' '.join(row['evidence'].split())}")
    say_both(say, "new.audited", n=len(reports), whole=len(reports) - lost["report"].nunique())
    header = ",".join(COLUMNS)
    for name, rows in lost.groupby("report", sort=False):
        verdict = next(each for each in UNDECIDED if (rows["verdict"] == each).any())
        characters = "".join(rows["where"][rows["verdict"] == verdict].astype(str))
        say_both(say, f"new.{verdict.replace(' ', '_')}", report=name, characters=characters, header=header)


def _leave_out(notebooks: Path, tokens: pd.DataFrame, groups: tuple[Group, Group], say: Say) -> None:
    """Take away the notebooks for which there is too little text, and say so."""
    words = tokens[tokens["kind"].isin(["word", "term"]) & tokens["part"].isin(SCOPES["body"])]
    words = words[belongs(words, groups[0]) | belongs(words, groups[1])]
    if words["term"].value_counts().max() < MIN_COUNT:
        for name in VOCABULARY_NOTEBOOKS:
            (notebooks / name).unlink()
        say_both(say, "new.scarce", count=MIN_COUNT, notebooks=", ".join(VOCABULARY_NOTEBOOKS))
    if _windows(tokens) < NUMBERS[0] * UNITS_PER_TOPIC:
        (notebooks / TOPICS_NOTEBOOK).unlink()
        say_both(say, "new.short", notebook=TOPICS_NOTEBOOK)


def _windows(tokens: pd.DataFrame) -> int:
    """Return how many windows a topic model would have."""
    try:
        return len(topic_windows(tokens).table)
    except ShinanError:
        return 0


def _remark(
    reports: list[Report], tokens: pd.DataFrame, groups: tuple[Group, Group], given: bool, terms: tuple[str, ...], say: Say
) -> None:
    """Say what the comparison rests on: groups, terms, reports of neither group, places of one, reports without a plan."""
    named = [" ".join(map(str, group)) if isinstance(group, tuple) else str(group) for group in groups]
    say_both(say, "new.compared", before=named[0], after=named[1])
    say_both(say, "new.terms_given" if given else "new.terms_found", terms=terms)
    chosen = [belongs(tokens, group) for group in groups]
    compared = set(tokens["report"][chosen[0] | chosen[1]])
    if absent := [term for term in terms if not any(term in report.witness for report in reports if report.id in compared)]:
        say_both(say, "new.absent", terms=absent)
    if rest := len(reports) - len(compared):
        say_both(say, "new.others", n=rest, notebook=MANY_NOTEBOOK)
    one, two = (set(tokens["place"][rows]) for rows in chosen)
    if all(isinstance(group, int) for group in groups) and one != two:
        say_both(say, "new.unbalanced", places=sorted(one ^ two))
    plans = set(tokens["report"][tokens["part"] == "plan"])
    without = [report.id for report in reports if report.id not in plans]
    if without:
        say_both(say, "new.no_plan", reports=without)
