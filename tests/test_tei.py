"""The export to TEI holds both layers of the text."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pandas as pd
import pytest

from shinan_research import ApparatusError, Emendation, Report, restore, to_tei

NS = "{http://www.tei-c.org/ns/1.0}"
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"


def exported(text: str, *rows: Emendation) -> ET.Element:
    """Return the document of one report restored with these rows."""
    return ET.fromstring(to_tei(restore([Report("a", "甲区", 2031, text, text)], pd.DataFrame(rows, columns=list(COLUMNS)))))


COLUMNS = Emendation("a", 0, "x").__dict__
ROW = Emendation("a", 7, "中", "十九届 二、三", "全会", "attested", "accept", "machine reader", source="a <copy> & more")


def layer(root: ET.Element, without: str) -> str:
    """Return the running text without one kind of element."""
    paragraph = root.find(f".//{NS}body/{NS}p")
    parts = [paragraph.text or ""]
    for child in paragraph:
        parts += ["" if child.tag == NS + without else child.text or "", child.tail or ""]
    return "".join(parts)


def test_both_layers_stand_in_the_document() -> None:
    """Without what was supplied it is the witness, without the stray space the text."""
    root = exported("十九届 二、三全会<b>&", ROW)
    assert layer(root, "supplied") == "十九届 二、三全会<b>&"
    assert layer(root, "surplus") == "十九届二、三中全会<b>&"
    supplied = root.find(f".//{NS}supplied")
    assert supplied.attrib == {"reason": "omitted", "cert": "high", "resp": "#machine-reader", "source": "#source-0"}


def test_the_apparatus_has_an_entry_per_emendation() -> None:
    """Each emendation is an entry whose lemma is the character and whose reading is empty."""
    [app] = exported("十九届 二、三全会", ROW).findall(f".//{NS}app")
    assert (app.get("loc"), app.find(f"{NS}lem").text, app.find(f"{NS}rdg").text) == ("7", "中", None)
    assert app.find(f"{NS}rdg").get("wit") == "#page-0"


def test_every_pointer_leads_to_an_element() -> None:
    """Who decided, what is cited and the page stand in the header, each once, under the names that the text points to."""
    person = replace(ROW, offset=9, left="会", right="", source="", decided_by="person", editor="Li Hua")
    root = exported("十九届 二、三全会", ROW, person)
    named = [element.get(XML_ID) for element in root.iter() if element.get(XML_ID)]
    assert sorted(named) == ["machine-reader", "page-0", "person", "source-0"]
    pointers = {element.get(name) for element in root.iter() for name in ("resp", "source", "wit") if element.get(name)}
    assert pointers == {f"#{name}" for name in named}
    texts = {element.get(XML_ID): "".join(element.itertext()) for element in root.iter() if element.get(XML_ID)}
    assert texts["source-0"] == "a <copy> & more"
    assert texts["person"] == "emendationsperson: Li Hua"


def test_forbidden_characters_do_not_break_the_document() -> None:
    """Control characters that XML forbids become U+FFFD."""
    assert "\ufffd" in layer(exported("甲\x0b乙"), "supplied")


# What the schema of TEI P5 4.11 lets each element that is written hold.
# The whole study was valid by the schemas of 4.3 and 4.11 (tei_all.rng, with lxml) on 2026-11-27.
CHILDREN = {
    "TEI": "teiHeader text", "teiHeader": "fileDesc", "fileDesc": "titleStmt publicationStmt sourceDesc",
    "titleStmt": "title( respStmt)*", "respStmt": "resp name", "publicationStmt": "p", "sourceDesc": "listWit( listBibl)?",
    "listWit": "witness( witness)*", "listBibl": "bibl( bibl)*", "group": "text( text)*", "text": "group|body( back)?",
    "body": "p", "back": "listApp", "listApp": "app( app)*", "app": "lem rdg note", "p": "(supplied|surplus| )*",
}  # fmt: skip
ATTRIBUTES = {"respStmt": {XML_ID}, "witness": {XML_ID}, "bibl": {XML_ID}, "text": {"n"}, "surplus": {"reason"}, "app": {"loc"}}
ATTRIBUTES |= {"rdg": {"wit"}, "lem": {"cert", "resp", "source"}, "supplied": {"reason", "cert", "resp", "source"}}


@pytest.mark.parametrize("rows", [(), (ROW,), (ROW, replace(ROW, offset=9, left="会", right="", source=""))])
def test_elements_and_attributes_are_those_of_the_schema(rows: tuple[Emendation, ...]) -> None:
    """Each element holds what TEI lets it hold, lists are never empty, and certainties and names are of the right type."""
    root = exported("十九届 二、三全会", *rows)
    for element in root.iter():
        name = element.tag.removeprefix(NS)
        assert re.fullmatch(CHILDREN.get(name, ""), " ".join(child.tag.removeprefix(NS) for child in element)), name
        assert set(element.attrib) <= ATTRIBUTES.get(name, set())
        assert element.get("cert", "low") in ("high", "medium", "low", "unknown")
        assert re.fullmatch(r"[^\W\d][\w.-]*", element.get(XML_ID, "a"))
        assert re.fullmatch(r"\S+", element.get("reason", "a"))


def test_no_reports_are_refused() -> None:
    """A document without a text would not be TEI."""
    with pytest.raises(ApparatusError, match="no reports"):
        to_tei([])


def test_an_unrestored_report_is_refused() -> None:
    """Only restored reports have two layers."""
    with pytest.raises(ApparatusError, match="Not restored: a"):
        to_tei([Report("a", "甲区", 2031, "甲", "甲")])
