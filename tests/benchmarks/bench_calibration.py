"""Is the test of `compare` calibrated where nothing differs, and how does it behave on consecutive reports of one government?

    python tests/benchmarks/bench_calibration.py CORPUS_FOLDER INDEX.csv [PAIRS [SPLITS [RESULTS.csv]]]

Provincial reports from 2005 on. Provinces are split by a hash of their name; only the half that was never looked at while
the statistics were chosen is used (`unseen`). Two consecutive reports of a province are pooled, body alone, and dealt to two
groups at random: *block* deals blocks of about five sentences, *chapter* whole chapters, so that a burst goes wholly one
way. Every discovery is then false, and the true ratio is one. The same pairs undealt, one report against the next, stand
beside it (*consecutive*): there nobody knows what is true. `naive` is G2 on tokens as independent draws, over words with a
count of five or more.

*Within strata*: the same with chapters matched by their titles (a rule that never looks at the words of the text): inside a
part, two chapters whose titles share a quarter or more of their pairs of characters, numbering apart, each the other's best; what
is left of a part stands beside what is left of that part. *block* then deals blocks within strata, *chapter* whole chapters
within strata, so that which report a chapter came from is a coin's throw.
"""

from __future__ import annotations

import csv
import datetime
import hashlib
import platform
import re
import resource
import sys
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse, stats

from shinan_research.counts import Counts, count_units
from shinan_research.multiplicity import false_discovery
from shinan_research.outline import outline
from shinan_research.permutation import permute
from shinan_research.rates import (
    by_stratum,
    closed_form,
    common_dispersion,
    log_likelihood,
    matched,
    pick,
    quasi_jeffreys,
    raw_dispersion,
)  # fmt: skip
from shinan_research.reports import Report
from shinan_research.shifts import MIN_BLOCKS, MIN_COUNT
from shinan_research.tokens import tokenize

SEED, DRAWS, FIRST = 0, 99_999, 2005
MIN_BLOCKS_OF_PAIR, MIN_CHAPTERS, MIN_STRATA = 60, 8, 5
ALIKE = 0.25
Found = dict[tuple[str, str], list[float]]


def unseen(place: str) -> bool:
    """Return whether a province belongs to the half that was not looked at."""
    return int(hashlib.sha256(f"calibration {place}".encode()).hexdigest(), 16) % 2 == 1


def pairs(folder: Path, index: Path) -> list[tuple[Report, Report]]:
    """Return pairs of consecutive reports of one province, in an order that a hash decides."""
    reports = {}
    with index.open(encoding="utf-8") as source:
        for row in csv.DictReader(source):
            path = folder / row["file"]
            if row["level"] == "province" and int(row["year"]) >= FIRST and unseen(row["place"]) and path.exists():
                text = path.read_text(encoding="utf-8").strip()
                place, year = row["place"], int(row["year"])
                reports[place, year] = Report(f"{place}-{year}", place, year, text, text)
    keys = [(one, two) for one, two in pairwise(sorted(reports)) if one[0] == two[0] and one[1] + 1 == two[1]]
    keys.sort(key=lambda pair: hashlib.sha256(str(pair).encode()).hexdigest())
    return [(reports[one], reports[two]) for one, two in keys]


def titles_match(tokens: pd.DataFrame) -> pd.DataFrame:
    """Return strata of chapters of two reports whose titles match by the rule above."""
    chapters = tokens.drop_duplicates(["report", "chapter"])[["report", "part", "chapter", "chapter_title"]].astype(str)
    titles = chapters["chapter_title"].str.replace(r"^[第（(]?[一二三四五六七八九十]+[章部分）)]*[、.．，]?", "", regex=True)
    titles = titles.map(lambda title: re.sub(r"[^\w]|\d|年", "", title))
    rows = chapters.assign(pairs=[{title[i : i + 2] for i in range(len(title) - 1)} for title in titles])
    first, second = (rows[rows["report"] == name].to_dict("records") for name in sorted(set(rows["report"])))
    alike = np.array([[dice(one, two) for two in second] for one in first])
    found = []
    for i, one in enumerate(first):
        j = int(alike[i].argmax())
        if alike[i, j] >= ALIKE and int(alike[:, j].argmax()) == i:
            found += [(each["report"], int(each["chapter"]), f"stratum {i}") for each in (one, second[j])]
    return pd.DataFrame(found, columns=["report", "chapter", "stratum"])


def dice(one: dict[str, Any], two: dict[str, Any]) -> float:
    """Return twice the shared pairs of characters over all pairs, 0 between parts."""
    size = len(one["pairs"]) + len(two["pairs"])
    return 2 * len(one["pairs"] & two["pairs"]) / size if size and one["part"] == two["part"] else 0.0


def counted(pair: tuple[Report, Report], *, within: bool) -> Counts | None:
    """Return the counts of a pair by block; None where the text is too short, or has no chapters to deal or to match."""
    tokens = tokenize(outline(list(pair), witness=True))
    one, two = (report.year for report in pair)
    strata = titles_match(tokens) if within else None
    if strata is not None and strata["stratum"].nunique() < MIN_STRATA:
        return None
    counts = count_units(tokens, None, one, two, scope="body", unit="block", headings=True, strata=strata)
    return counts if len(counts.n) >= MIN_BLOCKS_OF_PAIR and len(set(counts.chapter.tolist())) >= MIN_CHAPTERS else None


def dealt(counts: Counts, null: str, rng: np.random.Generator) -> Counts:
    """Return the counts with blocks, or whole chapters, dealt to two groups at random, within strata where there are several."""
    if null == "consecutive":
        return counts
    after = np.zeros(len(counts.n), dtype=bool)
    for stratum in np.unique(counts.stratum):
        rows = np.flatnonzero(counts.stratum == stratum)
        clusters = rows if null == "block" else counts.chapter[rows]
        ids = rng.permutation(np.unique(clusters))
        half = int(counts.after[rows].sum()) if null == "block" and np.ptp(counts.stratum) else len(ids) // 2
        after[rows] = np.isin(clusters, ids[:half])
    return counts._replace(after=after)


