"""Building a study: what runs, what is kept, what is refused, and that nothing is written where nothing may be."""

import contextlib
import json
import shutil
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbformat import NotebookNode
from test_new import report

from shinan_research import audit, build, new
from shinan_research.build import check, examine, notebooks, package_notebooks, reproduce, working_copy
from shinan_research.errors import ApparatusError, ShinanError, StudyError
from shinan_research.files import sha256
from shinan_research.kit import numbers_of
from shinan_research.publish import read_manifest
from shinan_research.restore import COLUMNS
from shinan_research.study import open_study

AUDIT = sys.modules[audit.__module__]  # the package gives the function by this name
NOTHING = pd.DataFrame(columns=["report", "defect", "verdict", "where", "seen", "expected", "evidence"])
CELLS = (
    "from shinan_research import open_study, outline, publish_table, record, restore",
    "study = open_study()\n"
    "sentences = outline(restore(study.reports(), study.emendations), headings=study.headings)\n"
    "table = sentences.groupby('report').size().rename('sentences').reset_index()\n"
    "table.attrs = {'settings': {'function': 'size'}}",
    "publish_table(table, 'sizes', study=study, caption_text={'en': 'Sentences.', 'zh': '句数。'})",
    "recorded = record({'reports': len(table)}, study=study)",
    "prose = f'All {len(table)}.'",
)


def write_notebook(path: Path, *cells: str) -> None:
    """Write a notebook with a heading and code, without outputs."""
    made = [nbformat.v4.new_markdown_cell("# How [long]?", id="head")]
    made += [nbformat.v4.new_code_cell(words, id=f"code-{number}") for number, words in enumerate(cells)]
    told = [cell for cell in made if cell.source.startswith("prose = ")]
    for cell in told:
        cell.id, cell.metadata = "answer", {"tags": ["narrative"]}
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=made)) + "\n", encoding="utf-8")


def in_process(jobs: Sequence[tuple[Path, Path]], *, started: Callable[[Path], None]) -> Generator[NotebookNode, None, None]:
    """Execute notebooks without a kernel: faster, and with the same effects on their folders."""
    for path, working in jobs:
        started(path)
        notebook = nbformat.read(path, as_version=4)
        names: dict[str, Any] = {}
        with contextlib.chdir(working):
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    exec(cell.source, names)  # the source is that of this file
                    prose = {"text/markdown": names["prose"]} if cell.id == "answer" else {}
                    cell.outputs = [nbformat.v4.new_output("display_data", data=prose)] if prose else []
        yield notebook


def digests(root: Path) -> dict[str, str]:
    """Return the hash of every file of a folder."""
    return {path.relative_to(root).as_posix(): sha256(path) for path in sorted(root.rglob("*")) if path.is_file()}


def rebuilt(root: Path) -> tuple[dict[str, str], str]:
    """Reproduce a study; return the status of each product and what was said."""
    words: list[str] = []
    table = reproduce(root, say=words.append)
    return dict(zip(table["name"], table["status"], strict=True)), "\n".join(words)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study of two reports and one notebook, built once; tests work on copies."""
    folder = tmp_path_factory.mktemp("build")
    (folder / "reports").mkdir()
    for year in (2030, 2031):
        (folder / "reports" / f"甲县{year}.txt").write_text(report("甲县", year), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for module in (new, AUDIT):
            patch.setattr(module, "audit", lambda reports: NOTHING)
        patch.setattr(build, "run_notebooks", in_process)
        root = new.new_study(folder / "study", reports=folder / "reports")
        for path in (root / "notebooks").glob("*.ipynb"):
            path.unlink()
        write_notebook(root / "notebooks" / "01-sizes.ipynb", *CELLS)
        statuses, words = rebuilt(root)
    assert statuses == {"numbers/01-sizes": "new", "tables/sizes": "new", "citation kit": "new"}
    assert "1 of 1 notebooks to run" in words
    return root


@pytest.fixture
def root(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the built study in which notebooks run without a kernel."""
    monkeypatch.setattr(build, "run_notebooks", in_process)
    return Path(shutil.copytree(original, tmp_path / "study"))


