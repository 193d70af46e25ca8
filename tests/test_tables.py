"""Published tables: four formats of one content, the same bytes every time, hostile cells harmless in each."""

import csv
import io
import json
import re
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pandas as pd
import pytest
from test_publish import contents, make_figure, make_study

from shinan_research import FigureError
from shinan_research import tables as module
from shinan_research.explain import ratio
from shinan_research.files import sha256
from shinan_research.publish import MANIFEST, read_manifest
from shinan_research.tables import ABSENT, WORD_PACKAGE, plain, publish_table, tex_text

HOSTILE = ["</td><script>x</script>", "a & b \\\\ c", "50 % #1 $x_1$ {", "=1+1", "[x]", "two\nlines", "\u202e\0x", "\\input{x}"]
GIVEN = {"zh": "一张表。", "en": "A table <i>."}
TEXTS = {"terms.csv", "terms.zh.tex", "terms.en.tex", "terms.html"}
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@pytest.fixture(scope="module")
def shift() -> pd.DataFrame:
    """Return a table of compare."""
    return make_figure()[1][""]


def own(cells: list[object], **columns: list[object]) -> pd.DataFrame:
    """Return a table of one's own making, with settings."""
    table = pd.DataFrame({"词": cells, **columns})
    table.attrs = {"settings": {"function": "own"}}
    return table


