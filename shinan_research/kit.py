r"""The citation kit: numbers by key, captions, bibliography and gallery, all made from the manifest.

A notebook records a number with :func:`record`; a paper prints it with ``\wrnumber{key}`` after ``\input{numbers}``, and a
caption with ``\wrcaption{name.en}`` after ``\input{captions}``. The names of the commands are those of every study (*wr* is
for work report), so that a paper can change its study without changing its text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .errors import FigureError, StudyError
from .explain import probability, ratio, verdict_name
from .files import read_rows, read_text, write_together
from .guide import REFERENCES, methods
from .messages import LANGUAGES, say
from .occurrences import WIDE
from .publish import DIGITS, MANIFEST, csv_bytes, json_bytes, read_manifest, running_platform
from .study import Study
from .tables import plain, tex_text

Value = int | float | str
Number = Value | tuple[Value | None, str]
KEY = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
LONGEST = 100
RECORDER = "notebook"  # until a build puts the notebook's own name in its place
SHORT_HASH = 12
IS_WIDE = WIDE.format("")
FILES = ("numbers.json", "numbers.csv", "numbers.tex", "captions.tex", "methods.tex", "methods.md", "figures.bib", "README.md")
COMMAND = (
    r"\providecommand{{\wr{what}}}[1]{{\ifcsname wr{what}:#1\endcsname\csname wr{what}:#1\endcsname"
    r"\else\PackageError{{wr{what}}}{{There is no {what} #1}}{{See the list in the file of this command.}}\fi}}"
)
CHINESE_COMMAND = r"\providecommand{\wrchinese}[1]{#1}% \DeclareRobustCommand it otherwise where Chinese needs a font"
MARKDOWN = re.compile(r"([\\`*_\[\]#|~!])")
QUOTED = re.compile(r"“[^”]*”|…[^…\n]*…")  # words of a report, not of the prose
NUMERAL = re.compile(r"(?<![A-Za-z\d.])(?:[−-](?=\d))?\d+(?:,\d{3})*(?:\.\d+)?")
SENTENCE = re.compile(r"(?<=[。！？])|(?<=[.!?]) (?=[A-Z])|\n")


def record(numbers: Mapping[str, Number], *, study: Study) -> dict[str, str]:
    """Record numbers that prose or a paper uses, by key; write `figures/numbers.json`, `.csv` and `.tex`.

    A key belongs to the notebook that records it: recording it again replaces it, and `reproduce` refuses a key of two
    notebooks. Counts and words are kept exactly, other numbers to ten significant digits.

    Parameters
    ----------
    numbers
        A value by key, or a pair of the value and the text that prose prints; by default text has three significant
        digits. A key is of small ASCII letters, digits, hyphens and dots.
    study
        The study.

    Returns
    -------
    dict of str
        The text by key.

    Raises
    ------
    FigureError
        If a key is unfit, or a number is not finite and comes without text.
    """
    entries = {key: _entry(key, value) for key, value in numbers.items()}
    _keep(entries, study)
    return {key: entry["text"] for key, entry in entries.items()}


def record_prose(notebook: Any, name: str, *, study: Study) -> None:
    """Record every number that the computed prose of an executed notebook prints, each with its sentence.

    The key is `<name>.<cell>.<n>`: the n-th different number of the cell. Numbers inside quotation marks are the report's.
    """
    entries: dict[str, dict[str, Any]] = {}
    for cell in notebook.cells:
        found: dict[str, str] = {}
        for output in cell.get("outputs", []) if "narrative" in cell.metadata.get("tags", []) else []:
            for sentence in SENTENCE.split("".join(output.get("data", {}).get("text/markdown", ""))):
                new = {text: sentence.strip() for text in NUMERAL.findall(QUOTED.sub("", sentence))}
                found |= {text: words for text, words in new.items() if text not in found}
        for n, (text, sentence) in enumerate(found.items(), 1):
            number = text.replace(",", "").replace("−", "-")
            key = f"{slug(name[:40]) or 'notebook'}.{slug(cell.id[:40]) or 'cell'}.{n}"
            entries[key] = _entry(key, (float(number) if "." in number else int(number), text)) | {"sentence": sentence}
    if entries:
        _keep(entries, study)


def _keep(entries: Mapping[str, dict[str, Any]], study: Study) -> None:
    """Put numbers beside those recorded before, and write the files of numbers."""
    folder = study.root / "figures"
    manifest = read_manifest(folder)
    recorders = manifest.setdefault("numbers", {})
    earlier = recorders.get(RECORDER, {}).get("values", {})
    recorders[RECORDER] = {"platform": running_platform(), "values": earlier | entries}
    write_together(folder, {**_number_files(manifest), MANIFEST: json_bytes(manifest)})


def _entry(key: str, value: Number) -> dict[str, Any]:
    """Return a number as the manifest keeps it."""
    if not isinstance(key, str) or not KEY.fullmatch(key) or len(key) > LONGEST:
        raise FigureError(f"The key {key!r}: use small ASCII letters, digits, hyphens and dots, as in 'growth.count.before'.")
    number: Any
    number, text = value if isinstance(value, tuple) else (value, "")
    number = number.item() if isinstance(number, np.generic) else number
    if isinstance(number, float):
        number = float(f"{number:.{DIGITS}g}") if np.isfinite(number) else None
    if number is not None and not isinstance(number, int | float | str):
        raise FigureError(f"The number {key!r} is {number!r}; record a number or a word.")
    if number in (None, "") and not text:
        raise FigureError(f"The number {key!r} is {value!r}. Leave it out, or record a pair: (None, 'the words to print').")
    return {"value": number, "text": plain(text or number)}


def record_shift(shift: pd.DataFrame, *, study: Study, prefix: str = "") -> dict[str, str]:
    """Record counts, rates, ratio, p and verdict of every row of :func:`~shinan_research.shifts.compare`.

    The keys are `<term>.count.before`, `.count.after`, `.rate.before`, `.rate.after`, `.ratio`, `.low`, `.high` (of the ratio),
    `.p`, `.verdict` and `.verdict.zh`, after `prefix` and a dot where one is given. `<term>` is the column `key` of
    `data/glosses.csv`, else the term itself if it is ASCII, else `term1`, `term2` … in the order of `study.toml`; a wide
    reading has the key of its term with `-wide`.

    Raises
    ------
    FigureError
        If a term has two rows (record one scope or variant at a time, each with its `prefix`), or a key is unfit.
    """
    names = [str(name) for name in shift["term"]]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise FigureError(f"{twice[0]!r} has {names.count(twice[0])} rows. Record one scope or variant at a time, with prefix=.")
    keys = term_keys(names, study=study)
    numbers: dict[str, Number] = {}
    for row in shift.to_dict("records"):
        start = f"{prefix}{'.' if prefix else ''}{keys[str(row['term'])]}"
        numbers |= {f"{start}.{key}": value for key, value in _numbers_of(row).items()}
    return record(numbers, study=study)


def _numbers_of(row: Mapping[Any, Any]) -> dict[str, Number]:
    """Return the numbers of one row, each with its text."""
    untested = say("kit.untested", "en")
    found: dict[str, Number] = {}
    for side in ("before", "after"):
        found[f"count.{side}"] = int(row[f"count_{side}"])
        found[f"rate.{side}"] = (float(row[f"rate_{side}"]), f"{row[f'rate_{side}']:.1f}")
    for key, column in (("ratio", "log2_matched"), ("low", "low"), ("high", "high")):
        value = 2.0 ** float(row[column])
        found[key] = (value, untested if np.isnan(value) else ratio(value))
    found["p"] = (float(row["p_adjusted"]), untested if pd.isna(row["p_adjusted"]) else probability(row["p_adjusted"]))
    found["verdict"], found["verdict.zh"] = ((str(row["verdict"]), verdict_name(row, language)) for language in ("en", "zh"))
    return found


def term_keys(names: Sequence[str], *, study: Study) -> dict[str, str]:
    """Return the key of each term, as :func:`record_shift` says.

    Raises
    ------
    StudyError
        If `data/glosses.csv` gives an unfit key, or two terms have the same.
    """
    path = study.data / "glosses.csv"
    rows = read_rows(path, ("term", "gloss")) if path.exists() else []
    given = {row["term"]: row["key"].strip() for row in rows if row.get("key", "").strip()}
    order = list(
        dict.fromkeys([*study.terms["term"].astype(str), *(name for name in names if not name.endswith(IS_WIDE)), *names])
    )
    keys = {name: _term_key(name, given, order) for name in names}
    for name, key in keys.items():
        if not KEY.fullmatch(key):
            raise StudyError(
                f"glosses.csv: the key {key!r} of {name!r} must be of small ASCII letters, digits, hyphens and dots."
            )
    twice = [name for name in keys if list(keys.values()).count(keys[name]) > 1]
    if twice:
        raise StudyError(f"The terms {', '.join(twice)} have one key, {keys[twice[0]]!r}. Give each its own in data/glosses.csv.")
    return keys


def _term_key(name: str, given: Mapping[str, str], order: Sequence[str]) -> str:
    if name in given:
        return given[name]
    if name.endswith(IS_WIDE):
        return f"{_term_key(name.removesuffix(IS_WIDE), given, order)}-wide"
    return slug(name) if name.isascii() and slug(name) else f"term{order.index(name) + 1 if name in order else name}"


def slug(text: str) -> str:
    """Return text as small ASCII letters and digits with hyphens; empty where it has none.

    >>> slug("Some District, Some City"), slug("文化")
    ('some-district-some-city', '')
    """
    return "-".join(re.findall("[a-z0-9]+", text.lower()))


def numbers_of(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every number of a manifest by key: value, text and the notebook that recorded it."""
    recorders = sorted(manifest.get("numbers", {}).items())
    found = {key: entry | {"notebook": by} for by, recorder in recorders for key, entry in recorder["values"].items()}
    return dict(sorted(found.items()))


