"""The first page of a study: figures that lead to their place, tables, and hostile words that stay words."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from PIL import Image
from test_publish import make_study

from shinan_research import FigureError
from shinan_research.gallery import gallery
from shinan_research.inline import MIME
from shinan_research.publish import MANIFEST, json_bytes
from shinan_research.render import SMALL, small_picture

HOSTILE = '<script>x</script> "&'


def picture(width: int, height: int) -> str:
    """Return a picture in base64."""
    target = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(target, "png")
    return base64.b64encode(target.getvalue()).decode("ascii")


@pytest.fixture
def page(tmp_path: Path) -> BeautifulSoup:
    """Return the first page of a study whose one notebook shows one figure twice and publishes one table."""
    study = make_study(tmp_path)
    caption = {"zh": f"{HOSTILE}一图。第二句。", "en": f"{HOSTILE} one. Two."}
    for kind, name, files in (("figures", "shift", ["shift.pdf", "shift.csv"]), ("tables", "terms", ["terms.csv"])):
        entry: dict[str, Any] = {"caption": caption, "files": dict.fromkeys(files, "")}
        (tmp_path / kind).mkdir()
        (tmp_path / kind / MANIFEST).write_bytes(json_bytes({kind: {name: entry}}))
    shown = {"data": {MIME: {"name": "shift", "alt": HOSTILE}, "image/png": picture(1400, 700)}}
    stray = {"data": {MIME: {"name": "gone", "alt": "x"}, "image/png": picture(4, 4)}}
    executed = {"one": {"cells": [{}, {"outputs": [shown, stray]}, {"outputs": [shown]}]}}
    records = {"one": {"title": "How [long]?", "tables": ["terms"]}}
    return BeautifulSoup(gallery(study, records, executed), "html.parser")


def test_a_figure_leads_to_its_place_and_its_files(page: BeautifulSoup) -> None:
    """Each figure stands once, as a picture with its alt text that leads to its place, with links to its files."""
    figures = page.select(".gallery figure")
    assert len(figures) == 2 and len(page.select("img")) == 1
    assert page.select(".gallery a > img")[0]["alt"] == HOSTILE
    assert [link["href"] for link in figures[0].select("a")] == [
        "one.html#shift", "one.html#shift", "../../figures/shift.csv", "../../figures/shift.pdf",
    ]  # fmt: skip
    assert [link["href"] for link in figures[1].select("a")] == ["one.html#user-table-terms", "../../tables/terms.csv"]
    assert page.select("main ol a")[0]["href"] == "one.html" and page.select("main ol a")[0].get_text() == "How [long]?"


def test_words_are_the_first_sentence_in_both_languages(page: BeautifulSoup) -> None:
    """Of a caption the first sentence is shown in each language, hostile words as words."""
    words = page.select("figcaption")[0].get_text("|")
    assert f"{HOSTILE}一图。" in words.replace("|", "") and f"{HOSTILE} one." in words.replace("|", "")
    assert "第二句" not in words and "Two" not in words and not page.select("script")


def test_small_pictures() -> None:
    """A picture is made to fit, in its proportions, the same bytes each time; what is no picture is refused."""
    small = small_picture(picture(1440, 720))
    with Image.open(io.BytesIO(base64.b64decode(small))) as opened:
        assert opened.size == (SMALL[0], SMALL[0] // 2)
    assert small == small_picture(picture(1440, 720))
    with pytest.raises(FigureError, match="Not a picture"):
        small_picture("AAAA")