class Cells(HTMLParser):
    """The cells of an HTML table, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.open = tag in ("td", "th")
        self.cells += [""] if tag in ("td", "th") else []

    def handle_data(self, data: str) -> None:
        """Note text."""
        if self.open:
            self.cells[-1] += data

    def handle_endtag(self, tag: str) -> None:
        """Note that a cell ends."""
        self.open = False


def test_all_files_of_a_table(tmp_path: Path, shift: pd.DataFrame) -> None:
    """CSV, LaTeX in each language and HTML stand beside description and manifest, each with its hash; Word where it can."""
    study = make_study(tmp_path)
    publish_table(shift, "terms", study=study)
    files = contents(tmp_path / "tables")
    entry = read_manifest(tmp_path / "tables", kind="tables")["tables"]["terms"]
    assert set(entry["files"]) - {"terms.docx"} == TEXTS
    assert entry["files"] == {name: sha256(files[name]) for name in entry["files"]}
    assert set(files) == {*entry["files"], "terms.json", MANIFEST}
    assert ("terms.docx" in files) == (entry["platform"][WORD_PACKAGE] != ABSENT)
    assert json.loads(files["terms.json"]) == {key: value for key, value in entry.items() if key != "platform"}


def test_publishing_twice_changes_nothing(tmp_path: Path, shift: pd.DataFrame) -> None:
    """The same table gives the same bytes in every file; a second table leaves the first alone."""
    study = make_study(tmp_path)
    publish_table(shift, "terms", study=study)
    first = contents(tmp_path / "tables")
    publish_table(shift, "terms", study=study)
    assert contents(tmp_path / "tables") == first
    publish_table(own(["a"]), "other", study=study, caption_text=GIVEN)
    assert {name: raw for name, raw in contents(tmp_path / "tables").items() if name in first and name != MANIFEST} == {
        name: raw for name, raw in first.items() if name != MANIFEST
    }


def test_a_comparison_prints_what_a_paper_needs(tmp_path: Path, shift: pd.DataFrame) -> None:
    """A table of compare shows counts, rates, ratio with interval, p and verdict, as the row has them."""
    shown = publish_table(shift, "terms", study=make_study(tmp_path, language="en")).shown
    assert (tmp_path / "tables" / "terms.tex").exists()
    assert shown.headings[0] == "Term" and shown.headings[-2:] == ("Adjusted\np", "Verdict")
    row = shift.iloc[0]
    assert shown.rows[0][:5] == ("花", "8", "0", f"{row['rate_before']:.1f}", f"{row['rate_after']:.1f}")
    assert shown.rows[0][5] == f"{ratio(2 ** row['log2_ratio'])} [< 0.001, {ratio(2 ** row['high'])}]"
    assert shown.rows[0][6:] == ("–", "too concentrated")
    stacked = pd.concat([shift, shift.assign(scope="plan")])
    stacked.attrs = shift.attrs
    assert "Scope" in publish_table(stacked, "both", study=make_study(tmp_path, language="en")).shown.headings


def test_caption_is_computed(tmp_path: Path, shift: pd.DataFrame) -> None:
    """The caption of a comparison names place, groups and how the terms were chosen; one given by hand is taken over."""
    study = make_study(tmp_path)
    publish_table(shift, "terms", study=study)
    entry = read_manifest(tmp_path / "tables", kind="tables")["tables"]["terms"]
    assert "Jia County (body)" in entry["caption"]["en"] and "not be called pre-specified" in entry["caption"]["en"]
    assert "甲县" in entry["caption"]["zh"]
    assert publish_table(own(["a"]), "own", study=study, caption_text=GIVEN).caption == GIVEN["en"]


def test_columns_and_headings(tmp_path: Path, shift: pd.DataFrame) -> None:
    """Columns are printed as asked for, in that order, under headings in the language asked for; the CSV keeps all."""
    study, both = make_study(tmp_path), {"g2": {"zh": "对数似然", "en": "Log likelihood"}}
    shown = publish_table(shift, "terms", study=study, columns=["g2"], headings=both).shown
    assert shown.headings == ("对数似然\nLog likelihood",)
    chosen = {"columns": ["term", "g2"], "headings": both, "language": "zh"}
    shown = publish_table(shift, "terms", study=study, **chosen).shown
    assert (shown.headings, shown.sides) == (("term", "对数似然"), ("left", "right"))
    assert list(pd.read_csv(tmp_path / "tables" / "terms.csv").columns) == list(shift.columns)
    with pytest.raises(FigureError, match=r"The table has no column 'g3'. Columns present: variant, scope"):
        publish_table(shift, "terms", study=study, columns=["g3"])


def test_hostile_cells_in_html(tmp_path: Path) -> None:
    """No cell becomes a tag, and each is read back as it was, on one line and without what cannot be seen."""
    publish_table(own(HOSTILE), "own", study=make_study(tmp_path), caption_text=GIVEN)
    page = (tmp_path / "tables" / "own.html").read_text(encoding="utf-8")
    parsed = Cells(page)
    assert parsed.cells == 2 * ["词", *(plain(cell) for cell in HOSTILE)]
    assert "script" not in parsed.tags and "A table &lt;i&gt;." in page
    assert '<meta charset="utf-8">' in page and "src=" not in page


def test_html_carries_its_style_on_every_cell(tmp_path: Path) -> None:
    """Pasted into Word, where style sheets are lost, the three rules and the sides remain."""
    publish_table(own(["a", "b"], n=[1, 2]), "own", study=make_study(tmp_path), caption_text=GIVEN)
    page = (tmp_path / "tables" / "own.html").read_text(encoding="utf-8")
    assert len(re.findall(r"<t[dh][^>]* style=", page)) == 12
    assert page.count("border-top") == 4 and page.count("border-bottom") == 8 and page.count("text-align:right") == 6


def test_hostile_cells_in_latex(tmp_path: Path) -> None:
    """Each row stays one row, with no command, comment or cell of its own making; the compiler's word is in test_papers."""
    publish_table(own(HOSTILE, n=list(range(len(HOSTILE)))), "own", study=make_study(tmp_path), caption_text=GIVEN)
    text = (tmp_path / "tables" / "own.en.tex").read_text(encoding="utf-8")
    rows = text.partition("\\midrule\n")[2].partition("\\bottomrule")[0].splitlines()
    assert len(rows) == len(HOSTILE)
    assert all(len(re.findall(r"(?<!\\)&", row)) == 1 and row.endswith(r" \\") for row in rows)
    assert not [row for row in rows if re.search(r"(?<!\\)[%#$_]|\\input", row) or row.startswith(("[", "*"))]


