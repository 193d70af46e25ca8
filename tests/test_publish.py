"""Publishing: one act, all files or none, the same bytes everywhere, and a table from which the figure can be drawn again."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from test_counts import tokens_of

from shinan_research import FigureError, ShinanError, Study, cells, compare, draw_shift, occurrences, open_study, publish
from shinan_research import publish as publish_function
from shinan_research.figures.style import add_text, house_style, new_figure
from shinan_research.publish import MANIFEST, Published, csv_bytes, enter, json_bytes, read_manifest, rounded, running_platform

ROOT = Path(__file__).parents[1]
MODULE = sys.modules[publish_function.__module__]
BEFORE, AFTER = ("甲县", 2001), ("甲县", 2002)
FILES = {"shift.pdf", "shift.svg", "shift.text.svg", "shift.png", "shift.csv", "shift.cells.csv"}
SVG = "{http://www.w3.org/2000/svg}"


def make_study(root: Path, **options: Any) -> Study:
    """Return a study with one file of data in a new folder."""
    (root / "data").mkdir(parents=True, exist_ok=True)
    (root / "data" / "study.toml").write_text("# 甲县\n", encoding="utf-8")
    title = {"zh": "甲县的两份报告", "en": "Two reports of Jia County <draft>"}
    return Study(root, title, {"zh": "甲县", "en": "Jia County"}, BEFORE, AFTER, **options)


def make_figure() -> tuple[Figure, dict[str, pd.DataFrame]]:
    """Return a small figure and the tables that it draws."""
    tokens = tokens_of(
        {BEFORE: [["花花" + "草" * 40] * 4, ["花" + "草" * 29]], AFTER: [["草" * 50] * 3, ["花" * 5 + "草" * 35]]}, annex=1
    )
    shift, found = compare(tokens, BEFORE, AFTER, terms=["花", "云"], n_permutations=99), occurrences(tokens, ["花", "云"])
    return draw_shift(shift, found, width="single"), {"": shift, "cells": cells(found)}


@pytest.fixture(scope="module")
def made() -> tuple[Figure, dict[str, pd.DataFrame]]:
    """Return the figure and its tables, drawn once."""
    return make_figure()


@pytest.fixture
def tiny(made) -> tuple[Figure, dict[str, pd.DataFrame]]:
    """Return a figure with one word on it, quick to write, beside the same tables."""
    figure = new_figure("single", 20)
    with house_style():
        add_text(figure, 5, 5, "花")
    return figure, made[1]


@pytest.fixture(scope="module")
def published(made, tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Path, Published]:
    """Return a study, its folder of figures and what publishing gave back; tests only look at it."""
    study = make_study(tmp_path_factory.mktemp("published"))
    figure, tables = made
    return study, study.root / "figures", publish(figure, "shift", data=tables, study=study)


def contents(folder: Path) -> dict[str, bytes]:
    """Return name and bytes of every file of a folder, hidden ones too."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# What is written


def test_all_files_of_a_figure(published) -> None:
    """PDF, SVG with outlines and with text, PNG, each table, a description and the manifest are written, and nothing else."""
    assert set(contents(published[1])) == FILES | {"shift.json", MANIFEST}


def test_manifest_hashes_match_the_files(published) -> None:
    """The manifest lists each file with its SHA-256, and the description of the figure says the same."""
    study, folder, _ = published
    entry = read_manifest(folder)["figures"]["shift"]
    assert entry["files"] == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    described = json.loads((folder / "shift.json").read_text(encoding="utf-8"))
    assert described == {key: value for key, value in entry.items() if key != "platform"}
    assert entry["data"] == study.data_hash
    assert entry["settings"]["function"] == "compare"


