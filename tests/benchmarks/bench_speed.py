"""How fast is this package beside what a user would pick instead, on the same folder in one run?

    make bench CORPUS=FOLDER [REPORTS=750]        or        python tests/benchmarks/bench_speed.py FOLDER [REPORTS [COPIES]]

Each contender is a process of its own; times are CPU seconds without imports and without starting the dictionary, sums over its
processes. Peers that are not installed are left out with a word. The reports are divided at the median year. Larger collections
are made by repeating the reports under other names, with a line of their own. The table is written to results_speed.csv.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results_speed.csv")
COLUMNS = ("contender", "reports", "megabytes", "cpu_seconds", "wall_seconds", "peak_megabytes", "ratio", "note")
FEW = 50  # reports for the slowest peer
LARGE = 1_000


def cpu() -> float:
    """Return the CPU seconds of this process and of those that it has ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def read(folder: Path, number: int) -> Iterator[Any]:
    """Yield that many reports of a folder, again and again under other names where it has too few."""
    from shinan_research import each_report

    sound = list(each_report(folder, refused=lambda error: None)) if number > LARGE // 2 else None
    source = sound if sound is not None else each_report(folder, refused=lambda error: None)
    yield from islice(source, number)
    for copy in range(1, -(-number // max(len(sound or ()), 1)) if sound else 1):
        for report in islice(sound or (), number - copy * len(sound or ())):
            text = f"{report.text}\n第{copy}份。"
            yield replace(report, id=f"{report.id}-{copy}", place=f"{report.place}{copy}", text=text, witness=text)


def ours(
    folder: Path, number: int, *, workers: int = 1, executor: Any = None, cache: Path | None = None, changed: bool = False
) -> None:
    """Files to the full shift table."""
    from shinan_research import compare, map_reports, stack, tally
    from shinan_research.scale import open_executor

    reports = read(folder, number)
    if changed:
        reports = (replace(each, text=each.text + "改。") if place == 7 else each for place, each in enumerate(reports))
    with open_executor(workers=workers) as opened:
        table = stack(map_reports(partial(tally, witness=True), reports, executor=executor or opened, cache=cache))
    table["year"] = (table["year"] > table.drop_duplicates("report")["year"].median()).astype(int)
    compare(table, 0, 1, unit="report", n_permutations=0)


def warm() -> None:
    """Import what is used, and start the dictionary."""
    from shinan_research import Report, compare, stack, tally

    reports = [
        Report(name, name, year, "推进公路建设。" * 9, "推进公路建设。" * 9) for name, year in (("甲", 0), ("乙", 1), ("丙", 0))
    ]
    compare(stack(tally(each, witness=True) for each in reports), 0, 1, unit="report", n_permutations=0)


def rerun(folder: Path, number: int) -> None:
    """Run with a cache, change one report, and let only the second run be timed."""
    with tempfile.TemporaryDirectory() as kept:
        ours(folder, number, cache=Path(kept))
        start()
        ours(folder, number, cache=Path(kept), changed=True)


def pair(folder: Path, number: int) -> None:
    """Two reports to the tables of the vocabulary and of declared terms, with 99,999 permutations, in a warm process."""
    from shinan_research import compare, occurrences, outline, tokenize, word_shift

    def run() -> None:
        reports = list(read(folder, 2))
        tokens = tokenize(outline(reports, witness=True))
        first, second = (report.id for report in reports)
        terms = ("发展", "改革", "产业")
        compare(tokens, first, second)
        compare(tokens, first, second, terms=terms)
        occurrences(tokens, terms)
        word_shift(tokens, first, second)

    run()
    start()
    run()


def texts(folder: Path, number: int) -> tuple[list[str], list[int]]:
    """Return texts and the half of each, as the peers take them."""
    reports = list(read(folder, number))
    middle = sorted(report.year for report in reports)[len(reports) // 2]
    return [report.text for report in reports], [int(report.year > middle) for report in reports]


def conventional(folder: Path, number: int) -> None:
    """jieba, CountVectorizer, and G2 row by row."""
    import jieba
    import numpy as np
    import pandas as pd
    from sklearn.feature_extraction.text import CountVectorizer

    words, half = texts(folder, number)
    counts = CountVectorizer(analyzer=lambda tokens: tokens).fit_transform([jieba.lcut(text) for text in words])
    after = np.array(half, dtype=bool)
    sides = [np.asarray(counts[side].sum(axis=0)).ravel() for side in (~after, after)]
    table = pd.DataFrame({"a": sides[0], "b": sides[1]})
    n1, n2 = table.sum()

    def g2(row: Any) -> float:
        expected = [n * (row.a + row.b) / (n1 + n2) for n in (n1, n2)]
        return float(2 * sum(seen * np.log(seen / e) for seen, e in zip((row.a, row.b), expected, strict=True) if seen))

    table["g2"] = table.apply(g2, axis=1)


def scattertext(folder: Path, number: int) -> None:
    """jieba, then scattertext's corpus and scores."""
    import jieba
    import pandas as pd
    import scattertext as st

    words, half = texts(folder, number)
    table = pd.DataFrame({"text": [" ".join(jieba.lcut(text)) for text in words], "half": [f"h{each}" for each in half]})
    corpus = st.CorpusFromPandas(table, category_col="half", text_col="text", nlp=st.whitespace_nlp).build()
    st.LogOddsRatioUninformativeDirichletPrior().get_scores(*corpus.get_term_freq_df().to_numpy().T)


def tomotopy(folder: Path, number: int) -> None:
    """jieba, then a topic model of twelve topics, one worker."""
    import jieba
    import tomotopy as tp

    words, _ = texts(folder, number)
    model = tp.LDAModel(k=12, seed=1, min_cf=8)
    for text in words:
        model.add_doc([token for token in jieba.lcut(text) if len(token) > 1])
    model.train(150, workers=1)


def start_jieba() -> None:
    """Start jieba's dictionary."""
    import jieba
    import pandas
    import sklearn.feature_extraction.text  # noqa: F401

    jieba.setLogLevel(60)
    jieba.initialize()
    assert pandas


def on_dask(folder: Path, number: int, *, workers: int) -> None:
    """The same on Dask workers that are already up and warm; what the wall clock says is what their number can change."""
    from distributed import LocalCluster

    from shinan_research.scale import open_executor

    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        open_executor(cluster=cluster.scheduler_address) as executor,
    ):
        assert executor
        for _ in executor.map(_warm_worker, range(4 * workers)):
            pass
        start()
        ours(folder, number, executor=executor)
        stop()


def _warm_worker(number: int) -> int:
    """Start the dictionary of a worker."""
    from shinan_research import Report, tally

    tally(Report("甲", "甲", number, "推进。", "推进。"), witness=True)
    time.sleep(0.2)
    return number


CLOCK: list[float] = []


def start() -> None:
    """Let the time run from here."""
    CLOCK[:] = [cpu(), time.monotonic()]


def stop() -> None:
    """Let the time run up to here, if not to the end of the process."""
    CLOCK.extend([cpu(), time.monotonic()])


Contender = tuple[Callable[..., None], Callable[[], None], tuple[str, ...]]
CONTENDERS: dict[str, Contender] = {
    "this package, one core": (ours, warm, ()),
    "this package, two processes": (partial(ours, workers=2), warm, ()),
    "this package, one Dask worker": (partial(on_dask, workers=1), warm, ("distributed",)),
    "this package, two Dask workers": (partial(on_dask, workers=2), warm, ("distributed",)),
    "this package, rerun after one report changed": (rerun, warm, ()),
    "this package, two reports, 99,999 permutations": (pair, warm, ()),
    "jieba + CountVectorizer + G2 row by row": (conventional, start_jieba, ("jieba", "sklearn")),
    "jieba + scattertext": (scattertext, start_jieba, ("jieba", "scattertext")),
    "jieba + tomotopy (topics)": (tomotopy, start_jieba, ("jieba", "tomotopy")),
}


def run_one(name: str, folder: Path, number: int) -> None:
    """Run a contender in this process and print its row."""
    work, prepare, _ = CONTENDERS[name]
    size = sum(len(report.text.encode()) for report in read(folder, number))
    prepare()
    start()
    work(folder, number)
    stop()
    used, wall = CLOCK[2] - CLOCK[0], CLOCK[3] - CLOCK[1]
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(json.dumps({"megabytes": size / 1e6, "cpu_seconds": used, "wall_seconds": wall, "peak_megabytes": peak}))


def measure(name: str, folder: Path, number: int) -> dict[str, Any] | None:
    """Run a contender in a new process; None, with a word, where it is not installed."""
    missing = [package for package in CONTENDERS[name][2] if importlib.util.find_spec(package) is None]
    if missing:
        print(f"{name}: left out, {', '.join(missing)} not installed", flush=True)
        return None
    command = [sys.executable, __file__, str(folder), str(number), "--only", name]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1") | {"PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ | threads, check=False)
    if ended.returncode:
        print(f"{name}: failed, {ended.stderr.strip().splitlines()[-1]}", flush=True)
        return None
    row = json.loads(ended.stdout.splitlines()[-1]) | {"contender": name, "reports": number, "load": os.getloadavg()[0]}
    print(f"{name}, {number} reports: {row['cpu_seconds']:.2f} CPU s", flush=True)
    return dict(row)


def main(folder: Path, number: int, copies: int) -> None:
    """Run all contenders, and write and print the table."""
    one = "this package, one core"
    plan = [(name, FEW if "scattertext" in name else 2 if "two reports" in name else number) for name in CONTENDERS]
    plan += [(one, size) for size in (FEW, 100, 500, 1_000, copies) if size]
    rows = [row for row in (measure(name, folder, size) for name, size in plan) if row]
    base = {row["reports"]: row["cpu_seconds"] / row["megabytes"] for row in rows if row["contender"] == one}
    for row in rows:
        rate = base.get(row["reports"])
        row["ratio"] = (
            f"{row['cpu_seconds'] / row['megabytes'] / rate:.2f}" if rate and "two reports" not in row["contender"] else ""
        )
        row |= {key: f"{row[key]:.2f}" for key in ("megabytes", "cpu_seconds", "wall_seconds")}
        row["peak_megabytes"] = f"{row['peak_megabytes']:.0f}"
        machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
        row["note"] = f"load {row.pop('load'):.1f}, {date.today()}, {machine}"
        if "Dask" in row["contender"]:
            row |= {"cpu_seconds": "", "ratio": "", "note": f"wall time counts; {row['note']}"}
    with RESULTS.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(RESULTS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--only"]
    if "--only" in sys.argv:
        run_one(words[2], Path(words[0]), int(words[1]))
    else:
        main(Path(words[0]), int(words[1]) if len(words) > 1 else 750, int(words[2]) if len(words) > 2 else 0)
