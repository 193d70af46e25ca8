"""Are planted topics found, and planted shifts of their shares? How long does it take?

    python tests/benchmarks/bench_topics.py [OUT.csv] [planted|prevalence|times ...]
    python tests/benchmarks/bench_topics.py choice CORPUS INDEX OUT.csv

Planted: eight Dirichlet topics over a vocabulary of 1,343 words, three corpora each. The base of the topics is Zipf's law, or
a flatter one (Mandelbrot's, shifted by 20), which is harder: more of the words are rare. Every model is given the same counts
and the true number of topics. "Ceiling" is what counting gives if the topic of every token is known: so much can be had from so
little text. tomotopy is measured where it is installed; the package does not need it. Times are CPU seconds of one thread. In the
results, rows "without the variance over runs" are of the test as it was before it held that.

Choice: what the rule for the number of topics looks at, on five pairs of consecutive reports of provinces for tuning and five
for the check, all held out from the shipped counts of words (the split of tools/build_references.py); as written, and with the
sentences shuffled. The thresholds in `shinan_research/choice.py` were set on the tuning pairs, before any study was looked at.
"""

from __future__ import annotations

import hashlib
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.feature_extraction.text import TfidfTransformer

from shinan_research.choice import average_text, fit_number
from shinan_research.coherence import coherence, shipped
from shinan_research.consensus import consensus
from shinan_research.lda import fit_runs
from shinan_research.outline import outline
from shinan_research.prevalence import prevalence
from shinan_research.reports import read_report
from shinan_research.restore import COLUMNS, restore
from shinan_research.tokens import tokenize
from shinan_research.topics import Topics, _topics
from shinan_research.windows import Windows, shuffle_sentences, topic_windows

try:
    import tomotopy
except ImportError:
    tomotopy = None

TOPICS, VOCABULARY, CONCENTRATION, ALPHA = 8, 1343, 67.0, 0.1
BASES = {"Zipf": 0, "flatter": 20}
# Shares known or fitted, pairs of reports, shift, draws.
CASES = (("known", 1, 0.0, 200), ("known", 1, 0.1, 200), ("known", 20, 0.0, 400), ("known", 20, 0.1, 1000))
CASES += (("fitted", 1, 0.0, 60), ("fitted", 1, 0.1, 60), ("fitted", 20, 0.1, 60), ("fitted", 20, 0.0, 25))
Array = np.ndarray
Rows = Iterator[dict[str, object]]


def plant(units: int, size: int, base: str, seed: int) -> tuple[sparse.csr_array, Array, Array]:
    """Return counts of words in at least two units, the topics' words and the units' shares."""
    rng = np.random.default_rng(seed)
    law = 1 / (BASES[base] + np.arange(1, VOCABULARY + 1))
    words = rng.dirichlet(law / law.sum() * CONCENTRATION + 1e-9, size=TOPICS)
    shares = rng.dirichlet(np.full(TOPICS, ALPHA), size=units)
    mixed = shares @ words
    x = np.stack([rng.multinomial(size, row / row.sum()) for row in mixed])
    kept = (x > 0).sum(axis=0) >= 2
    return sparse.csr_array(x[:, kept]), words[:, kept] / words[:, kept].sum(axis=1, keepdims=True), shares


def ceiling(x: sparse.csr_array, words: Array, shares: Array, rng: np.random.Generator) -> float:
    """Return the cosine of true topics and those counted from tokens whose topics are known."""
    counted = np.zeros_like(words)
    for unit, term, number in zip(*sparse.find(x), strict=True):
        likely = shares[unit] * words[:, term]
        counted[:, term] += rng.multinomial(int(number), likely / likely.sum())
    return score(counted, shares, words, shares)[0]


def score(words: Array, shares: Array, true_words: Array, true_shares: Array) -> tuple[float, float]:
    """Return the mean cosine of matched topics and the mean correlation of their shares."""
    one, two = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (words, true_words))
    rows, columns = linear_sum_assignment(one @ two.T, maximize=True)
    pairs = zip(rows, columns, strict=True)
    return float((one @ two.T)[rows, columns].mean()), float(
        np.mean([np.corrcoef(shares[:, a], true_shares[:, b])[0, 1] for a, b in pairs])
    )


