"""Rebuild the term counts of provincial reports, byte for byte.

    python build_placebo.py CORPUS INDEX OUT

CORPUS is the folder of the reports, INDEX its index.csv (columns file, level, place, year), OUT the file that receives the
counts: shinan_research/resources/term_counts.xz. The vocabulary is closed and comes from three sources: every dictionary word
and lexicon term of two characters or more, found or not; the terms that find_terms suggests from the reports of each of at
least three provinces; and strings quoted in at least three reports. It holds numbers and terms of the genre, no text.
"""

import argparse
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from shinan_research.dictionary import lexicon, words
from shinan_research.discover import find_terms
from shinan_research.files import write_atomically
from shinan_research.outline import outline
from shinan_research.reference import body_text, count_strings, group_strings, pack, tabulate
from shinan_research.reports import Report, han_count, read_report
from shinan_research.restore import COLUMNS, restore
from shinan_research.tokens import Segmenter, tokenize

YEARS = range(2010, 2024)
LEVEL = "province"
PLACES = 3  # a suggestion must come from so many provinces, a quoted string from so many reports
IN_PLACE = 4  # occurrences of a statistical suggestion in one province's reports
LONGEST = 8  # characters of a suggestion


def read(corpus: Path, index: Path) -> list[Report]:
    """Return the provincial reports of the years wanted, in order of place and year, as printed but for stray spaces."""
    table = pd.read_csv(index)
    table = table[(table["level"] == LEVEL) & table["year"].isin(YEARS)].sort_values(["place", "year"])
    found = [
        replace(read_report(corpus / file, place=place), id=f"{place}-{year}", place=place, year=int(year))
        for file, place, year in zip(table["file"], table["place"], table["year"], strict=True)
    ]
    return restore(found, pd.DataFrame(columns=list(COLUMNS)))


def suggestions(reports: list[Report]) -> set[str]:
    """Return the terms that find_terms suggests in enough provinces, and the strings quoted in enough reports."""
    places: Counter[str] = Counter()
    quoted: Counter[str] = Counter()
    for place in sorted({report.place for report in reports}):
        sentences = outline([report for report in reports if report.place == place])
        sentences = sentences[sentences["part"] != "annex"]
        found = find_terms(sentences, tokenize(sentences, Segmenter()), min_count=IN_PLACE)
        found = found[(found["term"].str.len() <= LONGEST) & ~found["term"].str.contains('[“”「」"]')]
        places.update(found["term"])
        marked = found[found["source"] == "quoted"]
        quoted.update(dict(zip(marked["term"], marked["reports"].tolist(), strict=True)))
    return {term for counts in (places, quoted) for term, number in counts.items() if number >= PLACES}


def vocabulary(reports: list[Report]) -> Iterable[str]:
    """Return the closed vocabulary, sorted."""
    known = {word for word in (*words(), *lexicon()) if len(word) > 1}
    return sorted(known | suggestions(reports))


def build(corpus: Path, index: Path) -> bytes:
    """Return the bytes of the resource."""
    reports = read(corpus, index)
    strings = group_strings(vocabulary(reports))
    bodies = [body_text(report) for report in reports]
    table = pd.DataFrame(
        {"place": [r.place for r in reports], "year": [r.year for r in reports], "han": [*map(han_count, bodies)]}
    )
    return pack(tabulate(table, [count_strings(body, strings) for body in bodies], strings, level=LEVEL))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("corpus", "index", "out"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    write_atomically(given.out, build(given.corpus, given.index))
