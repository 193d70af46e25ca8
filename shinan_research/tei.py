"""Export the two layers of a restored report as TEI, for editions and archives."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from .errors import ApparatusError
from .reports import Emendation, Report

NAMESPACE = "http://www.tei-c.org/ns/1.0"
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
CERT = {"attested": "high", "certain": "high", "probable": "medium", "possible": "low"}
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_tei(reports: Iterable[Report]) -> bytes:
    """Return restored reports as one TEI document.

    Every emendation is a `<supplied reason="omitted">` in its place, with `cert`, `resp` (who decided) and `source`, the last
    two pointing into the header; every space taken out is a `<surplus>`. The back matter lists each emendation as an `<app>`
    whose lemma is the conjecture and whose reading, the page's, is empty.

    Returns
    -------
    bytes
        UTF-8. The text without `<surplus>` is `Report.text`, without `<supplied>` it is `Report.witness`; characters that
        XML forbids become U+FFFD.

    Raises
    ------
    ApparatusError
        If there is no report, or one has not been restored.
    """
    reports = list(reports)
    if not reports:
        raise ApparatusError("to_tei was given no reports; expected at least one, restored.")
    raw = [report.id for report in reports if not report.restored]
    if raw:
        raise ApparatusError(f"Not restored: {', '.join(raw)}. Only restored reports have two layers to export.")
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(_tag("TEI"))
    cited = sorted({row.source for report in reports for row in report.emendations if row.source})
    sources = {source: f"source-{number}" for number, source in enumerate(cited)}
    _header(root, reports, sources)
    group = ET.SubElement(ET.SubElement(root, _tag("text")), _tag("group"))
    for number, report in enumerate(reports):
        _report(group, report, f"#page-{number}", sources)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _clean(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)


def _header(root: ET.Element, reports: list[Report], sources: dict[str, str]) -> None:
    """Write the file description: what the texts are, who decided, which file each was taken from, and what is cited."""
    description = ET.SubElement(ET.SubElement(root, _tag("teiHeader")), _tag("fileDesc"))
    title = ET.SubElement(description, _tag("titleStmt"))
    ET.SubElement(title, _tag("title")).text = _clean("; ".join(f"{report.place} {report.year}" for report in reports))
    rows = [row for report in reports for row in report.emendations]
    for judge in sorted({row.decided_by for row in rows}):
        statement = ET.SubElement(title, _tag("respStmt"), {XML_ID: _judge(judge)})
        ET.SubElement(statement, _tag("resp")).text = "emendations"
        names = sorted({row.editor for row in rows if row.decided_by == judge and row.editor})
        ET.SubElement(statement, _tag("name")).text = _clean(": ".join([judge, "; ".join(names)] if names else [judge]))
    ET.SubElement(ET.SubElement(description, _tag("publicationStmt")), _tag("p")).text = "Apparatus: CC BY 4.0."
    origin = ET.SubElement(description, _tag("sourceDesc"))
    witnesses = ET.SubElement(origin, _tag("listWit"))
    for number, report in enumerate(reports):
        witness = ET.SubElement(witnesses, _tag("witness"), {XML_ID: f"page-{number}"})
        witness.text = _clean(f"{report.id}: {report.source}, SHA-256 {report.sha256}")
    cited = ET.SubElement(origin, _tag("listBibl")) if sources else origin
    for source, name in sources.items():
        ET.SubElement(cited, _tag("bibl"), {XML_ID: name}).text = _clean(source)


def _judge(name: str) -> str:
    """Return who decided as an identifier of the document."""
    return name.replace(" ", "-")


def _values(row: Emendation, sources: dict[str, str]) -> dict[str, str]:
    """Return the attributes of an emendation: how sure, who decided, and what is cited."""
    values = {"cert": CERT[row.certainty], "resp": f"#{_judge(row.decided_by)}"}
    return values | ({"source": f"#{sources[row.source]}"} if row.source else {})


def _report(group: ET.Element, report: Report, witness: str, sources: dict[str, str]) -> None:
    """Write one report: its text with both layers, then its apparatus."""
    text = ET.SubElement(group, _tag("text"), {"n": _clean(report.id)})
    paragraph = ET.SubElement(ET.SubElement(text, _tag("body")), _tag("p"))
    position, last = 0, None
    edits: list[tuple[int, int, Emendation | str]] = [(row.offset, 0, row) for row in report.emendations]
    edits += [(row.offset, len(row.removed), row.removed) for row in report.normalisations]
    for offset, removed, edit in sorted(edits, key=lambda edit: edit[:2]):
        _append(paragraph, last, report.witness[position:offset])
        last = _edit(paragraph, edit, sources)
        position = offset + removed
    _append(paragraph, last, report.witness[position:])
    _apparatus(text, report, witness, sources)


def _append(paragraph: ET.Element, last: ET.Element | None, words: str) -> None:
    """Add running text after the last element of a paragraph."""
    if last is None:
        paragraph.text = (paragraph.text or "") + _clean(words)
    else:
        last.tail = (last.tail or "") + _clean(words)


def _edit(paragraph: ET.Element, edit: Emendation | str, sources: dict[str, str]) -> ET.Element:
    """Add one emendation or one removed space."""
    if isinstance(edit, str):
        element = ET.SubElement(paragraph, _tag("surplus"), {"reason": "stray-space"})
        element.text = edit
        return element
    element = ET.SubElement(paragraph, _tag("supplied"), {"reason": "omitted", **_values(edit, sources)})
    element.text = _clean(edit.char)
    return element


def _apparatus(text: ET.Element, report: Report, witness: str, sources: dict[str, str]) -> None:
    """Add the apparatus of one report in lemma form."""
    if not report.emendations:  # the schema wants at least one entry
        return
    entries = ET.SubElement(ET.SubElement(text, _tag("back")), _tag("listApp"))
    for row in report.emendations:
        app = ET.SubElement(entries, _tag("app"), {"loc": str(row.offset)})
        ET.SubElement(app, _tag("lem"), _values(row, sources)).text = _clean(row.char)
        ET.SubElement(app, _tag("rdg"), {"wit": witness})
        ET.SubElement(app, _tag("note")).text = _clean(f"{row.left}[{row.char}]{row.right} {row.evidence}")
