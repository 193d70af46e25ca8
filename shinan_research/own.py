"""Open the study of somebody's own reports, made from their folder when it is first asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from .counts import Group, belongs
from .errors import ShinanError, StudyError
from .files import sha256
from .messages import in_chinese, say_both
from .new import Say, as_group, new_study
from .occurrences import as_terms
from .reports import each_report
from .study import Study, open_study

BETWEEN = re.compile(r"[\s,，、;；]+")
QUOTED = " \t\"'“”‘’《》"


def own_study(
    folder: str | Path = "", *, before: Group | None = None, after: Group | None = None, terms: Iterable[str] = (),
    say: Say = lambda words: None,
) -> Study:  # fmt: skip
    """Open the study of a folder of reports, made beside it as `<folder>-study` when it is first asked for.

    What is decided in that study (apparatus, headings, `study.toml`) is kept from then on. Groups and terms given here
    take the place of those on record, for this session alone.

    Parameters
    ----------
    folder
        A folder of reports, or a file that holds them, as a path or as a name to be looked for in the working directory
        and in the folders above it; "" for the study that the working directory belongs to.
    before, after, say
        As for :func:`new_study`.
    terms
        As for :func:`new_study`; several may stand in one string, divided by spaces or commas of either script.

    Raises
    ------
    StudyError
        If the folder holds a report that the study made from it does not, or a group is not there.
    ReadError
        If the reports cannot be read. What an error means is said in Chinese too.
    """
    found = BETWEEN.split(terms if isinstance(terms, str) else " ".join(terms))
    terms = tuple(dict.fromkeys(filter(None, found)))
    try:
        study = open_study(_made_from(_find(folder), before, after, terms, say) if str(folder).strip() else ".")
        given = {name: as_group(group) for name, group in (("before", before), ("after", after)) if group is not None}
        known = [(report.place, report.year, report.id) for report in (study.reports() if given else ())]
        for group in given.values():
            belongs(pd.DataFrame(known, columns=["place", "year", "report"]), group)
        on_record = list(dict.fromkeys(study.terms["term"].astype(str)))
        if terms and {*terms} != {*on_record}:
            say_both(say, "new.other_terms", terms=on_record, study=study.root.name)
        return replace(study, **given, **({"terms": as_terms(terms)} if terms else {}))  # type: ignore[arg-type]
    except ShinanError as error:
        if words := in_chinese(error):
            raise type(error)(f"{words}\n{error}") from error
        raise


def _find(folder: str | Path) -> Path:
    """Return the path of a folder; a mere name is looked for in the working directory and above it."""
    given = Path(str(folder).strip(QUOTED)).expanduser()
    here = Path.cwd()
    return next((above / given for above in (here, *here.parents) if (above / given).exists()), here / given).resolve()


def _made_from(source: Path, before: Group | None, after: Group | None, terms: tuple[str, ...], say: Say) -> Path:
    """Return the study made from a folder of reports, now or earlier."""
    made = source.parent / f"{source.stem if source.is_file() else source.name}-study"
    if not (made / "data" / "study.toml").exists():
        new_study(made, reports=source, before=before, after=after, terms=terms, say=say)
    _same_reports(source, made)
    return made


def _same_reports(source: Path, made: Path) -> None:
    """Refuse to go on with a study whose reports are not those of the folder it was made from."""
    known = {sha256(path) for path in (made / "data" / "raw").iterdir()}
    for report in each_report(source, refused=lambda error: None):  # what was refused then, with a word, is passed over now
        if report.sha256 not in known:
            raise StudyError(
                f"{report.source} is not in {made.name}, which was made from {source.name} earlier. Rename or delete "
                f"{made.name} (it holds what you have decided so far), and run again."
            )