def test_hostile_cells_in_csv(tmp_path: Path) -> None:
    """A cell that a spreadsheet would run is quoted; the rest of the CSV is the table."""
    publish_table(own(HOSTILE), "own", study=make_study(tmp_path), caption_text=GIVEN)
    text = (tmp_path / "tables" / "own.csv").read_bytes().decode("utf-8-sig")
    back = [row["词"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert back == ["'=1+1" if cell == "=1+1" else cell for cell in HOSTILE]


def test_word_document(tmp_path: Path, shift: pd.DataFrame) -> None:
    """The Word document holds caption and cells, is dated 1980 and names no author; the same bytes every time."""
    pytest.importorskip("docx", reason="python-docx is not installed")
    study = make_study(tmp_path)
    shown = publish_table(own(HOSTILE), "own", study=study, caption_text=GIVEN).shown
    raw = (tmp_path / "tables" / "own.docx").read_bytes()
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        assert {entry.date_time[0] for entry in packed.infolist()} == {1980}
        document = ElementTree.fromstring(packed.read("word/document.xml"))
        assert b"python-docx" not in packed.read("docProps/core.xml")
    words = ["".join(text.text or "" for text in part.iter(f"{WORD}t")) for part in document.iter(f"{WORD}p")]
    cells = [*shown.headings, *(row[0] for row in shown.rows)]
    assert words == [GIVEN["zh"], *cells, GIVEN["en"], *cells]
    assert len(list(document.iter(f"{WORD}tcBorders"))) == 4


@pytest.mark.parametrize("installed", ["", "0.8.11"])
def test_without_python_docx(tmp_path: Path, shift: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, installed: str) -> None:
    """Where python-docx is not installed, or too old to write a table, the other files are the same and the manifest says so."""

    def absent(name: str) -> str:
        if installed:
            return installed
        raise module.PackageNotFoundError(name)

    monkeypatch.setattr(module, "version", absent)
    publish_table(shift, "terms", study=make_study(tmp_path))
    entry = read_manifest(tmp_path / "tables", kind="tables")["tables"]["terms"]
    assert entry["platform"][WORD_PACKAGE] == ABSENT and set(entry["files"]) == TEXTS


def test_with_a_package_in_place_of_python_docx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A python-docx that is installed but broken is an error, and no file of the table is written."""
    monkeypatch.setattr(module, "version", lambda name: "1.0")
    monkeypatch.setitem(sys.modules, "docx", SimpleNamespace())
    with pytest.raises(AttributeError):
        publish_table(own(["a"]), "own", study=make_study(tmp_path), caption_text=GIVEN)
    assert not (tmp_path / "tables").exists()


@pytest.mark.parametrize("name", ["", "../terms", "Terms", "词", "a b", "manifest", "terms.csv"])
def test_unfit_names(tmp_path: Path, name: str) -> None:
    """A name that is no plain stem of a file is refused, and nothing is written."""
    with pytest.raises(FigureError, match=re.escape(f"name is {name!r}; use lower-case letters")):
        publish_table(own(["a"]), name, study=make_study(tmp_path), caption_text=GIVEN)
    assert not (tmp_path / "tables").exists()


def test_tables_that_are_refused(tmp_path: Path, shift: pd.DataFrame) -> None:
    """An empty table, one without settings, and one for which no caption is known are refused with what to do."""
    study, bare = make_study(tmp_path), pd.DataFrame({"n": [1]})
    with pytest.raises(FigureError, match="The table 'own' comes without data"):
        publish_table(own([]), "own", study=study, caption_text=GIVEN)
    with pytest.raises(FigureError, match="The table of 'own' has no settings"):
        publish_table(bare, "own", study=study, caption_text=GIVEN)
    with pytest.raises(FigureError, match=r"No caption is known for a table of 'own'. Pass caption_text="):
        publish_table(own(["a"]), "own", study=study)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / MANIFEST).write_text('{"figures": {}}', encoding="utf-8")
    with pytest.raises(FigureError, match=r"tables/MANIFEST\.json is not a manifest of tables"):
        publish_table(shift, "terms", study=study)


def test_what_a_notebook_shows(tmp_path: Path) -> None:
    """Jupyter gets an HTML table with its caption and without styles, and the same as plain text."""
    bundle = publish_table(own(["<b>"]), "own", study=make_study(tmp_path), caption_text=GIVEN)._repr_mimebundle_()
    assert bundle["text/plain"] == "A table <i>.\n词\n<b>"
    assert "<caption>A table &lt;i&gt;.</caption>" in bundle["text/html"] and "style" not in bundle["text/html"]
    assert Cells(bundle["text/html"]).cells == ["词", "<b>"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (-3, "−3"), (9999, "9999"), (10_000, "10,000"), (0.0, "0"), (-0.0, "0"), (1e-9, "1e−09"), (2 / 3, "0.667"),
     (1234.5, "1,234"), (True, "True"), (None, "–"), (pd.NA, "–"), (float("inf"), "inf"), ("", "")],
)  # fmt: skip
def test_cells(value: object, shown: str) -> None:
    """Numbers have three significant digits and a true minus; what is missing is a dash."""
    assert plain(value) == shown


def test_every_special_character_of_latex() -> None:
    """Each of the ten special characters is escaped, none is lost, and Chinese in English text is marked."""
    assert tex_text(r"\{}$&#%_~^") == (
        r"\textbackslash{}\textbraceleft{}\textbraceright{}\$\&\#\%\_\textasciitilde{}\textasciicircum{}"
    )
    assert tex_text("用 峰会，x", language="zh") == "用 峰会，x"
    assert tex_text("用 x") == r"\wrchinese{用} x"
