"""The notebooks as sources: clean, citable, short, and free of typed results and of this study's words."""

import ast
import json
import re
import statistics
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import pytest

import shinan_research

ROOT = Path(__file__).parents[1]
MANY = ROOT / "shinan_research" / "resources" / "notebooks" / "many-reports.ipynb"  # `new` writes it where a folder holds many
NOTEBOOKS = [*sorted((ROOT / "notebooks").glob("*.ipynb")), MANY]
TAGS = {"narrative", "method", "figure", "table", "setup", "parameters"}
Cell = dict[str, Any]


def cells(path: Path, kind: str = "") -> list[Cell]:
    """Return the cells of a notebook, all or of one kind."""
    found: list[Cell] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if not kind or cell["cell_type"] == kind]


def source(cell: Cell) -> str:
    """Return the text of a cell."""
    return "".join(cell["source"])


def prose(cell: Cell) -> str:
    """Return the text of a markdown cell without code, links' addresses, formulas and list numbers."""
    text = re.sub(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]+\$", "", source(cell), flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)|<https?://[^>]*>|https?://\S+", "", text)


def study_words() -> list[str]:
    """Return terms, forms, places and years of this study, and the parts of its places."""
    study = tomllib.loads((ROOT / "data" / "study.toml").read_text(encoding="utf-8"))
    words = [
        study["place"]["zh"],
        *re.findall(r"(.{2,}?)[省市区县州旗]", study["place"]["zh"]),
        *study["place"]["en"].split(", "),
    ]
    words += [str(year) for entry in study["files"] for year in entry["reports"].values()]
    for term in study["terms"]:
        words += [term["name"], *term.get("forms", []), *term.get("wide", []), *term.get("not", [])]
    return sorted(set(words))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Path:
    """Return each notebook in turn."""
    return Path(request.param)


def test_there_are_notebooks_in_order() -> None:
    """Each notebook has a number and no number stands twice; those for a reader's own reports have none."""
    numbered = [path for path in NOTEBOOKS if path.stem not in ("my-reports", "many-reports")]
    numbers = [path.name[:2] for path in numbered]
    assert numbered and all(re.fullmatch(r"\d\d-[a-z0-9-]+", path.stem) for path in numbered)
    assert len(numbers) == len(set(numbers))


def test_sources_are_valid_and_clean(notebook: Path) -> None:
    """A notebook is valid, without output, execution count, attachment or an editor's metadata, and ends with a line feed."""
    text = notebook.read_text(encoding="utf-8")
    nbformat.validate(json.loads(text))
    assert text.endswith("}\n") and "\r" not in text
    for cell in cells(notebook):
        assert not cell.get("outputs") and cell.get("execution_count") is None and "attachments" not in cell
        assert set(cell["metadata"]) == {"tags"}
    metadata = json.loads(text)["metadata"]
    assert set(metadata) <= {"kernelspec", "language_info", "title", "long"}
    assert metadata["kernelspec"]["name"] == "python3" and "version" not in metadata["language_info"]


def test_cells_have_fixed_ids(notebook: Path) -> None:
    """Each cell has an id of its own that a person gave it: words, not eight hexadecimal digits."""
    ids = [cell["id"] for cell in cells(notebook)]
    assert len(ids) == len(set(ids))
    for name in ids:
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) and not re.fullmatch(r"(?=.*\d)[0-9a-f]{8,}", name), name


def test_tags_are_from_the_list(notebook: Path) -> None:
    """Each cell has one tag or more from the closed list; only code cells are figures, tables, setup or parameters."""
    for cell in cells(notebook):
        tags = set(cell["metadata"]["tags"])
        assert tags and tags <= TAGS, cell["id"]
        assert cell["cell_type"] == "code" or tags <= {"narrative", "method"}, cell["id"]


def test_code_cells_are_short(notebook: Path) -> None:
    """No code cell has more than 15 lines, half of them three or fewer, and none is empty or defines much."""
    lengths = [len([line for line in source(cell).splitlines() if line.strip()]) for cell in cells(notebook, "code")]
    assert min(lengths) > 0 and max(lengths) <= 15
    assert statistics.median(lengths) <= 3