def own(runs: int) -> Callable[[sparse.csr_array], tuple[Array, Array]]:
    """Return the package's consensus of so many runs as a model."""

    def fit(x: sparse.csr_array) -> tuple[Array, Array]:
        fitted = fit_runs(x, TOPICS, seeds=runs)
        model = consensus(fitted.words, fitted.shares, average_text(x))
        return model.words, model.shares

    return fit


def by_tomotopy(x: sparse.csr_array) -> tuple[Array, Array]:
    """Return words and shares by tomotopy: 400 rounds of Gibbs sampling."""
    model = tomotopy.LDAModel(k=TOPICS, alpha=ALPHA, eta=0.05, seed=1)
    dense = x.toarray()
    for row in dense:
        model.add_doc([f"{word:04d}" for word in np.repeat(np.arange(x.shape[1]), row)])
    model.train(400, workers=1)
    order = [int(word) for word in model.used_vocabs]
    words = np.zeros((TOPICS, x.shape[1]))
    words[:, order] = [model.get_topic_word_dist(topic) for topic in range(TOPICS)]
    return words, np.array([document.get_topic_dist() for document in model.docs])


def by_sklearn(x: sparse.csr_array) -> tuple[Array, Array]:
    """Return words and shares by scikit-learn's LDA, 60 rounds, the same priors."""
    model = LatentDirichletAllocation(TOPICS, doc_topic_prior=ALPHA, topic_word_prior=0.05, max_iter=60, random_state=1)
    shares = model.fit_transform(sparse.csr_matrix(x))
    return model.components_ / model.components_.sum(axis=1, keepdims=True), shares


def by_nmf(x: sparse.csr_array) -> tuple[Array, Array]:
    """Return words and shares by NMF of tf-idf weights."""
    model = NMF(TOPICS, init="nndsvda", max_iter=400, random_state=1)
    shares = model.fit_transform(TfidfTransformer().fit_transform(sparse.csr_matrix(x).astype(float)))
    return model.components_ + 1e-12, shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)


def planted() -> Rows:
    """Yield the recovery of planted topics by every model."""
    models = {"CVB0, consensus of 50": own(50), "CVB0, one run": own(1), "scikit-learn NMF": by_nmf}
    slow = {"scikit-learn LDA": by_sklearn} | ({"tomotopy LDA": by_tomotopy} if tomotopy else {})
    for units, base in ((156, "Zipf"), (156, "flatter"), (1500, "Zipf"), (1500, "flatter")):
        corpora = [plant(units, 43, base, seed) for seed in (1, 2, 3)]
        highest = np.mean([ceiling(*each, np.random.default_rng(0)) for each in corpora])
        about = {"bench": "planted", "case": f"{units} units x 43, {base}", "model": "ceiling"}
        yield about | {"measure": "topic cosine", "value": round(float(highest), 4)}
        for name, model in (models | (slow if units < 1000 else {})).items():
            found, begun = [], time.process_time()
            for x, words, shares in corpora:
                found.append(score(*model(x), words, shares))
            seconds = (time.process_time() - begun) / len(corpora)
            cosine, correlation = np.mean(found, axis=0)
            about = {"bench": "planted", "case": f"{units} units x 43, {base}", "model": name}
            yield about | {"measure": "topic cosine", "value": round(cosine, 4)}
            yield about | {"measure": "theta correlation", "value": round(correlation, 4)}
            yield about | {"measure": "CPU seconds per fit", "value": round(seconds, 2)}


