"""Rebuild the counts of words that share a window in reports of other governments, byte for byte.

    python tools/build_cooccurrence.py CORPUS INDEX OUT

CORPUS is the folder of the reports, INDEX its index.csv, OUT the file that receives the counts:
shinan_research/resources/cooccurrence.xz. Reports from 2005 on whose place and whose year are not for testing (the split of
build_references.py) are cut into the windows of topic_windows; the 2,000 words of most windows are kept. Numbers, no text.
"""

import argparse
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
from build_references import read_index, training

from shinan_research.coherence import count_together, pack
from shinan_research.errors import ShinanError
from shinan_research.files import write_atomically
from shinan_research.outline import outline
from shinan_research.reports import read_report
from shinan_research.restore import COLUMNS, restore
from shinan_research.tokens import Segmenter, tokenize
from shinan_research.windows import NUMBER, topic_windows

EARLIEST = 2005
WORDS = 2_000


def windows_of(path: Path, place: str, year: int, segmenter: Segmenter) -> list[list[str]]:
    """Return the words of each window of a report; none where it has neither review nor plan."""
    report = replace(read_report(path, place=place), id=f"{place}-{year}", place=place, year=year)
    tokens = tokenize(outline(restore([report], pd.DataFrame(columns=list(COLUMNS)))), segmenter)
    try:
        windows = topic_windows(tokens, least=1, most=1.0)
    except ShinanError:
        return []
    named = windows.frame["term"].map(dict(enumerate(windows.terms)))
    return [sorted(set(words)) for _, words in named.groupby(windows.frame["unit"], sort=True)]


def main() -> None:
    """Count and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("index", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    table = training(read_index(arguments.index))
    table, segmenter = table[table["year"] >= EARLIEST], Segmenter()
    cut = [
        windows_of(arguments.corpus / file, place, int(year), segmenter)
        for file, place, year in zip(table["file"], table["place"], table["year"], strict=True)
    ]
    windows = [window for report in cut for window in report]
    spread = Counter(word for window in windows for word in window if word != NUMBER)
    words = sorted(sorted(spread, key=lambda word: (-spread[word], word))[:WORDS])
    write_atomically(arguments.out, pack(count_together(windows, words, reports=sum(map(bool, cut)))))


if __name__ == "__main__":
    main()
