"""How often does `outline` find by rule where next year's plan begins?

    python tests/benchmarks/bench_outline.py CORPUS_FOLDER INDEX.csv

The index gives the compilers' own mark (`plan_offset`). Files are split by a hash of their name: the rules were written on the
first half, the second was run once.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from collections import Counter
from pathlib import Path

from shinan_research.outline import outline
from shinan_research.reports import Report

TOLERANCE = 60


def main(folder: Path, index: Path) -> None:
    """Print hits and share for both halves."""
    found: dict[str, Counter[bool]] = {"development": Counter(), "unseen": Counter()}
    with index.open(encoding="utf-8") as source:
        rows = [row for row in csv.DictReader(source) if row["plan_offset"] and (folder / row["file"]).exists()]
    for row in rows:
        raw = (folder / row["file"]).read_text(encoding="utf-8")
        text, lead = raw.strip(), len(raw) - len(raw.lstrip())
        table = outline([Report(row["file"], row["place"], int(row["year"]), text, text)], witness=True)
        plan = table[table["part"] == "plan"]["start"]
        hit = bool(len(plan)) and abs(int(plan.iloc[0]) + lead - int(float(row["plan_offset"]))) <= TOLERANCE
        half = "unseen" if int(hashlib.sha256(row["file"].encode()).hexdigest(), 16) % 2 else "development"
        found[half][hit] += 1
    for half, counts in found.items():
        print(f"{half}: {counts[True]} of {counts.total()} ({counts[True] / max(counts.total(), 1):.1%}); bar 97 %")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
