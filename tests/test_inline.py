"""Figures inside a page: every mark leads to its row, nothing but shapes comes in, hostile text stays text."""

from __future__ import annotations

import re
from html import escape
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from shinan_research.exporter import export_html
from shinan_research.figures import marks
from shinan_research.figures.style import add_axes, house_style, new_figure
from shinan_research.inline import BRIEF, CROWD, MIME, figure_data, inline_html, mark_words, terms_of
from shinan_research.publish import Published, _image_files

TABLE = pd.DataFrame({"term": ["甲", "乙", "丙"], "count_before": [3, 1, 0], "count_after": [5, 0, 2], "verdict": "too rare"})
PLACES = pd.DataFrame({"report": ["x-1"] * 3, "offset": [4, 9, 12]})


def published() -> Published:
    """Return a small figure: two marks of a table, both also as one line of two, and a collection of three ticks."""
    with house_style():
        figure = new_figure("single", 40)
        ax = add_axes(figure, 10, 5, 60, 20)
        for row in (0, 2):
            marks.of_row(ax.plot([row], [1], marker="o")[0], row)
        marks.of_row(ax.plot([0, 2], [2, 2], marker="x", linestyle="none")[0], 0, 2)
        marks.of_row(ax.vlines([0, 1, 2], 0, 1), 0, 1, 2, table="places")
    files = _image_files(figure, "small", "words", SimpleNamespace(licence="CC0", title={"en": "t"}))  # type: ignore[arg-type]
    rows = figure_data(figure, {"": TABLE, "places": PLACES})
    return Published("small", "Two marks.", "Caption <1>.", b"", (("How", "so"),), files["small.svg"], rows)


@pytest.fixture(scope="module")
def bundle() -> dict[str, Any]:
    """Return what the small figure displays for our own page."""
    return dict(published()._repr_mimebundle_()[0][MIME])


def nowhere(_: object) -> list[tuple[str, str]]:
    """Lead nowhere."""
    return []


def parsed(html: str) -> ElementTree.Element:
    """Return the HTML of a figure as a tree."""
    return ElementTree.fromstring(f"<page>{html}</page>")


def test_rows_that_marks_stand_for(bundle: dict[str, Any]) -> None:
    """The rows marked, and no others, travel with the figure, in the order of the table's columns."""
    assert bundle["rows"][""]["index"] == [0, 2] and bundle["rows"]["places"]["index"] == [0, 1, 2]
    assert bundle["rows"][""]["columns"] == list(TABLE.columns)
    assert bundle["rows"][""]["data"] == TABLE.iloc[[0, 2]].to_numpy().tolist()
    assert terms_of([bundle]) == ["丙", "甲"]


def test_every_mark_leads_to_its_row(bundle: dict[str, Any]) -> None:
    """Each mark is a link whose aim is the row of its table; marks of one artist are no stops of the keyboard."""
    page = parsed(inline_html(bundle, lambda record: [("lines", f"text/{record.get('term')}.html")]) or "")
    links = [link for link in page.iter("a") if link.get("href", "").startswith("#small-data")]
    assert [link.get("href") for link in links] == (
        ["#small-data..0", "#small-data..2", "#small-data..0", "#small-data..2"] + [f"#small-data.places.{n}" for n in range(3)]
        if links[0].get("href", "").startswith("#small-data..")
        else [f"#small-data.places.{n}" for n in range(3)] + [f"#small-data..{n}" for n in (0, 2, 0, 2)]
    )
    assert [link.get("tabindex") for link in links].count("-1") == 5
    rows = {row.get("id"): row for row in page.iter("tr")}
    assert all(link.get("href", "")[1:] in rows for link in links)
    assert "甲" in "".join(rows["small-data..0"].itertext())
    assert [a.get("href") for a in rows["small-data..2"].iter("a")] == ["text/丙.html", "#small"]
    assert {link.get("aria-label") for link in links} >= {"甲 · 3→5 · 过于稀少 too rare", "丙 · 0→2 · 过于稀少 too rare", "x-1"}


