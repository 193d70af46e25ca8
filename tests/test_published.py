"""The published tables agree with each other and with the numbers that prose may cite, read with the csv module alone."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "figures"
COMPARED = sorted(path.name.removesuffix(".cells.csv") for path in FIGURES.glob("*.cells.csv"))
BODY = {"opening", "review", "plan", "closing"}
NUMBERS = json.loads((FIGURES / "numbers.json").read_text(encoding="utf-8"))


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a published table as texts."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", COMPARED)
def test_cells_sum_to_the_counts_of_their_table(name: str) -> None:
    """The cells of each term in the body of each group sum to its count, and their characters to the total."""
    counts: Counter[tuple[str, str]] = Counter()
    han: Counter[tuple[str, str]] = Counter()
    for cell in rows(FIGURES / f"{name}.cells.csv"):
        if cell["part"] in BODY:
            counts[cell["term"], cell["year"]] += int(cell["count"])
            han[cell["term"], cell["year"]] += int(cell["han"])
    table = rows(FIGURES / f"{name}.csv")
    assert table
    for row in table:
        assert row["scope"] == "body"
        for side in ("before", "after"):
            key = row["term"], row[side]
            assert (counts[key], han[key]) == (int(row[f"count_{side}"]), int(row[f"han_{side}"])), key
            rate = 10_000 * counts[key] / han[key]
            assert float(row[f"rate_{side}"]) == pytest.approx(rate, rel=1e-9)


def test_tables_that_count_the_same_term_agree() -> None:
    """The headline, its narrow form, the printed table and the texts as they are compared elsewhere have the same counts."""
    known = {row["term"]: (row["count_before"], row["count_after"]) for row in rows(FIGURES / "shift.csv")}
    others = {
        "shift-single": rows(FIGURES / "shift-single.csv"),
        "terms": rows(ROOT / "tables" / "terms.csv"),
        "placebo": [row for row in rows(FIGURES / "placebo.csv") if row["own"] == "True"],
        "sensitivity": [row for row in rows(FIGURES / "sensitivity.csv") if row["base"] == "True"],
    }
    for name, table in others.items():
        found = {row["term"]: (row["count_before"], row["count_after"]) for row in table if row["term"] in known}
        assert found and found == {term: known[term] for term in found}, name
    vocabulary = {row["term"]: (row["count_before"], row["count_after"]) for row in rows(FIGURES / "ranking.csv")}
    shifted = {row["term"]: (row["count_before"], row["count_after"]) for row in rows(FIGURES / "word-shift.csv")}
    assert vocabulary.items() <= shifted.items()


def test_numbers_for_prose_are_those_of_the_table() -> None:
    """Each declared term has its counts, rates and verdict under keys that prose may cite, as the printed table has them."""
    keys = {row["term"]: row["key"] for row in rows(ROOT / "data" / "glosses.csv") if row["key"]}
    table = {keys[row["term"]]: row for row in rows(ROOT / "tables" / "terms.csv") if row["term"] in keys}
    assert set(keys.values()) == set(table)
    for key, row in table.items():
        for side in ("before", "after"):
            assert NUMBERS[f"{key}.count.{side}"]["value"] == int(row[f"count_{side}"])
            assert NUMBERS[f"{key}.rate.{side}"]["text"] == f"{float(row[f'rate_{side}']):.1f}"
        assert NUMBERS[f"{key}.verdict"]["value"] == row["verdict"]


def test_the_prose_of_every_notebook_is_on_record() -> None:
    """Each notebook that tells its answer has the numbers of it among those recorded, with the sentence that prints them."""
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        kept = [entry for key, entry in NUMBERS.items() if key.startswith(f"{path.stem}.answer")]
        assert kept, path.name
        assert all(entry["text"] in entry["sentence"] and entry["notebook"] == path.stem for entry in kept)


def test_every_number_that_a_paper_cites_is_recorded() -> None:
    """A key in the sample papers that no notebook has recorded would print an error."""
    cited = {
        key for path in (ROOT / "tests" / "papers").glob("*.tex")
        for key in re.findall(r"\\wrnumber\{([^}]+)\}", path.read_text(encoding="utf-8"))
    }  # fmt: skip
    assert cited and cited <= set(NUMBERS)


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_numbers_of_the_front_page_are_those_of_the_tables(name: str) -> None:
    """What the words under the first picture say of terms is in the recorded numbers or the cells of the figure."""
    words = re.search(r"!\[([^\]]*)\]\(figures/shift\.png\)", (ROOT / name).read_text(encoding="utf-8"))
    assert words
    cells = rows(FIGURES / "shift.cells.csv")
    allowed = {str(entry["value"]) for key, entry in NUMBERS.items() if ".count." in key}
    allowed |= {cell["count"] for cell in cells} | {cell["year"] for cell in cells}
    assert set(re.findall(r"\d+", words[1])) <= allowed


def test_what_was_judged_is_published_with_its_judge() -> None:
    """Each row of the apparatus and of the targets says who decided, in the words of the vocabulary."""
    for name in ("lost.apparatus.csv", "targets.csv", "targets-single.csv"):
        judges = {row["decided_by"] for row in rows(FIGURES / name)}
        assert judges and judges <= {"algorithm", "machine reader", "person"}, name