def _number_files(manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of numbers."""
    found = numbers_of(manifest)
    names = ("value", "text", "notebook", "sentence")
    rows = [(key, *(entry.get(name, "") for name in names)) for key, entry in found.items()]
    table = pd.DataFrame(rows, columns=["key", *names], dtype=object)
    macros = _macros("number", {key: tex_text(entry["text"]) for key, entry in found.items()})
    return {"numbers.json": json_bytes(found), "numbers.csv": csv_bytes(table), "numbers.tex": macros}


def _macros(what: str, texts: Mapping[str, str]) -> bytes:
    r"""Return LaTeX that defines `\wr<what>{key}` for each key."""
    lines = [rf"\expandafter\def\csname wr{what}:{key}\endcsname{{{text}}}" for key, text in texts.items()]
    head = f"% Generated; use \\wr{what}{{key}}, of {len(texts)} keys."
    return "\n".join([head, CHINESE_COMMAND, COMMAND.format(what=what), *lines, ""]).encode("utf-8")


def kit_files(folder: Path, study: Study) -> dict[str, bytes]:
    """Return the citation kit of a folder of figures, by file name: what :func:`build_kit` writes.

    Raises
    ------
    FigureError
        If a manifest is damaged.
    StudyError
        If `CITATION.cff` is damaged.
    """
    manifest = read_manifest(folder)
    tables = read_manifest(folder.parent / "tables", kind="tables")["tables"]
    items = dict(sorted(manifest["figures"].items())) | {f"table.{name}": entry for name, entry in sorted(tables.items())}
    source = citation(study.root)
    captions = {
        f"{name}.{one}": tex_text(entry["caption"][one], language=one)
        for name, entry in items.items()
        for one in LANGUAGES
        if one in entry.get("caption", {})
    }
    return {
        **_number_files(manifest),
        "captions.tex": _macros("caption", captions),
        **_method_files(manifest["figures"], source["version"]),
        "figures.bib": _bibliography(items, source, study),
        "README.md": _gallery(items, len(numbers_of(manifest)), source, study),
    }


def _method_files(figures: Mapping[str, Mapping[str, Any]], version: str) -> dict[str, bytes]:
    """Return the methods paragraph of each figure of terms, with its references, as LaTeX and as Markdown.

    In the Markdown figures that were made in one way share a paragraph.
    """
    found = {
        name: {one: methods(entry.get("settings", {}), version, one) for one in LANGUAGES}
        for name, entry in sorted(figures.items())
    }
    found = {name: each for name, each in found.items() if all(each.values())}
    texts = {f"{name}.{one}": tex_text(text, language=one) for name, each in found.items() for one, text in each.items()}
    cited = [entry for short, entry in REFERENCES.items() if any(short in each["en"] for each in found.values())]
    references = {"references": " \\par ".join(tex_text(entry) for entry in cited)} if texts else {}
    lines = [f"# {say('methods.title', 'both')}", ""]
    for text in dict.fromkeys(tuple(each.values()) for each in found.values()):
        names = [_label(name, "both") for name, each in found.items() if tuple(each.values()) == text]
        lines += [f"## {'; '.join(names)}", "", *(line for paragraph in text for line in (markdown(paragraph), ""))]
    lines += [f"## {say('methods.references', 'both')}", "", *(f"- {markdown(entry)}" for entry in cited)]
    page = "\n".join(lines).rstrip() + "\n"
    return {"methods.tex": _macros("methods", texts | references), "methods.md": page.encode("utf-8")}


def build_kit(folder: Path, study: Study) -> list[str]:
    """Write the citation kit beside the figures of a folder, where it has changed; return the names of what was written.

    Raises
    ------
    FigureError
        If a manifest is damaged.
    StudyError
        If `CITATION.cff` is damaged.
    """
    files = kit_files(folder, study)
    changed = {name: data for name, data in files.items() if not (folder / name).exists() or (folder / name).read_bytes() != data}
    if changed:
        write_together(folder, changed)
    return list(changed)


def citation(root: Path) -> dict[str, Any]:
    """Return what `CITATION.cff` says: `authors` (list of names), `year`, `version`, `doi`; empty where it says nothing.

    Raises
    ------
    StudyError
        If the file is no CITATION.cff.
    """
    import yaml

    path = root / "CITATION.cff"
    try:
        raw = yaml.safe_load(read_text(path)) if path.exists() else {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise StudyError(f"CITATION.cff is not valid YAML: {(str(error).splitlines() or ['?'])[0]}.") from error
    lists = isinstance(raw, dict) and all(isinstance(raw.get(key) or [], list) for key in ("authors", "keywords"))
    if not lists or not all(isinstance(person, dict) for person in raw.get("authors") or []):
        raise StudyError(
            "CITATION.cff must hold keys and values, authors as a list of names, keywords as a list. See "
            "citation-file-format.github.io."
        )
    authors = [_author(person) for person in raw.get("authors") or []]
    found = {key: str(raw.get(key) or "") for key in ("version", "doi", "abstract")}
    keywords = [str(word) for word in raw.get("keywords") or []]
    return found | {"authors": authors, "keywords": keywords, "year": str(raw.get("date-released") or "")[:4]}


def _author(person: Mapping[str, Any]) -> str:
    """Return the name of a person, family name first, or of a group."""
    names = [str(person[key]) for key in ("family-names", "given-names") if person.get(key)]
    return ", ".join(names) or str(person.get("name") or person.get("alias") or "")


def _bibliography(items: Mapping[str, Mapping[str, Any]], source: Mapping[str, Any], study: Study) -> bytes:
    """Return a BibTeX entry for every figure and table."""
    start = slug(study.place["en"]) or "study"
    entries = []
    for name, entry in items.items():
        note = f"Data SHA-256 {str(entry.get('data', ''))[:SHORT_HASH]}; {entry.get('licence', study.licence)}"
        fields = {
            "author": " and ".join(f"{{{tex_text(author)}}}" for author in source["authors"]),
            "title": f"{{{tex_text(study.title['en'])}: {_label(name, 'en')}}}", "year": tex_text(source["year"]),
            "version": tex_text(source["version"]), "doi": tex_text(source["doi"]), "note": tex_text(note),
        }  # fmt: skip
        lines = [f"  {key} = {{{value}}}," for key, value in fields.items() if value]
        entries.append("\n".join([f"@misc{{{start}-{name.replace('.', '-')},", *lines, "}"]))
    return ("\n\n".join(entries) + "\n").encode("utf-8")


def _label(name: str, language: str) -> str:
    """Return what a figure or table is called: its kind and its name."""
    kind = "table" if name.startswith("table.") else "figure"
    return say(f"kit.{kind}", language, name=name.removeprefix("table."))


def _gallery(items: Mapping[str, Mapping[str, Any]], numbers: int, source: Mapping[str, Any], study: Study) -> bytes:
    """Return the page that shows every figure and table with caption, files and how to cite it."""
    lines = [f"# {markdown(study.title['zh'])}", "", markdown(study.title["en"]), ""]
    for language in LANGUAGES:
        lines += [say("kit.head", language), "", say("kit.numbers", language, numbers=numbers), ""]
    lines += [f"## {say('kit.cite', 'both')}", ""]
    for language in LANGUAGES:
        lines += [f"> {_cited(source, study, language)}", "", say("kit.which", language), ""]
    for name, entry in items.items():
        lines += _section(name, entry)
    lines += [f"## {say('kit.licence', 'both')}", "", markdown(study.licence), ""]
    return "\n".join(lines).encode("utf-8")


def _cited(source: Mapping[str, Any], study: Study, language: str) -> str:
    """Return how the whole is cited, as far as `CITATION.cff` says."""
    doi = f"https://doi.org/{source['doi']}" if source["doi"] else say("kit.nodoi", language)
    version = say("kit.version", language, version=source["version"]) if source["version"] else ""
    who = "; ".join(source["authors"]) + (f" ({source['year']})" if source["year"] else "")
    parts = [who.strip(), study.title[language], version, doi]
    return ". ".join(markdown(part) for part in parts if part) + "."


def _section(name: str, entry: Mapping[str, Any]) -> list[str]:
    """Return the part of the gallery on one figure or table."""
    bare = name.removeprefix("table.")
    folder = "../tables/" if name != bare else ""
    alt = html.escape(plain(entry.get("alt", {}).get("en", "")))
    picture = [f'<img src="{bare}.png" width="480" alt="{alt}">', ""] if f"{bare}.png" in entry.get("files", {}) else []
    words = [line for one in LANGUAGES if one in entry.get("caption", {}) for line in (markdown(entry["caption"][one]), "")]
    files = " · ".join(f"[{file}]({folder}{file})" for file in [*sorted(entry.get("files", {})), f"{bare}.json"])
    digest = say("kit.data", "both", digest=str(entry.get("data", ""))[:SHORT_HASH])
    return [f"## {_label(name, 'both')}", "", *picture, *words, files, "", digest, ""]


def markdown(text: str) -> str:
    r"""Return text that Markdown shows as it is, on one line.

    >>> markdown("<b> *x*")
    '&lt;b&gt; \\*x\\*'
    """
    return MARKDOWN.sub(r"\\\1", html.escape(plain(text), quote=False))