def test_the_story_begins_and_ends_as_agreed(notebook: Path) -> None:
    """First comes a general title with its question, in both languages; then setup; a computed answer precedes all evidence."""
    first, *rest = cells(notebook)
    assert first["cell_type"] == "markdown" and re.match(r"# \S.*·.*[\u4e00-\u9fff]", source(first))
    tags = [cell["metadata"]["tags"][0] for cell in rest]
    assert tags[0] == "setup"
    assert "narrative" in tags and tags.index("narrative") < min(tags.index(tag) for tag in ("table", "figure") if tag in tags)
    headings = [source(cell) for cell in cells(notebook, "markdown") if source(cell).startswith("## ")]
    assert headings and "change" in headings[-1].splitlines()[0] and "改变" in headings[-1].splitlines()[0]


def test_no_result_is_typed(notebook: Path) -> None:
    """Prose holds no figure, Arabic or full-width, outside code and links: numbers are computed where they are shown."""
    for cell in cells(notebook, "markdown"):
        assert re.findall(r"[\d０-９]+", prose(cell)) == [], cell["id"]


def test_prose_names_nothing_of_this_study(notebook: Path) -> None:
    """Prose holds no term, place or year of the study, so that it stays true when data/ is replaced."""
    for cell in cells(notebook, "markdown"):
        assert [word for word in study_words() if word in prose(cell)] == [], cell["id"]


def test_code_names_nothing_of_this_study(notebook: Path) -> None:
    """Code takes groups and terms from the study: it holds no term, place or year either."""
    for cell in cells(notebook, "code"):
        assert [word for word in study_words() if word in source(cell)] == [], cell["id"]


def test_prose_is_in_both_languages(notebook: Path) -> None:
    """Each markdown cell says what it says in English and in Chinese."""
    for cell in cells(notebook, "markdown"):
        assert re.search(r"[A-Za-z]{3}", prose(cell)) and re.search("[\u4e00-\u9fff]{2}", prose(cell)), cell["id"]


def test_figures_are_published_never_saved(notebook: Path) -> None:
    """No notebook saves a figure or writes a file by itself; each cell tagged figure publishes one, under a name used once."""
    names = []
    for cell in cells(notebook, "code"):
        text = source(cell)
        assert not re.search(r"savefig|to_csv|to_excel|write_text|write_bytes|open\(|plt\.show", text), cell["id"]
        published = re.findall(r"publish\(\s*\w+,\s*\"([^\"]+)\"", text)
        assert bool(published) == ("figure" in cell["metadata"]["tags"]), cell["id"]
        names += published
    assert len(names) == len(set(names))


def test_no_figure_is_published_by_two_notebooks() -> None:
    """Each figure has one notebook that makes it."""
    names = [
        name
        for path in NOTEBOOKS
        for cell in cells(path, "code")
        for name in re.findall(r"publish\(\s*\w+,\s*\"([^\"]+)\"", source(cell))
    ]
    assert len(names) == len(set(names)) > 0


def test_code_parses_and_imports_what_exists(notebook: Path) -> None:
    """Each code cell is Python, and what it takes from the package is public."""
    for cell in cells(notebook, "code"):
        for node in ast.walk(ast.parse(source(cell))):
            if isinstance(node, ast.ImportFrom) and node.module == "shinan_research":
                assert {alias.name for alias in node.names} <= set(shinan_research.__all__), cell["id"]
            assert not (isinstance(node, ast.ImportFrom) and str(node.module).startswith("shinan_research.")), cell["id"]


def test_every_import_is_used(notebook: Path) -> None:
    """A notebook imports no name that it does not use."""
    trees = [ast.parse(source(cell)) for cell in cells(notebook, "code")]
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    used = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported - used == set()


def test_wrong_environment_is_explained_in_both_languages(notebook: Path) -> None:
    """The first code cell, run in the wrong environment, says in two languages which one to choose."""
    first = source(cells(notebook, "code")[0])
    assert "except ModuleNotFoundError" in first and "SystemExit" in first
    assert "shinan-research" in first and re.search("环境", first) and re.search("kernel", first)


def test_no_function_outgrows_its_cell(notebook: Path) -> None:
    """A notebook defines no class, and no function of its own that belongs into the library."""
    for cell in cells(notebook, "code"):
        for node in ast.walk(ast.parse(source(cell))):
            assert not isinstance(node, ast.ClassDef | ast.FunctionDef), cell["id"]
