"""The pages beneath the figures: each report as it was scraped and restored, and for each term the lines in which it stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property
from html import escape
from itertools import groupby
from typing import Any
from urllib.parse import quote

import pandas as pd

from .dictionary import resource
from .files import sha256
from .messages import say
from .occurrences import occurrences
from .outline import outline
from .render import UNSEEN
from .reports import Report
from .restore import restore
from .study import Study
from .tokens import tokenize

FOLDER = "text"
AROUND = 40
MOST = 3000
PLACES = (("start", "report"), ("target_start", "report"), ("outcome_start", "outcome_report"), ("start_claim", "report"))
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


class Passages:
    """The text of a study behind its figures: where a row of a table leads, and the pages that it leads to.

    Parameters
    ----------
    study
        The study; its reports are restored by its apparatus, as in the notebooks.
    """

    def __init__(self, study: Study) -> None:
        self.study = study

    @cached_property
    def reports(self) -> list[Report]:
        """The restored reports."""
        return restore(self.study.reports(), self.study.emendations)

    @cached_property
    def sentences(self) -> pd.DataFrame:
        """The sentences of the reports."""
        return outline(self.reports, headings=self.study.headings)

    @cached_property
    def _starts(self) -> dict[str, list[int]]:
        grouped = self.sentences.groupby("report", observed=True)["start"]
        return {str(report): sorted(int(start) for start in starts) for report, starts in grouped}

    @cached_property
    def _offsets(self) -> dict[str, set[int]]:
        """The witness offsets that the apparatus of each report speaks of."""
        rows = self.study.emendations
        return {report.id: {int(offset) for offset in rows.loc[rows["report"] == report.id, "offset"]} for report in self.reports}

    def address(self, record: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return texts and addresses of what a row leads to: lines of its term, its place, or the sentences of a target."""
        found = []
        if record.get("term"):
            chapter = f"#{_anchor(record['report'], record['chapter'])}" if record.get("count") and "chapter" in record else ""
            found.append((say("inline.lines", "both"), f"{FOLDER}/{term_page(str(record['term']))}{chapter}"))
        if record.get("offset") is not None and int(record["offset"]) in self._offsets.get(str(record.get("report")), ()):
            page = quote(f"{record['report']}.html")
            found.append((say("inline.place", "both"), f"{FOLDER}/{page}#e{int(record['offset'])}"))
        for key, report in PLACES:
            starts = self._starts.get(str(record.get(report)), [])
            if record.get(key) is not None and starts:
                href = f"{FOLDER}/{quote(f'{record[report]}.html')}#c{_sentence_start(starts, int(record[key]))}"
                found.append((str(record[report]), href))
        return found

    def pages(self, terms: Sequence[str]) -> dict[str, bytes]:
        """Return the pages by file name: one for each report, and one for each term."""
        tokens = tokenize(self.sentences, self.study.segmenter)
        declared = occurrences(tokens, self.study.terms)
        words = tokens[tokens["kind"].isin(["word", "term"])]
        pages = {f"{report.id}.html": self._report_page(report) for report in self.reports}
        for term in terms:
            lines = declared[declared["term"] == term] if term in set(declared["term"]) else words[words["term"] == term]
            lines = lines[lines["start"].notna()].sort_values(["report", "start"], kind="stable")
            pages[term_page(term)] = self._term_page(term, lines)
        return {name: UNSEEN.sub("⟨⟩", page).encode("utf-8") for name, page in sorted(pages.items())}

    def _report_page(self, report: Report) -> str:
        """Return a report: each sentence with its address, restored characters marked, open places marked too."""
        marks = self._marks(report)
        mine = self.sentences[self.sentences["report"] == report.id].sort_values("start").to_dict("records")
        body, at = [], 0
        for (_, heading), rows in groupby(mine, key=lambda row: (row["paragraph"], bool(row["heading"]))):
            parts = []
            for row in rows:
                parts += [_marked(report.text, at, row["start"], marks), f'<span class="sentence" id="c{row["start"]}">']
                parts += [_marked(report.text, row["start"], row["end"], marks), "</span>"]
                at = row["end"]
            body.append(f"<p{' class=heading' if heading else ''}>{''.join(parts)}</p>")
        body.append(f"<p>{_marked(report.text, at, len(report.text) + 1, marks)}</p>")
        entry = next((one for one in self.study.files if str(one.get("path", "")).endswith(report.source)), {})
        about = [report.source, str(entry.get("source", "")), str(entry.get("address", "")), f"SHA-256 {report.sha256}"]
        said = say("inline.page", "both", restored=len(report.emendations), characters=len(report.witness))
        head = f'<p class="about">{escape(said)}<br>{escape(" · ".join(part for part in about if part))}</p>'
        return self._shell(f"{report.place} {report.year}", head + "\n".join(body))

    def _marks(self, report: Report) -> dict[int, str]:
        """Return by position in the text what stands before it: a restored character is wrapped, an open place is an anchor."""
        marks: dict[int, str] = {}
        rows = sorted(report.emendations, key=lambda row: row.offset)
        letters = [(row, number) for row in rows for number in range(len(row.char))]
        seen: set[int] = set()
        for position, (row, _) in zip(report.inserted, letters, strict=True):
            anchor = f' id="e{row.offset}"' if row.offset not in seen else ""
            marks[int(position)] = f'<ins{anchor} title="{escape(f"{row.certainty} · {row.decided_by}")}">'
            seen.add(row.offset)
        for offset in sorted(self._offsets[report.id] - seen):
            marks.setdefault(report.to_text(offset), "")
            marks[report.to_text(offset)] = f'<span class="open" id="e{offset}"></span>{marks[report.to_text(offset)]}'
        return marks

    def _term_page(self, term: str, lines: pd.DataFrame) -> str:
        """Return the lines in which a term stands, each leading to its place."""
        texts = {report.id: report.text for report in self.reports}
        chapters = (
            self.sentences.drop_duplicates(["report", "chapter"]).set_index(["report", "chapter"])["chapter_title"].to_dict()
        )
        rows, seen = [], set()
        for row in lines.head(MOST).to_dict("records"):
            report, start, end = str(row["report"]), int(row["start"]), int(row["end"])
            text, anchor = texts[report], _anchor(report, row["chapter"])
            href = f"{quote(report)}.html#c{_sentence_start(self._starts[report], start)}"
            cells = (text[max(start - AROUND, 0) : start], text[start:end], text[end : end + AROUND])
            left, match, right = (escape(" ".join(cell.split())) for cell in cells)
            identity = f' id="{escape(anchor)}"' if anchor not in seen else ""
            seen.add(anchor)
            title = escape(str(chapters.get((report, row["chapter"]), "")))
            rows.append(
                f'<tr{identity}><td><a href="{href}" aria-label="{escape(f"{report} {start}")}">{escape(report)}</a></td>'
                f'<td>{escape(str(row["part"]))} {title}</td><td class="left">{left}</td><td class="match">{match}</td>'
                f"<td>{right}</td></tr>"
            )
        said = say("inline.found", "both", n=len(lines), shown=len(rows))
        head = "".join(f'<th scope="col">{word}</th>' for word in ("report", "chapter", "left", "match", "right"))
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>" if rows else ""
        group = f'<div class="table" role="group" tabindex="0" aria-label="Table · 表">{table}</div>'
        return self._shell(term, f'<p class="about">{escape(said)}</p>{group if rows else ""}')

    def _shell(self, title: str, body: str) -> str:
        """Return a page with the style of the others and no script."""
        style = resource("html/style.css").decode("utf-8")
        index = escape(" · ".join(self.study.title[one] for one in ("zh", "en")))
        return (
            f'<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
            f'<link rel="icon" href="data:,"><style>{style}</style></head><body><div class="page">'
            f'<header><nav class="pages" aria-label="Notebooks · 笔记本"><a href="../index.html">{index}</a></nav></header>'
            f'<main id="main"><h1>{escape(title)}</h1>\n{body}</main></div></body></html>\n'
        )


def term_page(term: str) -> str:
    """Return the file name of the page of a term."""
    return f"term-{sha256(term.encode())[:12]}.html"


def _anchor(report: object, chapter: object) -> str:
    return f"{report}-{chapter}"


def _sentence_start(starts: Sequence[int], position: int) -> int:
    """Return where the sentence begins in which a position lies."""
    return starts[max(bisect_right(starts, position) - 1, 0)]


def _marked(text: str, start: int, end: int, marks: Mapping[int, str]) -> str:
    """Return a piece of text as HTML with its marks."""
    parts, at = [], start
    for place in sorted(place for place in marks if start <= place < end):
        parts.append(escape(text[at:place]))
        wraps = "<ins" in marks[place]
        parts.append(marks[place] + (f"{escape(text[place])}</ins>" if wraps else ""))
        at = place + wraps
    return "".join([*parts, escape(text[at:end])])