def test_the_drawing_is_named_and_described(bundle: dict[str, Any]) -> None:
    """The drawing has a role, a title and the alt text as description; all its ids are its own and stand once."""
    html = inline_html(bundle, nowhere) or ""
    drawing = next(parsed(html).iter("svg"))
    by_id = {one.get("id"): one for one in drawing.iter() if one.get("id")}
    title, words = (by_id[name] for name in str(drawing.get("aria-labelledby")).split())
    assert (title.tag, title.text, words.tag, words.text) == ("title", "small", "desc", "Two marks.")
    assert drawing.get("role") == "graphics-document document"
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids)) and all(one.startswith("small") for one in ids)
    assert "Caption &lt;1&gt;." in html and "<summary>How</summary>" in html
    plain = inline_html(bundle | {"rows": {}}, nowhere) or ""
    assert 'role="img"' in plain and "<a " not in plain


@pytest.mark.parametrize(("width", "style"), [("252.3pt", ' style="--width:252.3pt"'), ('1pt;x:url("y")', ""), ("", "")])
def test_the_page_knows_the_printed_width(bundle: dict[str, Any], width: str, style: str) -> None:
    """The frame of the drawing carries its printed width, if that is a width and nothing more."""
    svg = re.sub(r'(<svg [^>]*?)width="[^"]*"', lambda match: f'{match[1]}width="{escape(width)}"', bundle["svg"], count=1)
    assert f'<div class="canvas"{style}><svg' in str(inline_html(bundle | {"svg": svg}, nowhere))


def test_names_of_columns_may_break(bundle: dict[str, Any]) -> None:
    """The name of a column may break after its low lines, in the rows of a figure and in a table of pandas."""
    outputs = [new_output("display_data", {"text/html": TABLE.to_html()})]
    page = export_html(new_notebook(cells=[new_code_cell("t", id="t", outputs=outputs)]), title="T")
    for html in (str(inline_html(bundle, nowhere)), page):
        assert re.search(r"<th[^>]*>count_<wbr/>before</th>", html)


def test_a_crowd_is_drawn_without_links() -> None:
    """A line of very many dots carries no rows, and a long table shows its chief columns only."""
    many = pd.DataFrame({"term": [f"t{n}" for n in range(CROWD + 1)], "other": range(CROWD + 1), "rank": range(CROWD + 1)})
    with house_style():
        figure = new_figure("single", 40)
        ax = add_axes(figure, 10, 5, 60, 20)
        marks.of_row(ax.plot(many["other"], many["other"], ".")[0], *many["other"])
        assert figure_data(figure, {"": many}) == {}
        for row in range(CROWD + 1):
            marks.of_row(ax.plot([row], [row], ".")[0], row)
    rows = figure_data(figure, {"": many})
    svg = '<svg xmlns="http://www.w3.org/2000/svg"/>'
    page = parsed(inline_html({"name": "n", "svg": svg, "alt": "a", "caption": "c", "rows": rows}, nowhere) or "")
    heads = [head.text for head in page.iter("th")]
    assert heads[1:] == ["term", "rank"] and "other" not in BRIEF


def test_words_of_a_target() -> None:
    """A mark of a target carries both of its sentences."""
    record = {"indicator": "产值", "verdict": "met", "target_sentence": "增长7%。", "outcome_sentence": "增长8%。"}
    assert mark_words(record) == "产值 · 达到 met\n增长7%。\n增长8%。"


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"stratum": "经济", "share_before": 0.25, "share_after": 0.1}, "经济 · 25.0%→10.0%"),
        ({"topic": "T1", "label": "城市", "share_before": 0.25, "share_after": 0.1}, "城市 · 25.0%→10.0%"),
        ({"topics": 8, "halves": 0.9}, "8"),
        ({"term": "峰会", "before": "2019", "after": "2020", "verdict": "fragile"}, "峰会 · 不稳固 fragile"),
        ({"term": "峰会", "before": "甲县", "after": "乙县", "verdict": "higher"}, "峰会 · 乙县较多 more in 乙县"),
        ({"char": "中", "verdict": "lost"}, "中 · lost"),
        ({"other": None, "measure": 3}, "3"),
    ],
)
def test_every_mark_has_words(record: dict[str, Any], words: str) -> None:
    """A mark of a share, of a number of topics, and of a row without a known name has words that a screen reader can say."""
    assert mark_words(record) == words


