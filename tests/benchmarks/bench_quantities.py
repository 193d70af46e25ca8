"""Measure extraction and linking: python tests/benchmarks/bench_quantities.py [folder of unpacked corpus reports].

Accuracy on the two reports of this repository is measured against `gold_quantities.csv` and `data/links`. The gold was made by
reading every row of the extractor, and every numeral that it had left out, against the text. What was measured on other
governments' reports stands in `results_quantities.csv`: their texts may not be shipped, so the first rounds were taken by reading
marked passages. `gold_unseen.csv` holds the labels of the last four rounds (offsets and values in `Report.text`, no words), made
before the output was seen; with the corpus they are measured again, after what they called for was mended. `UNSEEN` names the
reports of the first rounds; no passage of a round was read before that round.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from shinan_research.links import agreement, locate_links, read_links
from shinan_research.outline import outline
from shinan_research.quantities import quantities
from shinan_research.reports import Report, read_report
from shinan_research.restore import restore
from shinan_research.study import open_study
from shinan_research.targets import candidates, link_targets

ROOT = Path(__file__).parents[2]
GOLD = Path(__file__).with_name("gold_quantities.csv")
LABELS = Path(__file__).with_name("gold_unseen.csv")
UNSEEN = {
    "extraction, first round": ("四川省_2020", "甘肃省_2021", "高阳县_2019", "福建省_2022"),
    "extraction, second round": ("云南省_2021", "湖北省_2022", "辽宁省_2019", "高阳县_2023", "上海市_2023"),
    "extraction, third round": ("安徽省_2020", "江西省_2022", "新疆维吾尔自治区_2023", "北京市_2020", "海南省_2021"),
    "links, last round": ("甘肃省_2021", "甘肃省_2022", "陕西省_2019", "陕西省_2020"),
}
Study = tuple[pd.DataFrame, list[Report], pd.DataFrame]


def best(function: Callable[[], object], n: int = 5) -> float:
    """Return the least CPU time of n runs, in seconds."""
    times = []
    for _ in range(n):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def load() -> Study:
    """Return the sentences of this repository's study, its reports, and its reviewed links."""
    study = open_study(ROOT)
    reports = restore(study.reports(), study.emendations)
    links = locate_links(read_links(ROOT / "data" / "links"), reports)
    return outline(reports, headings=study.headings), reports, links


def extraction(sentences: pd.DataFrame, reports: list[Report]) -> dict[str, float]:
    """Return F1 of exact span and value, and of span, value, comparator and sign together."""
    known = {report.id: report for report in reports}
    table, gold = quantities(sentences), pd.read_csv(GOLD)
    table["start"] = [known[name].to_witness(start) for name, start in zip(table["report"], table["start"], strict=True)]
    scores = {}
    for label, columns in {"F1 span and value": [], "F1 all right": ["comparator", "sign"]}.items():
        keys = ["report", "start", "surface", "value", *columns]
        gold["surface"] = [known[row.report].witness[row.start : row.end] for row in gold.itertuples()]
        found, true = (set(part[keys].itertuples(index=False, name=None)) for part in (table, gold))
        scores[label] = 2 * len(found & true) / (len(found) + len(true))
    return scores


def labelled(folder: Path) -> dict[str, float]:
    """Return F1 on the labelled passages of other governments' reports, of span and value, and with the comparator."""
    counts = {name: [0, 0] for name in ("F1 labelled passages, span and value", "F1 labelled passages, with comparator")}
    for (file, start, end), rows in pd.read_csv(LABELS).groupby(["file", "passage_start", "passage_end"]):
        text = read_report(folder / file).text[start:end]
        found = quantities(outline([Report("a", "a", 2020, text, text)], witness=True))
        found[["start", "end"]] += start
        for (name, count), extra in zip(counts.items(), ([], ["comparator"]), strict=True):
            keys = ["start", "end", "value", *extra]
            mine, true = (set(part[keys].dropna().round(4).itertuples(index=False, name=None)) for part in (found, rows))
            counts[name] = [count[0] + 2 * len(mine & true), count[1] + len(mine) + len(true)]
    return {name: right / total for name, (right, total) in counts.items()}


def linking(table: pd.DataFrame, links: pd.DataFrame) -> dict[str, float]:
    """Return precision, recall and recall among the first three, without the reviewed file, and the time of one pair."""
    before, after = (table[table["report"] == name] for name in sorted(set(table["report"])))
    true = links[links["target"] & (links["outcome_start"] >= 0)]
    gold = set(zip(true["target_start"], true["outcome_start"], strict=True))
    proposed = link_targets(before, after)
    proposed = proposed[proposed["outcome_report"] != ""]
    found = set(zip(proposed["target_start"], proposed["outcome_start"], strict=True))
    listed = candidates(before, after)
    first = set(zip(listed["target_start"], listed["outcome_start"], strict=True))
    return {
        "link precision": len(found & gold) / len(found), "link recall": len(found & gold) / len(gold),
        "recall at 3": len(first & gold) / len(gold), "seconds per pair": best(lambda: link_targets(before, after)),
    }  # fmt: skip


def speed(sentences: pd.DataFrame) -> float:
    """Return million characters per CPU second, the best of five runs."""
    return sentences["text"].str.len().sum() / best(lambda: quantities(sentences)) / 1e6


def main() -> None:
    """Print the measures, one a line."""
    sentences, reports, links = load()
    results = extraction(sentences, reports) | linking(quantities(sentences), links)
    results |= {f"agreement of readings: {name}": value for name, value in agreement(links).items()}
    results["million characters per second, two reports"] = speed(sentences)
    many = pd.concat([sentences.assign(report=sentences["report"] + f"-{i}") for i in range(25)], ignore_index=True)
    results["million characters per second, fifty reports"] = speed(many)
    if len(sys.argv) > 1:
        results |= labelled(Path(sys.argv[1]))
        paths = sorted(Path(sys.argv[1]).glob("province/*_20[12]*.txt"))[::9]
        results["million characters per second, corpus"] = speed(outline([read_report(path) for path in paths], witness=True))
    for name, value in results.items():
        print(f"{name:60} {value:10.4f}")


if __name__ == "__main__":
    main()