def test_a_build_leaves_pages_products_and_a_clean_source(original: Path) -> None:
    """The table counts the sentences of the outline, the number is on record, and the pages lead to each other."""
    table = pd.read_csv(original / "tables" / "sizes.csv")
    assert table["report"].tolist() == ["甲县-2030", "甲县-2031"]
    assert table["sentences"].nunique() == 1
    numbers = numbers_of(read_manifest(original / "figures"))
    assert numbers == {
        "reports": {"value": 2, "text": "2", "notebook": "01-sizes"},
        "01-sizes.answer.1": {"value": 2, "text": "2", "notebook": "01-sizes", "sentence": "All 2."},
    }
    index = (original / "build" / "html" / "index.html").read_text(encoding="utf-8")
    assert 'href="01-sizes.html"' in index and "How [long]?" in index
    assert "How [long]?" in (original / "build" / "html" / "01-sizes.html").read_text(encoding="utf-8")


def test_pages_lead_to_their_neighbours(root: Path) -> None:
    """A new or retitled notebook is named on the page of the one before it, which is made again without running it."""
    for title in ("Second", "Other"):
        write_notebook(root / "notebooks" / "02-more.ipynb", "1 + 1")
        second = root / "notebooks" / "02-more.ipynb"
        second.write_text(second.read_text(encoding="utf-8").replace("How [long]?", title), encoding="utf-8")
        assert "1 of 2 notebooks to run" in rebuilt(root)[1]
        first, last = ((root / "build" / "html" / name).read_text(encoding="utf-8") for name in ("01-sizes.html", "02-more.html"))
        assert f'<a href="02-more.html">{title} →</a>' in first and '<a href="01-sizes.html">← How [long]?</a>' in last
        assert "←" not in first and "→" not in last
    pages = digests(root / "build" / "html")
    assert "0 of 2 notebooks to run" in rebuilt(root)[1]
    (root / "build" / "state.json").unlink()
    assert "2 of 2 notebooks to run" in rebuilt(root)[1]
    assert digests(root / "build" / "html") == pages


def test_nothing_runs_again_when_nothing_has_changed(root: Path) -> None:
    """A second build runs no notebook, calls everything identical, and leaves each file as it was."""
    before = digests(root)
    statuses, words = rebuilt(root)
    assert "0 of 1 notebooks to run" in words
    assert set(statuses.values()) == {"identical"} and {"tables/sizes", "citation kit"} <= set(statuses)
    assert digests(root) == before


@pytest.mark.parametrize("file", ["tables/sizes.csv", "build/html/01-sizes.html", "build/state.json"])
def test_what_was_changed_by_hand_is_mended(root: Path, file: str) -> None:
    """A product or record that is not as it was left is made again, byte for byte."""
    (root / "build" / "state.json").write_text("[", encoding="utf-8")
    rebuilt(root)  # the pages of a run without a kernel
    record = root / "build" / "state.json"  # it says what the comparison found, so it may differ
    before = {name: digest for name, digest in digests(root).items() if root / name != record}
    (root / file).write_bytes(b"[")
    statuses, words = rebuilt(root)
    assert "1 of 1 notebooks to run" in words
    assert {name: digest for name, digest in digests(root).items() if root / name != record} == before
    assert set(statuses) >= {"tables/sizes", "citation kit"}


def test_another_result_is_named_and_replaces_the_old_one(root: Path) -> None:
    """When the notebook counts otherwise, table and number are called different, and the new ones stand."""
    write_notebook(root / "notebooks" / "01-sizes.ipynb", *(words.replace(".size()", ".size().mul(2)") for words in CELLS))
    old = pd.read_csv(root / "tables" / "sizes.csv")["sentences"]
    statuses, _ = rebuilt(root)
    assert statuses["tables/sizes"] == "different"
    assert pd.read_csv(root / "tables" / "sizes.csv")["sentences"].tolist() == (2 * old).tolist()


