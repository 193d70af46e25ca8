"""Measure links on other governments' reports: python tests/benchmarks/bench_links.py FOLDER (the unpacked development corpus).

`gold_links.csv` says for each target of the plan where its outcome stands in the next review, in characters of `Report.text`
(-1: none; two rows: either will do). A machine reader labelled the pairs from two lists of quantities with their contexts, before
any link was proposed on them; the weights had been set on other pairs. The provinces were drawn by a seed among places never used
before; the county is the only one with two consecutive whole reports that were left. What the extractor does not list cannot be
missed here. Targets not yet due are left out on both sides. Without the corpus there is nothing to measure: its texts may not be
shipped.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from bench_quantities import best

from shinan_research.outline import outline
from shinan_research.quantities import quantities
from shinan_research.reports import read_report
from shinan_research.targets import candidates, link_targets

GOLD = Path(__file__).with_name("gold_links.csv")


def measure(folder: Path, before: str, after: str, gold: pd.DataFrame) -> dict[str, float]:
    """Return how many links are proposed, true, right, among the first three, and the CPU time of one pair, texts to links."""
    reports = [read_report(folder / before), read_report(folder / after)]

    def link() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        found = quantities(outline(reports, witness=True))
        sides = [found[found["report"] == report.id] for report in reports]
        return link_targets(*sides), *sides

    table, *sides = link()
    listed = candidates(*sides)
    due = set(gold["target_start"][gold["remark"] != ""])
    true = gold[(gold["outcome_start"] >= 0) & (gold["remark"] == "")]
    either = set(zip(true["target_start"], true["outcome_start"], strict=True))
    made = table[(table["outcome_report"] != "") & ~table["target_start"].isin(due)]
    right = {t for t, o in zip(made["target_start"], made["outcome_start"], strict=True) if (t, o) in either}
    first = {t for t, o in zip(listed["target_start"], listed["outcome_start"], strict=True) if (t, o) in either}
    wanted = set(true["target_start"])
    return {
        "targets": len(set(gold["target_start"])), "proposed": len(made), "true": len(wanted), "right": len(right),
        "among three": len(first), "seconds": best(link, 3),
    }  # fmt: skip


def main() -> None:
    """Print the measures of each pair and of all."""
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    gold = pd.read_csv(GOLD, keep_default_na=False)
    rows = {
        f"{before} {after[-12:]}": measure(Path(sys.argv[1]), before, after, part)
        for (before, after), part in gold.groupby(["before", "after"], sort=False)
    }
    table = pd.DataFrame(rows).T
    table.loc["all"] = table.sum()
    table["precision"], table["recall"] = table["right"] / table["proposed"], table["right"] / table["true"]
    table["recall at 3"] = table["among three"] / table["true"]
    print(table.round(3).to_string())


if __name__ == "__main__":
    main()
