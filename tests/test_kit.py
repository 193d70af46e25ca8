"""The citation kit: numbers by key, captions, bibliography and gallery, made from the manifest alone."""

import json
import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from test_publish import contents, make_figure, make_study

from shinan_research import FigureError, Study, StudyError
from shinan_research.explain import ratio
from shinan_research.kit import (
    FILES,
    build_kit,
    citation,
    kit_files,
    numbers_of,
    record,
    record_prose,
    record_shift,
    slug,
    term_keys,
)
from shinan_research.publish import MANIFEST, enter, read_manifest

HOSTILE = 'x</h1><script>a</script> [b](javascript:c) `d` | "e"\n# f {g} \\end{document} % $h$ 峰会'
ENTRY = {
    "caption": {"zh": HOSTILE, "en": HOSTILE},
    "alt": {"en": HOSTILE},
    "files": {"own.png": "0"},
    "data": "abc",
    "licence": "CC0",
}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Return a study with a CITATION.cff."""
    (tmp_path / "CITATION.cff").write_text(
        "cff-version: 1.2.0\nauthors:\n  - family-names: Wu & {Li\n    given-names: 'A'\n  - name: A group\n"
        "version: 1.0\ndate-released: 2001-02-03\ndoi: 10.1/x_y\n",
        encoding="utf-8",
    )
    return make_study(tmp_path)


def macros(path: Path) -> dict[str, str]:
    """Return what a file of LaTeX defines, by key."""
    found = re.findall(r"^\\expandafter\\def\\csname wr\w+:(.+?)\\endcsname\{(.*)\}$", path.read_text(encoding="utf-8"), re.M)
    return dict(found)


# Numbers


def test_numbers_are_written_three_ways(study: Study) -> None:
    """A recorded number is in the manifest, in JSON, CSV and LaTeX, under one key."""
    texts = record({"a.count": 12_345, "a.rate": 2 / 3, "a-b.verdict": "lower", "a.p": (0.0001, "< 0.001")}, study=study)
    assert texts == {"a.count": "12,345", "a.rate": "0.667", "a-b.verdict": "lower", "a.p": "< 0.001"}
    folder = study.root / "figures"
    found = json.loads((folder / "numbers.json").read_text(encoding="utf-8"))
    assert {key: entry["value"] for key, entry in found.items()} == {
        "a.count": 12_345, "a.rate": 0.6666666667, "a-b.verdict": "lower", "a.p": 0.0001
    }  # fmt: skip
    table = pd.read_csv(folder / "numbers.csv").set_index("key")
    assert table["text"].to_dict() == texts
    assert macros(folder / "numbers.tex") == texts | {"a.p": r"\textless{} 0.001"}
    assert numbers_of(read_manifest(folder)) == found


def test_recording_twice_and_in_another_order(study: Study) -> None:
    """The order of recording leaves no trace; recording a key again replaces it and keeps the others."""
    record({"b": 1, "a": 2}, study=study)
    first = contents(study.root / "figures")
    record({"a": 2}, study=study)
    record({"b": 1}, study=study)
    assert contents(study.root / "figures") == first
    record({"a": 3}, study=study)
    assert {key: entry["value"] for key, entry in numbers_of(read_manifest(study.root / "figures")).items()} == {"a": 3, "b": 1}


@pytest.mark.parametrize("key", ["", "A", "峰会", "a b", "a_b", "a..b", ".a", "a.", "a\n", "a}", "\\a", "../a", "a" * 101, 3])
def test_unfit_keys(study: Study, key: str) -> None:
    """A key of anything but small ASCII letters, digits, hyphens and dots is refused, and nothing is written."""
    with pytest.raises(FigureError, match="use small ASCII letters, digits, hyphens and dots"):
        record({"good": 1, key: 1}, study=study)
    assert not (study.root / "figures").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, [1], {"a": 1}, ""])
def test_unfit_numbers(study: Study, value: object) -> None:
    """What is no number or word, or not finite, is refused by key."""
    with pytest.raises(FigureError, match="The number 'a' is"):
        record({"a": value}, study=study)  # type: ignore[dict-item]


def test_hostile_words_as_numbers(study: Study) -> None:
    """A word that LaTeX or a spreadsheet would run is printed in the one and quoted in the other."""
    record({"a": "=HYPERLINK(1)", "b": HOSTILE, "c": -5}, study=study)
    folder = study.root / "figures"
    table = pd.read_csv(folder / "numbers.csv").set_index("key")
    assert table.loc["a", "text"] == table.loc["a", "value"] == "'=HYPERLINK(1)" and table.loc["c", "text"] == "−5"
    found = macros(folder / "numbers.tex")
    assert found["c"] == r"\ensuremath{-}5"
    assert (
        r"\end{document}" not in found["b"] and not re.search(r"(?<!\\)[%$#]", found["b"]) and r"\wrchinese{峰会}" in found["b"]
    )


def test_numbers_of_a_comparison(study: Study) -> None:
    """Each row of compare gives ten keys; what was not tested says so."""
    shift = make_figure()[1][""]
    (study.data / "glosses.csv").write_text("term,gloss,key\n花,flower,hua\n", encoding="utf-8")
    texts = record_shift(shift, study=study, prefix="body")
    row = shift.iloc[0]
    assert len(texts) == 20 and {key.split(".")[1] for key in texts} == {"hua", "term2"}
    assert (texts["body.hua.count.before"], texts["body.hua.count.after"]) == ("8", "0")
    assert texts["body.hua.ratio"] == ratio(2 ** row["log2_ratio"]) and texts["body.hua.p"] == "not tested"
    assert (texts["body.hua.verdict"], texts["body.hua.verdict.zh"]) == ("too concentrated", "过于集中")
    with pytest.raises(FigureError, match=r"'花' has 2 rows\. Record one scope or variant at a time"):
        record_shift(pd.concat([shift, shift]), study=study)


def executed(*cells: tuple[str, str, str]) -> nbformat.NotebookNode:
    """Return an executed notebook: id, tag and printed Markdown of each cell."""
    made = [
        nbformat.v4.new_code_cell("1", id=name, metadata={"tags": [tag]},
                                  outputs=[nbformat.v4.new_output("display_data", data={"text/markdown": words})])
        for name, tag, words in cells
    ]  # fmt: skip
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("12 · 3"), *made])


def test_numbers_of_prose_are_recorded_with_their_sentences(study: Study) -> None:
    """Each different number of a narrative cell gets a key; quotations, names with digits, tables and typed text give none."""
    words = "In all 1,234 of “15个” and GDP2; p = 0.089. It was −5.5 %, then 1,234 again.\n\n共12处。另有3处……"
    record_prose(executed(("answer-en", "narrative", words), ("table-x", "table", "99")), "01-declared", study=study)
    found = numbers_of(read_manifest(study.root / "figures"))
    assert {key: (entry["value"], entry["sentence"]) for key, entry in found.items()} == {
        "01-declared.answer-en.1": (1234, "In all 1,234 of “15个” and GDP2; p = 0.089."),
        "01-declared.answer-en.2": (0.089, "In all 1,234 of “15个” and GDP2; p = 0.089."),
        "01-declared.answer-en.3": (-5.5, "It was −5.5 %, then 1,234 again."),
        "01-declared.answer-en.4": (12, "共12处。"),
        "01-declared.answer-en.5": (3, "另有3处……"),
    }
    table = pd.read_csv(study.root / "figures" / "numbers.csv").set_index("key")
    assert table.loc["01-declared.answer-en.4", "sentence"] == "共12处。"


def test_prose_without_numbers_leaves_no_file(study: Study) -> None:
    """A notebook whose prose prints no number records nothing, and a name without ASCII is given one."""
    record_prose(executed(("answer", "narrative", "没有证据。")), "说明", study=study)
    assert not (study.root / "figures").exists()
    record_prose(executed(("answer", "narrative", "有1个。")), "说明", study=study)
    assert list(numbers_of(read_manifest(study.root / "figures"))) == ["notebook.answer.1"]


def test_keys_of_terms(study: Study) -> None:
    """A key given comes first, ASCII is its own key, a wide reading follows its term, and the rest are numbered."""
    assert term_keys(["花", "GDP growth", "花 (wide)", "云"], study=study) == {
        "花": "term1", "GDP growth": "gdp-growth", "花 (wide)": "term1-wide", "云": "term3"
    }  # fmt: skip
    for row, words in (("花,f,Hua", "the key 'Hua' of '花' must be"), ("花,f,term2\n", "have one key, 'term2'")):
        (study.data / "glosses.csv").write_text(f"term,gloss,key\n{row}\n", encoding="utf-8")
        with pytest.raises(StudyError, match=words):
            term_keys(["花", "云"], study=study)
    assert slug("峰会") == ""


# The kit


def test_kit_is_made_from_the_manifest(study: Study) -> None:
    """All files are written, then none, since nothing changed; the figures themselves are not touched."""
    folder = study.root / "figures"
    enter(folder, "own", ENTRY)
    assert sorted(build_kit(folder, study)) == sorted(FILES)
    before = contents(folder)
    assert build_kit(folder, study) == [] and contents(folder) == before
    assert set(before) == {*FILES, MANIFEST}
    record({"a": 1}, study=study)
    assert build_kit(folder, study) == ["README.md"]


def test_captions(study: Study) -> None:
    """Each caption is defined in both languages, with nothing in it that LaTeX would run."""
    enter(study.root / "figures", "own", ENTRY)
    build_kit(study.root / "figures", study)
    found = macros(study.root / "figures" / "captions.tex")
    assert set(found) == {"own.zh", "own.en"}
    assert found["own.en"].startswith(r"x\textless{}/h1\textgreater{}") and r"\end{document}" not in found["own.en"]
    assert r"\wrchinese" in found["own.en"] and r"\wrchinese" not in found["own.zh"]


def test_gallery_shows_hostile_words_as_words(study: Study) -> None:
    """A caption becomes neither tag, link, heading nor code of the gallery; the picture has its alt text."""
    enter(study.root / "figures", "own", ENTRY)
    text = kit_files(study.root / "figures", study)["README.md"].decode("utf-8")
    assert "<script" not in text and "\n# f" not in text
    assert "[b](javascript" not in re.sub("<img .*>", "", text)
    assert re.findall(r"<[a-z]+", text) == ["<img"]
    assert re.search(r'<img src="own.png" width="480" alt="x&lt;/h1&gt;.*&quot;e&quot;', text)
    assert "[own.png](own.png)" in text and "10.1/x\\_y" in text and "Jia County &lt;draft&gt;" in text


def test_bibliography(study: Study) -> None:
    """Each figure has an entry with authors, year, version and DOI of CITATION.cff, its braces in balance."""
    enter(study.root / "figures", "own", ENTRY)
    text = kit_files(study.root / "figures", study)["figures.bib"].decode("utf-8")
    assert text.startswith("@misc{jia-county-own,\n")
    assert r"author = {{Wu \& \textbraceleft{}Li, A} and {A group}}" in text
    assert "year = {2001}" in text and "CC0" in text and r"doi = {10.1/x\_y}" in text
    assert text.count("{") == text.count("}")


def test_citation_file(tmp_path: Path) -> None:
    """Without the file nothing is known; a damaged one is refused."""
    assert citation(tmp_path) == {"authors": [], "keywords": [], "version": "", "doi": "", "abstract": "", "year": ""}
    for words, said in (
        ("a: [", "is not valid YAML"), ("a: " + "[" * 3000, "is not valid YAML"), ("- a", "must hold keys and values"),
        ("authors: [a]", "must hold keys"), ("authors: 3", "must hold keys"), ("keywords: true", "must hold keys"),
        ("keywords: 2026-01-01", "must hold keys"),
    ):  # fmt: skip
        (tmp_path / "CITATION.cff").write_text(words, encoding="utf-8")
        with pytest.raises(StudyError, match=f"CITATION.cff {said}"):
            citation(tmp_path)


def test_a_kit_of_nothing(tmp_path: Path) -> None:
    """A study without figures, numbers or citation has a kit that says so and that LaTeX can read."""
    study = make_study(tmp_path)
    files = kit_files(tmp_path / "figures", study)
    assert set(files) == set(FILES) and files["numbers.json"] == b"{}\n"
    assert b"\\providecommand{\\wrnumber}" in files["numbers.tex"] and b"0 numbers" in files["README.md"]