def test_prose_that_prints_another_number_is_different(root: Path) -> None:
    """A number of the computed prose that is not the recorded one makes the numbers of its notebook different."""
    told = CELLS[-1].replace("len(table)", "len(table) + 1")
    write_notebook(root / "notebooks" / "01-sizes.ipynb", *CELLS[:-1], told)
    statuses, _ = rebuilt(root)
    assert (statuses["numbers/01-sizes"], statuses["tables/sizes"]) == ("different", "identical")


def test_a_notebook_that_fails_leaves_what_is_committed(root: Path) -> None:
    """An error in the second notebook keeps all products of the first as they were, though the first has made others."""
    write_notebook(root / "notebooks" / "01-sizes.ipynb", *(words.replace("'Sentences.'", "'Counted.'") for words in CELLS))
    write_notebook(root / "notebooks" / "02-bad.ipynb", "from shinan_research import ShinanError", "raise ShinanError('no luck')")
    before = {name: digests(root / name) for name in ("figures", "tables", "data")}
    with pytest.raises(ShinanError, match="no luck"):
        rebuilt(root)
    assert {name: digests(root / name) for name in before} == before
    (root / "notebooks" / "02-bad.ipynb").unlink()
    assert rebuilt(root)[0]["tables/sizes"] == "different"


def test_all_products_change_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What several notebooks make, tables and figures with the citation kit, reaches the study in one change, or none does."""
    for name in ("01-sizes", "02-more"):
        cells = (words.replace("'sizes'", f"'{name}'").replace("'reports'", f"'{name}.reports'") for words in CELLS)
        write_notebook(root / "notebooks" / f"{name}.ipynb", *cells)
    changes: list[set[str]] = []
    replace = build.replace_together
    monkeypatch.setattr(build, "replace_together", lambda each: (changes.append({p.name for p in each}), replace(each)))
    assert set(rebuilt(root)[0]) >= {"tables/01-sizes", "tables/02-more", "numbers/02-more"}
    assert changes == [{"figures", "tables"}]
    assert rebuilt(root)[0]["tables/02-more"] == "identical" and len(changes) == 1


def test_a_product_without_its_notebook_is_missing(root: Path) -> None:
    """When another notebook takes the place of one, what the old one published is named, and its page and numbers go."""
    (root / "notebooks" / "01-sizes.ipynb").unlink()
    write_notebook(root / "notebooks" / "02-other.ipynb", "x = 1")
    statuses, _ = rebuilt(root)
    assert statuses["tables/sizes"] == "missing"
    assert not (root / "build" / "html" / "01-sizes.html").exists()
    assert numbers_of(read_manifest(root / "figures")) == {}


def test_checking_writes_nothing(root: Path) -> None:
    """`check` calls a sound study identical and a changed table different, and leaves every file alone."""
    before = digests(root)
    table = check(root, say=lambda words: None)
    assert set(table["status"]) == {"identical"}
    assert digests(root) == before
    (root / "tables" / "sizes.csv").write_bytes(b"report,sentences\n")
    changed = digests(root)
    table = check(root, say=lambda words: None).set_index("name")
    assert table.loc["tables/sizes", "status"] != "identical"
    assert digests(root) == changed


def test_a_study_without_notebooks(root: Path) -> None:
    """Without a notebook the message says where they come from."""
    shutil.rmtree(root / "notebooks")
    with pytest.raises(ShinanError, match=r"No notebooks in study/notebooks\. Copy those of the package"):
        notebooks(root)


def test_the_working_copy_keeps_what_is_there(root: Path) -> None:
    """A notebook edited in work/ is kept, a missing one is added, and the sources stay as they are."""
    before = digests(root / "notebooks")
    copy = working_copy(root)
    assert copy == root / "work" and digests(copy / "notebooks") == before and digests(copy / "data") == digests(root / "data")
    (copy / "notebooks" / "01-sizes.ipynb").write_text("mine", encoding="utf-8")
    write_notebook(root / "notebooks" / "02-more.ipynb", "1 + 1")
    working_copy(root)
    assert (copy / "notebooks" / "01-sizes.ipynb").read_text(encoding="utf-8") == "mine"
    assert digests(copy / "notebooks")["02-more.ipynb"] == digests(root / "notebooks")["02-more.ipynb"]


def test_the_package_carries_the_notebooks() -> None:
    """The notebooks of a new study are those of the repository."""
    found = {path.name for path in package_notebooks().glob("*.ipynb")}
    assert found == {path.name for path in (Path(__file__).parents[1] / "notebooks").glob("*.ipynb")}


# The gate: no comparison on a text whose losses nobody has looked at


def suspects(verdict: str) -> pd.DataFrame:
    """Return what an audit finds of one character."""
    row = ("甲县-2030", "lost character", verdict, "年", 0, 12.0, "no 年 where twelve were to be expected")
    return pd.DataFrame([row, ("甲县-2030", "lost character", "naturally absent", "农", 0, 1.0, "")], columns=NOTHING.columns)


@pytest.fixture
def silent(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Take the apparatus away from the study; return the reports that were audited, as they come."""
    shutil.rmtree(root / "data" / "emendations")
    (root / "build" / "state.json").unlink()  # it knows what an earlier audit found
    seen: list[str] = []
    monkeypatch.setattr(AUDIT, "audit", lambda reports: (seen.append(reports[0].id), suspects("lost"))[1])
    return seen


