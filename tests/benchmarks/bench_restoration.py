"""Measure `propose` and `audit` on real reports and print each bar beside what was reached.

    python tests/benchmarks/bench_restoration.py CORPUS INDEX [EVERY]

CORPUS is the unpacked folder of reports, INDEX its table (file, level, place, year, defects). A report that the shipped
counts were trained on is refused. Restoration is measured on reports whose place and whose year are both unseen, the
false alarms of `audit` on 200 reports that are no training files; EVERY takes each n-th report for restoration only. The
repository's own two reports are measured against the apparatus in data/emendations. Seconds are those of the processor.
Every bar is printed, and appended to results_restoration.csv beside this file with day, commit and machine.
"""

import csv
import os
import platform
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from build_references import read_index, training  # noqa: E402

from shinan_research.audit import audit, character_counts  # noqa: E402
from shinan_research.errors import ShinanError  # noqa: E402
from shinan_research.files import sha256  # noqa: E402
from shinan_research.lattice import genre_pairs  # noqa: E402
from shinan_research.propose import genre, propose, reference, settings  # noqa: E402
from shinan_research.reports import Report, read_page, read_report  # noqa: E402

CHARACTERS = "中国发业一大化区市新建这的农生力经全民人"  # fixed before the test reports were read
FIRST_YEAR = 2005
RESULTS = Path(__file__).with_name("results_restoration.csv")


def read(folder: Path, files: list[str]) -> list[Report]:
    """Read reports, and refuse those that the shipped counts were trained on."""
    trained = set(settings()["training_files"])
    seen = [file for file in files if sha256(folder / file) in trained]
    if seen:
        raise SystemExit(f"{seen[0]} and {len(seen) - 1} more trained the shipped counts; a benchmark must not use them.")
    return [read_report(folder / file) for file in files]


def f1(proposed: set[int], gold: set[int]) -> tuple[float, float, float]:
    """Return precision, recall and F1."""
    hits = len(proposed & gold)
    return hits / max(len(proposed), 1), hits / max(len(gold), 1), 2 * hits / max(len(proposed) + len(gold), 1)


def delete(report: Report, character: str) -> tuple[Report, set[int]]:
    """Return a report without a character, and the offsets before which it stood."""
    places = np.flatnonzero(np.array(list(report.witness)) == character)
    text = report.witness.replace(character, "")
    return replace(report, witness=text, text=text), set((places - np.arange(len(places))).tolist())


def restoration(reports: list[Report], sisters: dict[str, list[Report]]) -> pd.DataFrame:
    """Return precision, recall and F1 for each report, character and number of sisters."""
    rows = []
    for report in reports:
        for character in CHARACTERS:
            damaged, gold = delete(report, character)
            for number in range(len(sisters[report.id]) + 1):
                start = process_time()
                try:
                    table = propose(damaged, character, sisters=sisters[report.id][:number])
                except ShinanError:
                    continue
                seconds = process_time() - start
                both = f1(set(table["offset"]), gold)
                high = f1(set(table.loc[table["tier"] == "high confidence", "offset"]), gold)[:2]
                rows.append([report.id, character, number, len(gold), *both, *high, seconds])
    return pd.DataFrame(rows, columns=["report", "char", "sisters", "n", "p", "r", "f1", "high_p", "high_r", "seconds"])


def apparatus() -> list[list[object]]:
    """Measure the repository's own damaged report against its apparatus."""
    damaged, sister = read_page(ROOT / "data" / "raw" / "shinan-page.txt")
    rows = pd.read_csv(ROOT / "data" / "emendations" / "shinan-2019.csv")
    rows = rows[rows["char"] == "中"]
    gold = set(rows.loc[(rows["decision"] == "accept") & (rows["certainty"] != "possible"), "offset"])
    start = process_time()
    table = propose(damaged, "中", sisters=[sister])
    seconds = process_time() - start
    table = table[~table["offset"].isin(set(rows["offset"]) - gold)]
    high = f1(set(table.loc[table["tier"] == "high confidence", "offset"]), gold)
    return [
        ["2019, 中: precision, high confidence", ">= 0.99", round(high[0], 3)],
        ["2019, 中: recall, high confidence", ">= 0.75", round(high[1], 3)],
        ["2019, 中: F1, both tiers (P, R)", ">= 0.93", [round(value, 3) for value in f1(set(table["offset"]), gold)]],
        ["2019, 中: seconds", "<= 1", round(seconds, 2)],
    ]


