"""A figure inside a page: its drawing reduced to shapes, its marks as links to rows of its table, each row to the text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any
from xml.etree import ElementTree

import pandas as pd
from matplotlib.figure import Figure

from .explain import verdict_name
from .messages import LANGUAGES, messages, say

MIME = "application/vnd.shinan.figure+json"
CROWD = 200  # a line of more dots than this is drawn, but its dots are no links
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
SHAPES = "svg g path use defs clipPath rect circle ellipse line polygon polyline pattern text tspan"
ATTRIBUTES = (
    "id d transform style clip-path x y x1 x2 y1 y2 cx cy r rx ry width height viewBox points fill stroke patternUnits "
    "patternTransform"
)
UNSAFE = re.compile(r"url\(\s*(?!#)|expression|import|javascript|[<>\\@&]", re.IGNORECASE)
DECIMALS = re.compile(r"(\.\d\d)\d+")  # of places in points: a hundredth is seen by nobody
NAMES = ("term", "indicator", "char", "stratum", "label", "topics", "report")  # what names a row, the narrowest first
LONG, WHOLE = 16, 48  # characters: a cell with more is text, or whole sentences, and is given a width to be read at
BRIEF = (
    *NAMES, "side", "topic", "share", "place", "variant", "scope", "unit", "headings", "before", "after", "count_before",
    "count_after", "log2_ratio", "rank", "verdict", "differs",
)  # fmt: skip
SENTENCES = ("target_sentence", "outcome_sentence")
Rows = Mapping[str, Mapping[str, Mapping[str, Any]]]
Address = Callable[[Mapping[str, Any]], list[tuple[str, str]]]


def figure_data(figure: Figure, tables: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, list[Any]]]:
    """Return by table the rows that marks of a figure stand for (see :func:`.figures.marks.of_row`).

    Of each table `columns`, `index` (positions in it) and `data`: lists, for a notebook sorts the keys of its JSON.
    """
    wanted: dict[str, set[int]] = {}
    for artist in figure.findobj(lambda one: str(one.get_gid() or "").startswith("row.")):
        _, table, *rows = str(artist.get_gid()).split(".")
        if table in tables and len(rows) <= CROWD:
            wanted.setdefault(table, set()).update(int(row) for row in rows if int(row) < len(tables[table]))
    found = {}
    for table in (key for key in tables if key in wanted):
        chosen = sorted(wanted[table])
        parts = json.loads(tables[table].iloc[chosen].to_json(orient="split", force_ascii=False))
        found[table] = {"columns": parts["columns"], "index": chosen, "data": parts["data"]}
    return found


def _records(rows: Mapping[str, Any]) -> Rows:
    """Return tables of rows as records by table and position; refuse names that are none."""
    if any(not re.fullmatch("[a-z0-9-]*", key) for key in rows):
        raise ValueError("a table's name")
    return {
        str(key): {
            str(int(row)): dict(zip(table["columns"], values, strict=True))
            for row, values in zip(table["index"], table["data"], strict=True)
        }
        for key, table in rows.items()
    }


def inline_html(data: Mapping[str, Any], address: Address) -> str | None:
    """Return a figure as HTML: drawing, caption, and the rows that its marks lead to; None if it is not one that we drew.

    Parameters
    ----------
    data
        What a published figure displays under the type `MIME`: `name, svg, alt, caption, rows, guides`.
    address
        Gives for a row the texts and addresses of the pages that it leads to.
    """
    try:
        name, rows = str(data["name"]), _records(data["rows"])
        text = str(data["svg"])
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or "<!ENTITY" in text:
            return None
        root = ElementTree.fromstring(text)
        drawing = _drawing(root, name, rows, str(data["alt"]))
        listed = "".join(_table(name, key, rows[key], address) for key in rows)
        caption = escape(str(data["caption"]))
        guides = "".join(
            f"<details><summary>{escape(str(title))}</summary><p>{escape(str(words))}</p></details>"
            for title, words in data.get("guides", ())
        )
    except (ElementTree.ParseError, LookupError, TypeError, ValueError, AttributeError):
        return None
    width = root.get("width", "")
    style = f' style="--width:{width}"' if re.fullmatch(r"\d+(\.\d+)?pt", width) else ""
    shown = f'<div class="canvas"{style}>{drawing}</div><figcaption>{caption}</figcaption>'
    return f'<figure id="{name}" class="plot">{shown}</figure>{guides}{listed}'


def _drawing(root: ElementTree.Element, name: str, rows: Rows, alt: str) -> str:
    """Return a drawing as inline SVG, named and described, reduced to shapes, its marks being links."""
    _reduce(root)
    links = _link_marks(root, name, rows)
    role = "graphics-document document" if links else "img"
    keys = {
        "id": f"{name}-drawing",
        "role": role,
        "aria-labelledby": f"{name}-label {name}-alt",
        "stroke-linejoin": "round",
        "stroke-linecap": "butt",
    }
    for key, value in keys.items():
        root.set(key, value)
    for place, (tag, words) in enumerate((("title", name), ("desc", alt))):
        element = ElementTree.Element(tag, {"id": f"{name}-{'alt' if place else 'label'}"})
        element.text = words
        root.insert(place, element)
    return ElementTree.tostring(root, encoding="unicode")


def _reduce(element: ElementTree.Element) -> None:
    """Keep shapes and harmless attributes, without name spaces; everything else falls away."""
    element.tag = str(element.tag).removeprefix(SVG)
    for key, value in list(element.attrib.items()):
        local = key in ("href", f"{XLINK}href") and value.startswith("#")
        if not (key in ATTRIBUTES.split() and not UNSAFE.search(value)):
            del element.attrib[key]
        if local:
            element.set("href", value)
    for key in {"d", "x", "y"} & set(element.attrib):
        element.set(key, DECIMALS.sub(r"\1", element.attrib[key].replace("\n", "")))
    element.text = element.text if element.tag in ("text", "tspan") else None
    for child in list(element):
        child.tail = None
        if isinstance(child.tag, str) and child.tag.removeprefix(SVG) in SHAPES.split():
            _reduce(child)
        else:
            element.remove(child)


def _link_marks(root: ElementTree.Element, name: str, rows: Rows) -> int:
    """Wrap each mark in a link to its row; return how many there are. Marks of one artist are no stops of the keyboard."""
    pattern, number = re.compile(rf"{name}-row\.([a-z0-9-]*)\.(\d+(?:\.\d+)*)(?:_\d+)?"), 0
    for parent in list(root.iter()):
        for place, child in enumerate(list(parent)):
            found = pattern.fullmatch(child.get("id", ""))
            if not found:
                continue
            table, wanted = found[1], found[2].split(".")
            if len(wanted) == 1:
                number += _wrap(parent, place, name, table, wanted[0], rows)
            else:
                holder = next((each for each in child.iter("g") if each.find("use") is not None), child)
                marks = [(i, mark) for i, mark in enumerate(holder) if mark.tag in ("use", "path")]
                for (i, _), row in zip(marks, wanted if len(marks) == len(wanted) else [], strict=False):
                    number += _wrap(holder, i, name, table, row, rows, {"tabindex": "-1"})
    return number


def _wrap(
    parent: ElementTree.Element, place: int, name: str, table: str, row: str, rows: Rows, keys: Mapping[str, str] | None = None
) -> int:
    """Put one mark into a link with its words, if its row is at hand."""
    record = rows.get(table, {}).get(row)
    if record is None:
        return 0
    words = mark_words(record)
    link = ElementTree.Element("a", {"href": f"#{name}-data.{table}.{row}", "aria-label": words, **(keys or {})})
    title = ElementTree.SubElement(link, "title")
    title.text = words
    link.append(parent[place])
    parent[place] = link
    return 1


def mark_words(record: Mapping[str, Any]) -> str:
    """Return what a mark stands for in a few words: its name, both counts, its verdict, and the sentences it comes from."""
    parts = [str(record[key]) for key in (*NAMES, *record) if record.get(key)][:1]
    if record.get("count_before") is not None and record.get("count_after") is not None:
        parts.append(f"{record['count_before']}→{record['count_after']}")
    elif record.get("share_before") is not None and record.get("share_after") is not None:
        parts.append("→".join(f"{100 * record[f'share_{role}']:.1f}%" for role in ("before", "after")))
    elif record.get("topic") and record.get("share") is not None:
        parts.append(f"{record['topic']} {100 * record['share']:.1f}%")
    about = ("report", "chapter_title", "certainty", "verdict")
    named = {**record, "verdict": _verdict(record)}
    parts += [str(named[key]) for key in about if named.get(key) and named[key] != parts[0]]
    if "left" in record and "right" in record and record.get("char"):
        parts.append(f"{record['left'] or ''}〔{record['char']}〕{record['right'] or ''}")
    if record.get("count") is not None:
        parts.append(f"× {record['count']}")
    return " · ".join(part for part in parts if part) + "".join(f"\n{record[key]}" for key in SENTENCES if record.get(key))


def _verdict(record: Mapping[str, Any]) -> str:
    """Return the verdict of a row in Chinese and English; as the table has it where the messages have no word for it."""
    verdict = str(record.get("verdict") or "")
    if verdict in messages()["verdict"] and {"before", "after"} <= set(record):
        return " ".join(verdict_name(record, one) for one in LANGUAGES)
    kind = next((one for one in ("verdict", "verdicts") if verdict in messages()[one]), "")
    return say(f"{kind}.{verdict}", "both") if kind else verdict


def _table(name: str, key: str, rows: Mapping[str, Mapping[str, Any]], address: Address) -> str:
    """Return the rows that marks stand for as a table; the first column leads on to the text, or back to the figure.

    A column that says the same in every row is left out; of a long table only those of `BRIEF` are shown.
    """
    every = dict.fromkeys(column for record in rows.values() for column in record)
    columns = [one for one in every if one in NAMES or len({str(record.get(one)) for record in rows.values()}) > 1]
    columns = [one for one in columns if one in BRIEF] if len(rows) > CROWD else columns
    file = f"{name}{'.' if key else ''}{key}.csv"
    caption = say("inline.rows", "both", file=file)
    heads = "".join(f'<th scope="col">{escape(column).replace("_", "_<wbr/>")}</th>' for column in columns)
    lines = "".join(
        f'<tr id="{name}-data.{key}.{int(row)}">{_leads(name, record, address)}'
        + "".join(_cell(record.get(column)) for column in columns)
        + "</tr>"
        for row, record in rows.items()
    )
    head = f'<thead><tr><th scope="col">{escape(say("inline.text", "both"))}</th>{heads}</tr></thead>'
    table = f"<table><caption>{escape(caption)}</caption>{head}<tbody>{lines}</tbody></table>"
    return f'<div class="table rows" role="group" tabindex="0" aria-label="{escape(caption)}">{table}</div>'


def _leads(name: str, record: Mapping[str, Any], address: Address) -> str:
    """Return the cell of a row that leads to the text and back to the figure."""
    words = mark_words(record).partition("\n")[0]
    links = [*address(record), ("↑", f"#{name}")]
    joined = " ".join(
        f'<a href="{escape(href)}" aria-label="{escape(f"{text} {words}")}">{escape(text)}</a>' for text, href in links
    )
    return f'<td class="leads">{joined}</td>'


def _cell(value: Any) -> str:
    """Return a value as a cell, numbers short."""
    if isinstance(value, float):
        words = f"{value:.4g}" if value != int(value) else f"{value:.0f}"
        return f'<td class="number">{words.replace("-", "−")}</td>'
    kind = ' class="number"' if isinstance(value, int) and not isinstance(value, bool) else ""
    kind = f' class="{breadth(value)}"' if isinstance(value, str) and breadth(value) else kind
    return f"<td{kind}>{escape(str('' if value is None else value))}</td>"


def breadth(text: str) -> str:
    """Return the class of a cell that holds long text, or none."""
    return "whole" if len(text) > WHOLE else "long" if len(text) > LONG else ""


def terms_of(figures: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the terms that rows of figures name, sorted."""
    rows = (record for data in figures for table in _records(data["rows"]).values() for record in table.values())
    return sorted({str(record["term"]) for record in rows if record.get("term")})
