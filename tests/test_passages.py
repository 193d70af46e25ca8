"""The pages beneath the figures: every address of a row has its place, and the text on them is that of the reports."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pandas as pd

from shinan_research import occurrences, open_study, tokenize
from shinan_research.passages import FOLDER, MOST, Passages, term_page

ROOT = Path(__file__).parents[1]


@cache
def passages() -> Passages:
    """Return the passages of this study."""
    return Passages(open_study(ROOT))


@cache
def pages() -> dict[str, str]:
    """Return its pages, with those of its declared terms and of a term that nothing has."""
    terms = sorted(set(occurrences(passages_tokens(), passages().study.terms)["term"].astype(str)))
    return {name: page.decode("utf-8") for name, page in passages().pages([*terms, "绝无此词"]).items()}


def text_of(html: str) -> str:
    """Return the text of a piece of HTML."""
    return unescape(re.sub(r"<[^<>]*>", "", html))


def test_a_report_is_whole_and_its_restored_characters_are_marked() -> None:
    """The page of a report holds its text, every character once; what was put in is marked, with who decided."""
    for report in passages().reports:
        page = pages()[f"{report.id}.html"]
        body = page.partition("</p>")[2].partition("</main>")[0]
        assert text_of(body).replace("\n", "") == report.text.replace("\n", "")
        marked = re.findall(r'<ins[^<>]* title="([^"]*)">(.)</ins>', page)
        inserted = sorted(report.emendations, key=lambda row: row.offset)
        assert [one for _, one in marked] == [char for row in inserted for char in row.char]
        assert marked[0][0] == f"{inserted[0].certainty} · {inserted[0].decided_by}"


def test_every_row_of_the_apparatus_has_its_place() -> None:
    """Each row of the apparatus, applied or not, leads to an anchor of its report's page that stands once."""
    rows = passages().study.emendations.to_dict("records")
    for row in rows:
        ((_, href),) = passages().address({"report": row["report"], "offset": row["offset"]})
        page, _, anchor = href.removeprefix(f"{FOLDER}/").partition("#")
        assert pages()[unquote(page)].count(f'id="{anchor}"') == 1, href
    assert len(rows) > 50


def test_a_place_leads_to_its_sentence() -> None:
    """The start of a target leads to the anchor of the sentence that holds it, in the report of each side."""
    before, after = (report.id for report in passages().reports)
    sentence = passages().sentences[passages().sentences["report"] == after].iloc[40]
    record = {"report": before, "target_start": 3, "outcome_report": after, "outcome_start": int(sentence["start"]) + 2}
    first, second = passages().address(record)
    assert second == (after, f"{FOLDER}/{after}.html#c{sentence['start']}")
    assert first[0] == before and f'id="{first[1].partition("#")[2]}"' in pages()[f"{before}.html"]
    passage = re.search(rf'id="c{sentence["start"]}">(.*?)</span>', pages()[f"{after}.html"], re.DOTALL)
    assert passage and text_of(passage[1]) == sentence["text"]


def test_the_lines_of_a_term_are_its_occurrences() -> None:
    """The page of a term lists each of its occurrences with its words around it, each leading to its sentence."""
    found = occurrences(passages_tokens(), passages().study.terms)
    for term, rows in found[found["start"].notna()].groupby("term", observed=True):
        page = pages()[term_page(str(term))]
        matches = re.findall(r'<td class="match">(.*?)</td>', page)
        assert sorted(matches) == sorted(rows["form"].astype(str)[:MOST])
        aims = re.findall(r'<td><a href="([^"#]*)#([^"]*)"', page)
        assert len(aims) == len(rows) and all(f'id="{anchor}"' in pages()[unquote(name)] for name, anchor in aims)
    assert "共 0 处" in pages()[term_page("绝无此词")]


def test_a_cell_leads_to_the_lines_of_its_chapter() -> None:
    """A cell that holds occurrences leads to their first line in that chapter."""
    found = occurrences(passages_tokens(), passages().study.terms)
    row = found[found["start"].notna()].iloc[0]
    ((_, href),) = passages().address({"term": row["term"], "report": row["report"], "chapter": row["chapter"], "count": 2})
    name, _, anchor = href.removeprefix(f"{FOLDER}/").partition("#")
    assert anchor == f"{row['report']}-{row['chapter']}" and f'<tr id="{anchor}">' in pages()[name]


@cache
def passages_tokens() -> pd.DataFrame:
    """Return the tokens of the restored reports."""
    return tokenize(passages().sentences, passages().study.segmenter)


def test_pages_ask_for_nothing() -> None:
    """No page holds a script, an address to load, or a hidden character; the style allows nothing else."""
    for name, page in pages().items():
        assert "default-src 'none'" in page and not re.search(r"<script|https?://[^ ]*\.(js|css)|src=", page), name
        assert not re.search("[\0-\x08\u202a-\u202e]", page)
        assert len(page.encode()) < 2_000_000