def false_alarms(reports: list[Report]) -> list[list[object]]:
    """Measure what `audit` says of intact reports."""
    tables, seconds = [], []
    for report in reports:
        start = process_time()
        tables.append(audit([report]))
        seconds.append(process_time() - start)
    found = pd.concat(tables)
    wrong = found[found["verdict"].isin(["lost", "probably lost"])]
    print(wrong[["report", "verdict", "where", "seen", "expected"]].to_string())
    others = found[~found["defect"].eq("lost character")]
    print(others.groupby(["defect", "verdict"]).size().to_string())
    text = "".join(report.witness for report in reports)
    start = process_time()
    character_counts(text)
    speed = len(text.encode()) / 1e6 / (process_time() - start)
    return [
        [f"intact reports: lost, of {len(reports)}", "0", int((wrong["verdict"] == "lost").sum())],
        [f"intact reports: probably lost, of {len(reports)}", "<= 2", int((wrong["verdict"] == "probably lost").sum())],
        ["audit: seconds per report, mean and worst", "<= 3", [round(float(np.mean(seconds)), 2), round(max(seconds), 2)]],
        ["count screen: MB/s", ">= 20", round(speed)],
    ]


def unseen(table: pd.DataFrame, folder: Path, every: int) -> list[list[object]]:
    """Measure restoration on reports whose place and year are both unseen."""
    chosen = table[(table["place_set"] == "test") & (table["year_set"] == "test") & (table["year"] >= FIRST_YEAR)].iloc[::every]
    files = {(row.place, row.year): row.file for row in table.itertuples()}
    reports, sisters = read(folder, chosen["file"].tolist()), {}
    for report, row in zip(reports, chosen.itertuples(), strict=True):
        near = [files[row.place, year] for year in (row.year - 1, row.year + 1) if (row.place, year) in files]
        sisters[report.id] = read(folder, near)
    result = restoration(reports, sisters)
    print(result.groupby("sisters")[["n", "p", "r", "f1", "high_p", "high_r", "seconds"]].mean().round(3).to_string())
    print(result.pivot_table(index="char", columns="sisters", values="f1", sort=False).round(3).T.to_string())
    mean = result.groupby("sisters")["f1"].mean().round(3)
    return [
        [f"{len(reports)} unseen reports, 20 characters: F1 without sister", ">= 0.85", mean[0]],
        ["  with the sister of the year before (or after)", ">= 0.90", mean[1]],
        ["  with both neighbouring years", ">= 0.90", mean.get(2, float("nan"))],
        [
            "propose: seconds, mean and worst",
            "<= 1",
            [round(float(value), 2) for value in (result["seconds"].mean(), result["seconds"].max())],
        ],
    ]


def record(rows: list[list[object]], every: int) -> None:
    """Append what was reached to the table of results."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    new = not RESULTS.exists()
    with RESULTS.open("a", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerows([["day", "commit", "machine", "every", "bar", "asked", "reached"]] if new else [])
        day = datetime.now(UTC).date().isoformat()
        writer.writerows([day, commit, machine, every, str(bar).strip(), asked, reached] for bar, asked, reached in rows)


def main(folder: Path, index: Path, every: int = 1) -> None:
    """Print the table of bars."""
    start = process_time()
    genre(), genre_pairs(), reference(2019), settings()
    rows: list[list[object]] = [["resources: seconds to load", "<= 1", round(process_time() - start, 2)]]
    table = read_index(index)
    trained = set(training(table)["file"])
    rows += apparatus()
    rows += unseen(table, folder, every)
    intact = table[~table["file"].isin(trained) & (table["year"] >= 2010)]
    rows += false_alarms(read(folder, intact["file"].tolist()[:200]))
    print(pd.DataFrame(rows, columns=["bar", "asked", "reached"]).to_string(index=False))
    record(rows, every)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