def test_manifest_names_the_platform(published) -> None:
    """The manifest records Python, system, machine and the version of each package that the bytes depend on."""
    recorded = read_manifest(published[1])["figures"]["shift"]["platform"]
    assert recorded == running_platform()
    assert recorded["matplotlib"] == mpl.__version__
    assert recorded["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert {"numpy", "scipy", "pandas", "system", "machine"} <= set(recorded)


def test_caption_and_alt_text_in_both_languages(published) -> None:
    """The manifest carries caption and alternative text in Chinese and English, and the notebook shows those of the study."""
    study, folder, shown = published
    entry = read_manifest(folder)["figures"]["shift"]
    for key in ("caption", "alt"):
        assert set(entry[key]) == {"zh", "en"}
        assert re.search("[\u4e00-\u9fff]", entry[key]["zh"])
    assert study.place["en"] in entry["caption"]["en"] and study.place["zh"] in entry["caption"]["zh"]
    assert (shown.caption, shown.alt) == (entry["caption"]["en"], entry["alt"]["en"])


def test_no_date_version_or_path_in_the_bytes(published) -> None:
    """No file names the day, matplotlib, this folder or this computer's user."""
    study, folder, _ = published
    for name in FILES - {"shift.csv", "shift.cells.csv"}:
        raw = (folder / name).read_bytes()
        for word in (
            b"CreationDate",
            b"ModDate",
            b"dc:date",
            b"matplotlib.org",
            mpl.__version__.encode(),
            str(study.root).encode(),
        ):
            assert word not in raw, (name, word)


def test_manifest_keeps_other_figures(tmp_path: Path, tiny) -> None:
    """A second figure joins the first in the manifest, in order of names, and leaves its files alone."""
    study, (figure, tables) = make_study(tmp_path), tiny
    publish(figure, "shift", data=tables, study=study)
    before = contents(tmp_path / "figures")
    publish(figure, "another-one", data=tables[""], study=study)
    after = contents(tmp_path / "figures")
    assert list(read_manifest(tmp_path / "figures")["figures"]) == ["another-one", "shift"]
    assert {name: after[name] for name in before if name != MANIFEST} == {
        name: raw for name, raw in before.items() if name != MANIFEST
    }


def test_publishing_twice_changes_nothing(tmp_path: Path, made) -> None:
    """The same figure computed, drawn and published again gives the same bytes in every file."""
    study, (figure, tables) = make_study(tmp_path), made
    publish(figure, "shift", data=tables, study=study)
    first = contents(tmp_path / "figures")
    again, tables = make_figure()
    publish(again, "shift", data=tables, study=study)
    assert contents(tmp_path / "figures") == first


SCRIPT = """
import sys
from pathlib import Path
import pandas as pd
from shinan_research import *
study = open_study(sys.argv[1])
tokens = tokenize(outline(restore(study.reports(), study.emendations), headings=study.headings), study.segmenter)
found = occurrences(tokens, study.terms)
shift = compare(tokens, study.before, study.after, terms=study.terms, n_permutations=2_999)
figure = draw_shift(shift, found, glosses=study.glosses, width="single", language=study.language)
publish(figure, "shift", data={"": shift, "cells": cells(found)}, study=study)
words = compare(tokens, study.before, study.after, n_permutations=199)
few = tokens[tokens["block"] % 4 == 0]
many = pd.concat([few[few["block"] % 12 != n].assign(place=str(n), report=few["report"].astype(str) + f"-{n}")
                  for n in range(11)])
tables = {
    "words": words, "matched": compare(tokens, study.before, study.after, strata=study.strata, n_permutations=199),
    "shares": word_shift(tokens, study.before, study.after, n_draws=100), "odds": log_odds(words), "ranks": measures(words),
    "places": compare(many, study.before, study.after, n_permutations=199),
    "placebo": placebo(shift, terms=study.terms, vocabulary=words),
    "divided": word_shift(many, study.before, study.after, n_draws=50),
}
for name, table in tables.items():
    Path(study.root, "figures", f"{name}.csv").write_bytes(table.to_csv(index=False).encode())
    Path(study.root, "figures", f"{name}.txt").write_text(repr(sorted(table.attrs["settings"].items())), encoding="utf-8")
"""


@pytest.mark.slow
def test_same_bytes_in_two_processes(tmp_path: Path) -> None:
    """Headline figure and tables are the same to the byte whatever the hash seed, time zone, threads or locale."""
    settings = [
        {"PYTHONHASHSEED": "0", "TZ": "UTC", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"},
        {"PYTHONHASHSEED": "4711", "TZ": "Asia/Shanghai", "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "LC_ALL": "C"},
    ]
    running = []
    for number, variables in enumerate(settings):
        root = tmp_path / f"run-{number}"
        shutil.copytree(ROOT / "data", root / "data")
        environment = os.environ | variables | {"PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": str(number)}
        command = [sys.executable, "-W", "error", "-c", SCRIPT, str(root)]
        running.append((root, subprocess.Popen(command, env=environment, cwd=root, stderr=subprocess.PIPE, text=True)))
    for _, process in running:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    one, two = (contents(root / "figures") for root, _ in running)
    assert set(one) >= {*FILES, "shift.json", MANIFEST, "words.csv", "matched.csv", "places.csv", "divided.csv", "odds.txt"}
    assert [name for name in {*one, *two} if one.get(name) != two.get(name)] == []


# The formats


@pytest.mark.parametrize("name", ["shift.svg", "shift.text.svg"])
def test_svg_is_described_and_its_ids_are_its_own(published, name: str) -> None:
    """An SVG is well-formed, has one title and one description, and each id is unique and begins with its own name."""
    _, folder, shown = published
    root = ElementTree.fromstring((folder / name).read_bytes())
    assert root.get("role") == "img"
    [title], [description] = root.findall(f"{SVG}title"), root.findall(f"{SVG}desc")
    assert title.text and description.text == shown.caption
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) > 20
    prefix = f"{name.removesuffix('.svg').replace('.', '-')}-"
    assert [each for each in ids if not each.startswith(prefix)] == []
    text = (folder / name).read_text(encoding="utf-8")
    asked = set(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    assert asked <= set(ids)
    assert asked


def test_svg_has_outlines_and_loads_nothing(published) -> None:
    """The SVG draws its letters as outlines and names no outer file, script or font."""
    root = ElementTree.fromstring((published[1] / "shift.svg").read_bytes())
    assert not list(root.iter(f"{SVG}text")) and not list(root.iter(f"{SVG}script")) and not list(root.iter(f"{SVG}image"))
    links = [value for element in root.iter() for key, value in element.attrib.items() if key.endswith("href")]
    assert links and all(link.startswith("#") for link in links)


def test_svg_with_text_can_be_edited(published) -> None:
    """The second SVG keeps every label as text, in the package's font with others to fall back on."""
    root = ElementTree.fromstring((published[1] / "shift.text.svg").read_bytes())
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert {"花", "云", "8→0", "a  频率 Rate"} <= set(texts)
    styles = {element.get("style", "") for element in root.iter(f"{SVG}text")}
    assert all("Shinan Sans SC" in style and "sans-serif" in style for style in styles)


def test_png_is_printed_at_its_width(published) -> None:
    """The PNG has 600 dots per inch at 89 mm and carries title, caption and licence."""
    study, folder, shown = published
    with Image.open(folder / "shift.png") as picture:
        assert picture.width == pytest.approx(89 / 25.4 * 600, abs=1)
        assert picture.info["dpi"] == pytest.approx((600, 600), abs=0.1)
        assert (picture.info["Title"], picture.info["Description"]) == ("shift", shown.caption)
        assert picture.info["Copyright"].startswith(study.licence)
        assert "Software" not in picture.info


@pytest.fixture
def poppler() -> None:
    """Skip where the poppler tools are not installed."""
    if not shutil.which("pdffonts") or not shutil.which("pdftotext"):
        pytest.skip("poppler-utils (pdffonts, pdftotext) is not installed")


def test_pdf_embeds_truetype_alone(published, poppler) -> None:
    """Every font of the PDF is the package's, TrueType, embedded, and maps back to Unicode."""
    listed = subprocess.run(["pdffonts", published[1] / "shift.pdf"], capture_output=True, text=True, check=True).stdout
    fonts = [line for line in listed.splitlines()[2:] if line.strip()]
    assert fonts
    for font in fonts:
        assert re.match(r"\w{6}\+ShinanSansSC-(Regular|Bold)\s+(CID )?TrueType\s", font), font
        assert re.search(r"\byes\s+(yes|no)\s+yes\b", font), font


def test_pdf_gives_back_its_chinese(published, poppler) -> None:
    """Copied out of the PDF, the labels are the Chinese that was drawn."""
    text = subprocess.run(["pdftotext", published[1] / "shift.pdf", "-"], capture_output=True, check=True).stdout.decode("utf-8")
    for label in ("花", "云", "频率", "频率之比与区间", "在何处", "8→0", "甲县 2001"):
        assert label in text


# The tables


def occurrences_again(table: pd.DataFrame) -> pd.DataFrame:
    """Return an occurrence table with the counts by chapter that a published table holds."""
    rows = table.loc[table.index.repeat(table["count"].clip(lower=1))].reset_index(drop=True)
    return rows.assign(sense="", start=pd.Series(range(len(rows)), dtype="Int64").where(rows["count"] > 0))


def test_tables_draw_the_figure_again(published, made) -> None:
    """The published tables, read back, draw the same picture to the byte."""
    study, folder, shown = published
    shift = pd.read_csv(folder / "shift.csv")
    table = pd.read_csv(folder / "shift.cells.csv", keep_default_na=False)
    table["term"] = pd.Categorical(table["term"], categories=shift["term"].tolist())
    shift.attrs = made[1][""].attrs
    again = draw_shift(shift, occurrences_again(table), width="single")
    other = make_study(study.root.parent / "again")
    assert publish(again, "shift", data={"": shift, "cells": table}, study=other).png == shown.png
    assert (other.root / "figures" / "shift.png").read_bytes() == (folder / "shift.png").read_bytes()


def test_tables_hold_what_is_hatched() -> None:
    """Where senses are coded, the table of cells says how many occurrences of each chapter the figure hatches."""
    tokens = tokens_of({BEFORE: [["花花花花" + "草" * 36], ["花" + "草" * 19]], AFTER: [["花花" + "草" * 18]]})
    found = occurrences(tokens, ["花"])
    found["sense"] = ["甲", "甲", "甲", "乙", "乙", "甲", "甲"]
    table = cells(found)
    assert "other" in table.columns
    assert table["other"].tolist() == [1, 1, 0]


def test_tables_hold_the_numbers_to_ten_digits(published, made) -> None:
    """A published number is the computed one to ten significant digits; counts and words are exact."""
    back = pd.read_csv(published[1] / "shift.csv")
    table = made[1][""]
    assert list(back.columns) == list(table.columns)
    for name in table.columns:
        if pd.api.types.is_float_dtype(table[name]):
            assert back[name].tolist() == pytest.approx(table[name].tolist(), rel=5.1e-10, nan_ok=True)
        else:
            assert back[name].astype(object).fillna("").astype(str).tolist() == table[name].astype(str).tolist()


def test_rounding_by_hand() -> None:
    """Ten significant digits are kept, whatever the size; what is no number stays."""
    table = rounded(pd.DataFrame({"x": [1 / 3, 123456789012.5, 1e-300 / 3, float("nan"), float("inf")], "word": list("abcde")}))
    assert table["x"].tolist()[:3] == [0.3333333333, 123456789000.0, 3.333333333e-301]
    assert pd.isna(table["x"][3]) and table["x"][4] == float("inf")
    assert table["word"].tolist() == list("abcde")


@pytest.mark.parametrize("term", ["=1+1", "+1", "-5", "@SUM(A1)", "\tx", "=HYPERLINK(\"http://a\",\"b\")"])  # fmt: skip
def test_formulas_are_quoted(term: str) -> None:
    """Text that a spreadsheet would run is preceded by an apostrophe, in plain and in categorical columns alike."""
    table = pd.DataFrame({"term": [term, "花"], "n": [-1, 2], "x": [-0.5, 1.0]})
    for one in (table, table.astype({"term": "category"}), table.astype({"term": "string"})):
        back = pd.read_csv(pd.io.common.BytesIO(csv_bytes(one)))
        assert back["term"].tolist() == [f"'{term}", "花"]
        assert (back["n"].tolist(), back["x"].tolist()) == ([-1, 2], [-0.5, 1.0])


def test_formulas_in_published_tables(tmp_path: Path) -> None:
    """A declared term that begins like a formula is drawn as it is and quoted in the table."""
    tokens = tokens_of({BEFORE: [["=花" * 9]], AFTER: [["草花" * 9]]})
    shift = compare(tokens, BEFORE, AFTER, terms=["=花"], n_permutations=0)
    figure = draw_shift(shift, occurrences(tokens, ["=花"]), width="single")
    publish(figure, "shift", data=shift, study=make_study(tmp_path))
    assert ",'=花," in (tmp_path / "figures" / "shift.csv").read_text(encoding="utf-8")


def test_csv_has_unix_lines_and_no_index() -> None:
    """Tables are UTF-8 without mark, with Unix newlines, and commas and quotes inside cells survive."""
    table = pd.DataFrame({"词": ['a,"b"\n', None], "n": [1, 2]})
    raw = csv_bytes(table)
    assert raw.startswith("词,n\n".encode()) and b"\r" not in raw
    assert pd.read_csv(pd.io.common.BytesIO(raw), keep_default_na=False)["词"].tolist() == ['a,"b"\n', ""]


# What is refused


@pytest.mark.parametrize(
    "name", ["", "../shift", "a/b", "a\\b", "Shift", "shift.csv", "峰会", "-a", "a b", "shift\n", "x" * 99, "manifest"]
)
def test_unfit_names(tmp_path: Path, tiny, name: str) -> None:
    """A name with slash, dot, capital, space or Chinese, or that of the manifest itself, is refused; nothing is written."""
    figure, tables = tiny
    with pytest.raises(FigureError, match=re.escape(f"name is {name!r}; use lower-case letters, digits and hyphens")):
        publish(figure, name, data=tables, study=make_study(tmp_path))
    assert not (tmp_path / "figures").exists()


@pytest.mark.parametrize("key", ["../cells", "a/b", "a b", "Cells", "pdf/../../x"])
def test_unfit_names_of_tables(tmp_path: Path, tiny, key: str) -> None:
    """A table's name becomes part of a file's name and must be as fit as the figure's."""
    figure, tables = tiny
    with pytest.raises(FigureError, match=re.escape(repr(key))):
        publish(figure, "shift", data={"": tables[""], key: tables["cells"]}, study=make_study(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_figure_without_table(tmp_path: Path, tiny) -> None:
    """Neither an empty table nor none at all is enough."""
    figure, tables = tiny
    for data in (tables[""].iloc[:0], {}, {"": pd.DataFrame()}):
        with pytest.raises(FigureError, match="The figure 'shift' comes without data"):
            publish(figure, "shift", data=data, study=make_study(tmp_path))


def test_a_table_without_settings(tmp_path: Path, tiny) -> None:
    """A table that lost its settings is refused with the likely cause."""
    figure, tables = tiny
    bare = tables[""].copy()
    bare.attrs = {}
    with pytest.raises(FigureError, match=r"The table of 'shift' has no settings.*a merge loses table.attrs"):
        publish(figure, "shift", data=bare, study=make_study(tmp_path))
    bare.attrs = {"settings": {"seed": 0}}
    with pytest.raises(FigureError, match="has no settings"):
        publish(figure, "shift", data=bare, study=make_study(tmp_path))


def test_a_missing_glyph_leaves_nothing(tmp_path: Path, made, monkeypatch: pytest.MonkeyPatch) -> None:
    """A label that no font can draw stops publishing before a file is written."""
    monkeypatch.setattr("shinan_research.figures.style.INSTALLED_FONTS", ())
    figure = new_figure("single", 30)
    with house_style():
        add_text(figure, 5, 5, "花\ue123")
    with pytest.raises(FigureError, match="U\\+E123"):
        publish(figure, "shift", data=made[1], study=make_study(tmp_path))
    assert not (tmp_path / "figures").exists()


def test_a_figure_drawn_by_other_means_has_its_glyphs(tmp_path: Path, made) -> None:
    """Chinese in a figure that a user drew with matplotlib's own fonts is drawn, not left as empty boxes."""
    figure = Figure(figsize=(2, 1))
    figure.text(0.1, 0.5, "峰会", fontsize=10, color="black")
    own = Figure(figsize=(2, 1))
    with house_style():
        own.text(0.1, 0.5, "峰会", fontsize=10, color="black")
    one, two = (publish(each, "shift", data=made[1], study=make_study(tmp_path)).png for each in (figure, own))
    assert one == two


# When something fails


def test_a_failure_while_drawing_leaves_the_earlier_figure(tmp_path: Path, tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the last of the formats cannot be made, no file is touched."""
    study, (figure, tables) = make_study(tmp_path), tiny
    publish(figure, "shift", data=tables, study=study)
    before = contents(tmp_path / "figures")
    save = MODULE._save

    def fail(figure: Figure, kind: str, *rest: object, **options: object) -> bytes:
        if kind == "pdf":
            raise MemoryError
        return save(figure, kind, *rest, **options)

    monkeypatch.setattr(MODULE, "_save", fail)
    with pytest.raises(MemoryError):
        publish(figure, "shift", data={"": tables[""]}, study=study)
    assert contents(tmp_path / "figures") == before


@pytest.mark.parametrize("written", [0, 1, 3, 6])
def test_a_full_disk_leaves_the_earlier_figure(tmp_path: Path, tiny, monkeypatch: pytest.MonkeyPatch, written: int) -> None:
    """If the disk is full at any of the files, the earlier files and manifest all stay, and no temporary file does."""
    study, (figure, tables) = make_study(tmp_path), tiny
    publish(figure, "shift", data=tables, study=study)
    before, calls, sync = contents(tmp_path / "figures"), [], os.fsync

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > written:
            raise OSError(28, "No space left on device")
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)
    changed = {name: table.assign(term="云") for name, table in tables.items()}
    with pytest.raises(ShinanError, match=r"No space left.*Make room"):
        publish(new_figure("single", 30), "shift", data=changed, study=study)
    assert contents(tmp_path / "figures") == before


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    """A manifest that is no JSON, or no manifest, is refused with what to do."""
    (tmp_path / MANIFEST).write_text("{", encoding="utf-8")
    with pytest.raises(FigureError, match=f"{tmp_path.name}/MANIFEST.json is damaged .*Delete it and build again."):
        read_manifest(tmp_path)
    for text in ("[]", "{}", '{"figures": []}', "null"):
        (tmp_path / MANIFEST).write_text(text, encoding="utf-8")
        with pytest.raises(FigureError, match=r"is not a manifest of figures. Delete it and build again."):
            read_manifest(tmp_path)


def test_a_missing_manifest_is_empty(tmp_path: Path) -> None:
    """Where there is no manifest there are no figures, and entering one makes it."""
    assert read_manifest(tmp_path) == {"figures": {}}
    enter(tmp_path, "shift", {"files": {}})
    assert list(read_manifest(tmp_path)["figures"]) == ["shift"]


def test_json_is_sorted_and_readable() -> None:
    """JSON has sorted keys, Chinese as it is, a line feed at its end, and numbers of numpy as numbers."""
    table = pd.DataFrame({"n": [3]})
    assert json_bytes({"b": table["n"].iloc[0], "a": "峰会"}).decode() == '{\n "a": "峰会",\n "b": 3\n}\n'
    with pytest.raises(TypeError, match="cannot be written as JSON"):
        json_bytes({"a": {1, 2}})


# In the notebook


def test_what_a_notebook_shows(published) -> None:
    """Jupyter gets a figure element with alt text and caption, escaped, the bare picture, and the alt text as plain words."""
    _, _, shown = published
    bundle, metadata = Published("shift", 'a "b" <c>', "d & <e>", b"\x89PNG")._repr_mimebundle_()
    assert 'alt="a &quot;b&quot; &lt;c&gt;"' in bundle["text/html"]
    assert "<figcaption>d &amp; &lt;e&gt;</figcaption>" in bundle["text/html"]
    assert base64.b64decode(bundle["image/png"]) == b"\x89PNG"
    assert (bundle["text/plain"], metadata) == ('a "b" <c>', {"image/png": {"alt": 'a "b" <c>'}})
    assert shown.png.startswith(b"\x89PNG")


@pytest.mark.parametrize(("language", "shows"), [("zh", "zh"), ("en", "en"), ("both", "en")])
def test_language_of_what_is_shown(tmp_path: Path, made, language: str, shows: str) -> None:
    """The notebook's caption and alt text are in the study's language; captions given by hand are taken over."""
    given = {"zh": "一句话", "en": "A sentence."}
    figure = new_figure("single", 20)
    shown = publish(figure, "own", data=made[1], study=make_study(tmp_path, language=language), caption_text=given, alt=given)
    assert shown.caption == shown.alt == given[shows]
    assert [words for title, words in shown.guides if title == "图注（中文）"] == [given["zh"]] * (language == "both")
    assert read_manifest(tmp_path / "figures")["figures"]["own"]["caption"] == given


def test_the_study_of_this_repository_is_untouched() -> None:
    """These tests publish into folders of their own: no figure of the repository is named after them."""
    figures = open_study(ROOT).root / "figures"
    assert not [path for path in figures.glob("*") if path.stem in ("own", "another-one")]
