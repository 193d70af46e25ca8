"""Write the table of files into data/README.md: origin, date, licence and SHA-256 of each. Run it after a change of data/.

python tools/list_data.py            # rewrites the table
"""

from __future__ import annotations

import hashlib
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data"
RAW = (
    "page of an industrial-park promotion site with two reports of Shinan District (市南区), Qingdao; address in `study.toml`",
    "on the page: 2025-07-09 and 2025-07-08; reports delivered 9 January 2019 and 13 January 2020; day of retrieval not recorded",
    "none claimed by us, see `LICENSES.md`",
)
ORIGINS = {
    "emendations": "apparatus: two machine readings, the second blind; collated where another copy was at hand",
    "headings": "headings: two machine readings, the second blind and of parts and chapters only; they agree on all of these",
    "senses": "senses of declared terms: two machine readings, the second blind; they agree on all rows",
    "links": "numeric targets and their outcomes: two machine readings, the second blind (see `links/CODEBOOK.md`)",
    "strata.csv": "matched chapters: two machine readings, the second blind; they agree on all pairs (see `CODEBOOK-strata.md`)",
    "CODEBOOK-strata.md": "how chapters are matched",
    "lexicon": "names and terms of these two reports: machine reading",
    "glosses.csv": "glosses by a language model",
    "CODEBOOK-labels.md": "how topics are named",
    "labels.csv": "names of topics: two machine readings, the second blind (see `CODEBOOK-labels.md`)",
    "study.toml": "written for this study",
    "SHA256SUMS": "digests of `raw/`",
}
BEGIN, END = "| file | origin | date | licence | SHA-256 |", "\n\n"


def rows() -> list[str]:
    """Return the lines of the table, one per file of data/ but this README."""
    lines = []
    for path in sorted(path for path in DATA.rglob("*") if path.is_file() and path.name != "README.md"):
        name = path.relative_to(DATA).as_posix()
        origin, date, licence = RAW if name.startswith("raw/") else (ORIGINS[name.split("/")[0]], "2026-11-23", "CC BY 4.0")
        lines.append(f"| `{name}` | {origin} | {date} | {licence} | `{hashlib.sha256(path.read_bytes()).hexdigest()}` |")
    return lines


def main() -> None:
    """Replace the table in data/README.md."""
    path = DATA / "README.md"
    text = path.read_text(encoding="utf-8")
    start = text.index(BEGIN)
    table = "\n".join([BEGIN, "|---|---|---|---|---|", *rows()])
    path.write_text(text[:start] + table + text[text.index(END, start) :], encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