def measured(counts: Counts, null: str, seed: int, found: Found) -> None:
    """Add to `found` what the tests and intervals say of one split."""
    counts = matched(counts)
    common = common_dispersion(counts)
    total = np.asarray(counts.x.sum(axis=0)).ravel()
    blocks = np.diff(counts.x.tocsc().indptr)
    few = np.flatnonzero(total >= 5)
    a, b, _, _ = raw_dispersion(counts._replace(x=counts.x[:, few], terms=[counts.terms[i] for i in few]))
    n1, n2 = counts.n[~counts.after].sum(), counts.n[counts.after].sum()
    naive = stats.chi2.sf(log_likelihood(a, b, n1, n2), 1)
    found["naive: raw type-1", null] += (naive <= 0.05).tolist()
    found["naive: any BH discovery", null].append(float((false_discovery(naive) <= 0.05).any()))
    chosen = np.flatnonzero((total >= MIN_COUNT) & (blocks >= MIN_BLOCKS))
    mine = counts._replace(x=counts.x[:, chosen], terms=[counts.terms[i] for i in chosen], heads=counts.heads[chosen])
    closed = closed_form(mine, common)
    p, p_max = permute(mine, np.ones(len(chosen), dtype=bool), DRAWS, seed)
    for name, values in (("permutation", p), ("closed form", closed.p)):
        found[f"{name}: raw type-1", null] += (values <= 0.05).tolist()
        found[f"{name}: any BH discovery", null].append(float((false_discovery(values) <= 0.05).any()))
    found["maxT: any", null].append(float((p_max <= 0.05).any()))
    low, high = quasi_jeffreys(closed.a, closed.b, by_stratum(mine), closed.phi, 0.95)
    holds = (low <= 0) & (high >= 0)
    whole = raw_dispersion(mine._replace(after=np.arange(len(mine.n)) % 2 == 0))[2]
    found["coverage", null] += holds.tolist()
    found["coverage, burstiest tenth", null] += holds[whole >= np.quantile(whole, 0.9)].tolist()


def timings() -> list[tuple[str, str, float, int]]:
    """Return CPU seconds of the closed form and the permutation on simulated counts, and the peak of memory in GB."""
    rows = []
    sizes = ((0, 3_000, "closed form, two reports of 120 blocks"), (1_000, 20_000, "closed form, 1,000 reports × 20,000 terms"))
    for reports, terms, name in sizes:
        units, rng = reports or 120, np.random.default_rng(SEED)
        weight = 1 / np.arange(1, terms + 1)
        size = 8_000 if reports else 100
        x = sparse.csr_array(rng.poisson(np.outer(np.full(units, size), weight / weight.sum())))
        n = np.asarray(x.sum(axis=1), dtype=float).ravel()
        codes = np.zeros(units, dtype=np.int64)
        names, heads = [str(i) for i in range(terms)], np.zeros(terms, dtype=np.int64)
        counts = Counts(names, x, n, n, np.arange(units) % 2 == 0, codes, codes, heads)
        times = []
        for _ in range(5):
            start = time.process_time()
            closed = closed_form(counts, common_dispersion(counts))
            quasi_jeffreys(closed.a, closed.b, by_stratum(counts), closed.phi, 0.95)
            times.append(time.process_time() - start)
        rows.append((f"CPU s: {name}", "", float(np.median(times)), 5))
        if not reports:
            first = pick(counts, np.ones(units, dtype=bool))._replace(x=x[:, :300], terms=counts.terms[:300])
            start = time.process_time()
            permute(first, np.ones(300, dtype=bool), 99_999, SEED)
            rows.append(("CPU s: 99,999 permutations, 300 words", "", time.process_time() - start, 1))
    return [*rows, ("peak memory, GB", "", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 1)]


def main(folder: Path, index: Path, most: int = 30, splits: int = 5, results: Path | None = None) -> None:
    """Print every measure with its number of tests or splits, and write them to a table."""
    found: Found = defaultdict(list)
    rows = timings()
    for within in (False, True):
        rng, used, end = np.random.default_rng(SEED + within), 0, " within strata" if within else ""
        for pair in pairs(folder, index):
            counts = counted(pair, within=within)
            if counts is None:
                continue
            used += 1
            found["strata of a pair", end.strip()].append(float(len(set(matched(counts).stratum.tolist()))))
            measured(counts, f"consecutive{end}", SEED, found)
            for null in ("block", "chapter"):
                for _ in range(splits):
                    measured(dealt(counts, null, rng), null + end, int(rng.integers(2**31)), found)
            if used == most:
                break
    rows += [(name, null, float(np.mean(values)), len(values)) for (name, null), values in found.items()]
    table = pd.DataFrame(rows, columns=["measure", "null", "value", "n"]).assign(
        date=datetime.date.today().isoformat(), machine=f"{platform.system()} {platform.machine()}", seed=SEED, pairs=used,
        splits=splits, permutations=DRAWS,
        files="two consecutive provincial reports each, unseen half of provinces (SHA-256, odd)",
    )  # fmt: skip
    print(table[["measure", "null", "value", "n"]].round(4).to_string(index=False))
    if results:
        table.to_csv(results, index=False, float_format="%.5g", lineterminator="\n")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    numbers = [int(each) for each in arguments[2:4]]
    main(Path(arguments[0]), Path(arguments[1]), *numbers, **({"results": Path(arguments[4])} if len(arguments) > 4 else {}))