def test_a_lost_character_stops_a_study_without_apparatus(root: Path, silent: list[str]) -> None:
    """What is lost is named with the report; an apparatus with a header and no rows is an answer."""
    with pytest.raises(ApparatusError, match=r"^Lost: 年 in 甲县-2030, 年 in 甲县-2031, and the apparatus is silent\."):
        reproduce(root, say=lambda words: None)
    assert silent == ["甲县-2030", "甲县-2031"]
    (root / "data" / "emendations").mkdir()
    for name in silent:
        (root / "data" / "emendations" / f"{name}.csv").write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
    silent.clear()
    assert examine(open_study(root), {}, say=lambda words: None) == {}
    assert silent == []  # what a person has answered is not asked again


def test_what_is_probably_lost_is_said_once_and_stops_nothing(
    root: Path, silent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A doubt is printed with its evidence; a report examined earlier is not examined again."""
    monkeypatch.setattr(AUDIT, "audit", lambda reports: suspects("probably lost"))
    words: list[str] = []
    known = examine(open_study(root), {}, say=words.append)
    doubts = [line for line in words if "probably lost. no 年 where twelve were to be expected" in line]
    assert len(doubts) == 2 and len(known) == 2
    monkeypatch.setattr(AUDIT, "audit", lambda reports: pytest.fail("audited twice"))
    assert examine(open_study(root), json.loads(json.dumps(known)), say=lambda words: None) == known


def test_the_objection_of_an_audit_comes_before_that_of_a_notebook(root: Path, silent: list[str]) -> None:
    """Where a character is lost and a notebook fails too, the loss is named: it may be why the notebook fails."""
    cells = ("from shinan_research import ShinanError", "raise ShinanError('no table')")
    write_notebook(root / "notebooks" / "01-sizes.ipynb", *cells)
    with pytest.raises(ApparatusError, match=r"^Lost: 年 in 甲县-2030, 年 in 甲县-2031"):
        reproduce(root, say=lambda words: None)
    assert silent == ["甲县-2030", "甲县-2031"]


def test_a_folder_that_is_no_study(tmp_path: Path) -> None:
    """Outside a study nothing is made."""
    with pytest.raises(StudyError, match=r"study\.toml"):
        reproduce(tmp_path, say=lambda words: None)
    assert list(tmp_path.iterdir()) == []