def units_of(rng: np.random.Generator, pairs: int, shift: float, topics: int = 6) -> tuple[pd.DataFrame, Array]:
    """Return the units of pairs of reports with 16 chapters each, and their true shares; the first topic gains, the second loses.

    A chapter draws its shares around those of its year, a unit around those of its chapter.
    """
    rows, shares = [], []
    sizes = (35, 60)
    for place in range(pairs):
        for year in (0, 1):
            mean = np.full(topics, 1 / topics)
            mean[:2] += np.array([shift, -shift]) * year
            for chapter in range(16):
                around = rng.dirichlet(mean * 1.2 * topics)
                for _ in range(rng.integers(3, 8)):
                    rows.append((f"{place}-{year}", f"{place}", year, "plan", chapter, "", 0, 1, 150, int(rng.integers(*sizes))))
                    shares.append(rng.dirichlet(np.maximum(8 * around, 1e-3)))
    columns = ["report", "place", "year", "part", "chapter", "chapter_title", "start", "end", "han", "size"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(0, "unit", np.arange(len(table)))
    return table, np.array(shares)


def known(table: pd.DataFrame, shares: Array) -> Topics:
    """Return a model whose shares are the true ones."""
    ids = [f"T{number}" for number in range(1, shares.shape[1] + 1)]
    names = pd.DataFrame({"topic": ids, "zh": ids, "en": ids, "decided_by": "algorithm"})
    whole = pd.concat([table, pd.DataFrame(shares, columns=ids)], axis=1)
    nothing = Windows(table, [], pd.DataFrame())
    runs = np.repeat(shares[None].astype(np.float32), 2, axis=0)
    return Topics(names, whole, names, names, nothing, runs, np.zeros_like(runs[0]), {})


def estimated(table: pd.DataFrame, shares: Array, rng: np.random.Generator) -> tuple[Topics, Array]:
    """Return the model fitted to text with these shares, and for each of its topics the planted one."""
    law = 1 / (BASES["flatter"] + np.arange(1, VOCABULARY + 1))
    words = rng.dirichlet(law / law.sum() * CONCENTRATION, size=shares.shape[1])
    mixed = shares @ words
    x = np.stack([rng.multinomial(n, row / row.sum()) for n, row in zip(table["size"], mixed, strict=True)])
    kept = np.flatnonzero((x > 0).sum(axis=0) >= 2)
    unit, term = np.nonzero(x[:, kept])
    frame = pd.DataFrame({"unit": unit, "sentence": unit, "term": term})
    frame = frame.loc[frame.index.repeat(x[:, kept][unit, term])].reset_index(drop=True)
    windows = Windows(table.assign(size=x[:, kept].sum(axis=1)), [f"{word:04d}" for word in kept], frame)
    fit = fit_number(windows.x, shares.shape[1], runs=8, seed=0)
    found = _topics(windows, fit, pd.DataFrame({"topics": [shares.shape[1]]}), {})
    likeness = np.corrcoef(found.shares[found.ids].to_numpy().T, shares.T)[: shares.shape[1], shares.shape[1] :]
    return found, linear_sum_assignment(likeness, maximize=True)[1]


def shifts() -> Rows:
    """Yield coverage, power and false positives of `prevalence` on planted shifts."""
    for kind, pairs, shift, draws in CASES:
        inside, reached, raw, needed, wrong = [], [], [], [], []
        for draw in range(draws):
            rng = np.random.default_rng([101, draw])
            table, shares = units_of(rng, pairs, shift)
            topics, partner = (known(table, shares), np.arange(6)) if kind == "known" else estimated(table, shares, rng)
            truth = np.array([shift, -shift, 0, 0, 0, 0])[partner]
            row = prevalence(topics, 0, 1, n_permutations=499)
            inside.append(((row["low"] <= truth) & (truth <= row["high"])).mean())
            moved = truth != 0
            reached.append((row["p_adjusted"][moved] <= 0.05).mean() if shift else np.nan)
            raw.append((row["p"][~moved] <= 0.05).mean())
            wrong.append((row["verdict"][~moved] != "no evidence").mean())
            needed.append(row["pairs_needed"].median())
        about = {"bench": "prevalence", "case": f"{pairs} pairs, shift {shift:g}, {draws} draws", "model": f"shares {kind}"}
        yield about | {"measure": "coverage of the generative 95 % interval", "value": round(float(np.mean(inside)), 3)}
        yield about | {"measure": "false positives (p <= 0.05, unshifted topics)", "value": round(float(np.mean(raw)), 3)}
        yield about | {"measure": "false verdicts (Holm, unshifted topics)", "value": round(float(np.mean(wrong)), 3)}
        yield about | {"measure": "pairs needed for 3 points (median)", "value": float(np.median(needed))}
        if shift:
            yield about | {"measure": "power (Holm)", "value": round(float(np.mean(reached)), 3)}


def times() -> Rows:
    """Yield CPU seconds and peak memory of one large fit: 78,000 units of 43 tokens, as of 1,000 reports."""
    rng = np.random.default_rng(1)
    law = 1 / (20 + np.arange(1, 12_001))
    words = rng.dirichlet(law / law.sum() * 600, size=10)
    parts = []
    for _ in range(39):
        mixed = rng.dirichlet(np.full(10, ALPHA), 2000) @ words
        parts.append(sparse.csr_array(np.stack([rng.multinomial(43, row / row.sum()) for row in mixed])))
    x = sparse.vstack(parts).tocsr()
    begun = time.process_time()
    fit_runs(x, 10, seeds=1)
    about = {"bench": "times", "case": f"{x.shape[0]} units, {x.nnz} cells, 10 topics", "model": "CVB0, one run"}
    yield about | {"measure": "CPU seconds per fit", "value": round(time.process_time() - begun, 1)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield about | {"measure": "peak memory of the process, MB", "value": round(peak)}


def held_out(index: Path) -> list[tuple[str, str, int, str, str]]:
    """Return ten pairs of consecutive reports: set, place, first year and both files; five of each set, drawn by hash."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
    table = import_module("build_references").read_index(index)
    table = table[(table["place_set"] == "test") & (table["year"] >= 2005) & (table["level"] == "province")]
    files = {(row.place, row.year): row.file for row in table.itertuples()}
    pairs = sorted(((place, year) for place, year in files if (place, year + 1) in files), key=lambda pair: digest(str(pair)))
    found = [
        ("check" if int(digest(f"half{place}"), 16) % 2 else "tuning", place, year, files[place, year], files[place, year + 1])
        for place, year in pairs
    ]
    return [row for half in ("tuning", "check") for row in [each for each in found if each[0] == half][:5]]


def digest(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def choice(folder: Path, index: Path) -> pd.DataFrame:
    """Return what the rule looks at, for each held-out pair, number of topics and kind of text."""
    rows = []
    for half, place, year, *files in held_out(index):
        reports = [
            replace(read_report(folder / file, place=place), id=f"{place}-{n}", place=place, year=n)
            for n, file in enumerate(files, year)
        ]
        windows = topic_windows(tokenize(outline(restore(reports, pd.DataFrame(columns=list(COLUMNS))))))
        for text, x in (("as written", windows.x), ("sentences shuffled", shuffle_sentences(windows, np.random.default_rng(0)))):
            for number in range(4, 13) if text == "as written" else (4, 6, 9):
                begun, fit = time.process_time(), fit_number(x, number, runs=50, seed=0)
                together = float(np.nanmean(coherence(fit.model.words, windows.terms, shipped())))
                about = {"half": half, "place": place, "year": year, "units": x.shape[0], "terms": x.shape[1], "text": text}
                seen = {"weakest_support": fit.model.support.min(), "halves": fit.halves.mean(), "coherence": together}
                rows.append(about | {"topics": number} | seen | {"cpu_seconds": time.process_time() - begun})
    return pd.DataFrame(rows).round(4)


BENCHES = {"planted": planted, "prevalence": shifts, "times": times}


def main(arguments: list[str]) -> None:
    """Print every result, and write them all where a file is named."""
    if arguments[:1] == ["choice"]:
        choice(Path(arguments[1]), Path(arguments[2])).to_csv(arguments[3], index=False, lineterminator="\n")
        return
    chosen = [name for name in arguments if name in BENCHES] or list(BENCHES)
    rows = []
    for name in chosen:
        for row in BENCHES[name]():
            rows.append(row)
            print(" | ".join(str(value) for value in row.values()), flush=True)
    for out in [Path(name) for name in arguments if name not in BENCHES]:
        old = pd.read_csv(out) if out.exists() else pd.DataFrame(columns=["bench"])
        table = pd.concat([old[~old["bench"].isin(chosen)], pd.DataFrame(rows)])
        table.sort_values("bench", kind="stable").to_csv(out, index=False, lineterminator="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