HOSTILE = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="alert(1)">'
    '<script>alert(1)</script><a xlink:href="javascript:alert(1)"><path d="M 0 0"/></a>'
    '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="https://evil.example/x"/></body></foreignObject>'
    '<image href="https://evil.example/x"/><use xlink:href="https://evil.example/x#a"/><style>*{fill:red}</style>'
    '<animate attributeName="href" values="javascript:alert(1)"/><set attributeName="onload" to="alert(1)"/>'
    '<g id="n-row..0"><path onclick="alert(1)" style="fill: url(https://evil.example/x)" d="M 1 1"/></g>'
    '<g id="n-row..1" ><text style="background: expression(alert(1))">&lt;b&gt;<tspan>x</tspan></text></g></svg>'
)


def test_nothing_but_shapes_comes_in() -> None:
    """A drawing that somebody else put into the notebook keeps its shapes; scripts, addresses and handlers fall away."""
    bad = '"></svg></table></div><script>alert(1)</script>'
    rows = {"": {"columns": ["term", bad], "index": [0], "data": [[bad, bad]]}}
    page = parsed(inline_html({"name": "n", "svg": HOSTILE, "alt": bad, "caption": bad, "rows": rows}, nowhere) or "")
    assert not {one.tag for one in page.iter()} & {"script", "foreignObject", "image", "style", "animate", "set", "img", "body"}
    attributes = [(key, value) for one in page.iter() for key, value in one.attrib.items()]
    assert not [key for key, _ in attributes if key.startswith("on")]
    assert [value for key, value in attributes if "evil" in value or "javascript" in value or "expression" in value] == []
    assert {value for key, value in attributes if key == "href"} == {"#n-data..0", "#n"}
    data = {MIME: {"name": "n", "svg": HOSTILE, "alt": bad, "caption": bad, "rows": rows, "guides": [[bad, bad]]}}
    whole = export_html(new_notebook(cells=[new_code_cell("f", id="c", outputs=[new_output("display_data", data)])]), title="T")
    assert "<script" not in whole and "evil" not in whole and 'id="n-drawing"' in whole


@pytest.mark.parametrize(
    "change",
    [
        {"svg": "<svg"}, {"svg": '<!DOCTYPE a [<!ENTITY b "c">]><svg/>'}, {"name": 'a"b'}, {"name": "../x"}, {"rows": {'"': {}}},
        {"rows": {"": {"columns": ["a"], "index": ['0"'], "data": [[1]]}}}, {"rows": []}, {"caption": None, "rows": 3},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_figure_of_ours(bundle: dict[str, Any], change: dict[str, Any]) -> None:
    """What cannot be read as our figure gives nothing, and the page shows the picture instead."""
    assert inline_html(bundle | change, nowhere) is None
    data = {MIME: bundle | change, "text/html": "<p>instead</p>"}
    notebook = new_notebook(cells=[new_code_cell("f", id="c", outputs=[new_output("display_data", data)])])
    assert "<p>instead</p>" in export_html(notebook, title="T")


def test_a_page_shows_a_figure_once_inline(bundle: dict[str, Any]) -> None:
    """A published figure stands inline in the page, without its picture; shown a second time, no id stands twice."""
    data = {MIME: bundle, "text/html": '<figure id="small"><figcaption>again</figcaption></figure>'}
    outputs = [new_output("display_data", data), new_output("display_data", data)]
    page = export_html(new_notebook(cells=[new_code_cell("f", id="c", outputs=outputs)]), title="T")
    assert page.count("<svg") == 1 and page.count('<figure class="plot" id="small"') == 1 and 'id="user-small"' in page
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert "data-drawing" not in page
