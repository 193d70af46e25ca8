"""Rebuild the numbers that `audit` and `propose` ship, byte for byte: n-gram counts, weights and character reference.

    python tools/build_references.py CORPUS_FOLDER INDEX OUT

CORPUS_FOLDER holds the reports, INDEX is a table with the columns file, level, place, year and defects, OUT receives
char_reference.csv, ngrams.npz.xz, word_pairs.txt.xz and ngrams.json. Nothing of a report is kept but counts: an n-gram, a
word or a pair of words is kept only if it was seen in at least five reports of three places, and its beginnings with it.

The split is by place and by year, by rule: a place is for testing, tuning or training by the first byte of the SHA-256 of its
name, a year by its remainder modulo four. A training file is one whose place and whose year are both not for testing. The
weights of `propose` are fitted with counts that leave out the places and the years for tuning, on reports of these.
"""

import hashlib
import io
import json
import lzma
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.neural_network import MLPClassifier

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shinan_research import lattice
from shinan_research.files import read_text, sha256, write_atomically
from shinan_research.reports import is_han

model = import_module("shinan_research.propose")  # the package exports a function of this name

ACCEPTED = {"", "edited-by-compilers", "no 各位代表"}  # what does not make a report of the index unsound
LEVELS = ("province", "national")
LEAST_REPORTS, LEAST_PLACES = 5, 3
LARGEST_VOCABULARY = 4_000
TUNED_REPORTS, TUNED_CHARACTERS = 26, 6
REFERENCE_CHARACTERS = 1_000
TIERS = (0.92, 0.4)  # on the reports for tuning: precision 0.99 in every place, and about the greatest F1
HIDDEN, ROUNDS, STEP = 32, 80, 2e-3  # of the network that combines the features
SETS = {1: "test", 7: "test", 5: "tune"}
YEARS = {1: "test", 3: "tune"}
Words = tuple[int, list[tuple[str, int, int, dict[str, int]]]]


def read_index(path: Path) -> pd.DataFrame:
    """Return the sound reports of the index, one row each, with the set of place and of year."""
    table = pd.read_csv(path, keep_default_na=False)
    sound = np.array([set(defects.split(";")) <= ACCEPTED for defects in table["defects"]], dtype=bool)
    table = table[sound & table["level"].isin(LEVELS).to_numpy()].sort_values("file").reset_index(drop=True)
    table["place_set"] = [SETS.get(hashlib.sha256(place.encode()).digest()[0] % 8, "train") for place in table["place"]]
    table["year_set"] = [YEARS.get(year % 4, "train") for year in table["year"]]
    return table


def training(table: pd.DataFrame, *, leave_out: tuple[str, ...] = ("test",)) -> pd.DataFrame:
    """Return the rows whose place and whose year are both in no set left out."""
    return table[~table["place_set"].isin(leave_out) & ~table["year_set"].isin(leave_out)]


@dataclass(frozen=True)
class Counts:
    """Pruned counts: vocabulary, per order what is kept, and the longest run of a text whose 5-grams are all kept."""

    vocabulary: str
    forward: list[model.Counted]
    backward: list[model.Counted]
    longest: int


def count(table: pd.DataFrame, folder: Path) -> Counts:
    """Return the pruned n-gram counts of the reports of a table."""
    texts = [model.view(read_text(folder / file))[0] for file in table["file"]]
    places = pd.factorize(table["place"], sort=True)[0]
    vocabulary = _vocabulary(texts, places)
    ids = [np.append(model.encode(text, vocabulary), 0) for text in texts]
    forward, backward = _count_direction(ids, places), _count_direction([row[::-1] for row in ids], places)
    longest = max(_longest_run(np.isin(model.pack(row, model.ORDER), forward[-1].keys)) for row in ids)
    return Counts(vocabulary, forward, backward, longest)


def _count_direction(ids: list[np.ndarray], places: np.ndarray) -> list[model.Counted]:
    """Return the pruned counts of sequences, order by order."""
    every = [_count_order(ids, places, order) for order in range(1, model.ORDER + 1)]
    orders, contexts = [], np.zeros(1, dtype=np.int64)
    for order, (keys, total, kept) in enumerate(every, 1):
        kept &= np.isin(keys >> model.BITS, contexts)
        if order < model.ORDER:
            total = model.neighbours(keys, every[order][0], order)
        parents, inverse = np.unique(keys >> model.BITS, return_inverse=True)
        sums = np.bincount(inverse, weights=total).astype(np.int64)
        place = np.minimum(np.searchsorted(parents, contexts), len(parents) - 1)
        totals = np.where(parents[place] == contexts, sums[place], 0)
        orders.append(model.Counted(keys[kept], total[kept], totals))
        contexts = keys[kept]
    return orders


def _vocabulary(texts: list[str], places: np.ndarray) -> str:
    """Return the characters seen in enough reports and places, sorted."""
    seen = pd.DataFrame([(one, place) for text, place in zip(texts, places, strict=True) for one in sorted(set(text))])
    counts = seen.groupby(0)[1].agg(["size", "nunique"])
    counts = counts[(counts["size"] >= LEAST_REPORTS) & (counts["nunique"] >= LEAST_PLACES)]
    frequent = counts.sort_values("size", ascending=False, kind="stable").index[:LARGEST_VOCABULARY]
    return "".join(sorted(frequent))


def _count_order(ids: list[np.ndarray], places: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all n-grams of one order, their counts, and which were seen in enough reports and places."""
    found = [np.unique(model.pack(row, order), return_counts=True) for row in ids]
    keys, inverse = np.unique(np.concatenate([key for key, _ in found]), return_inverse=True)
    total = np.bincount(inverse, weights=np.concatenate([number for _, number in found])).astype(np.int64)
    width = int(places.max()) + 1
    pairs = np.unique(inverse * width + np.repeat(places, [len(key) for key, _ in found]))
    kept = (np.bincount(inverse) >= LEAST_REPORTS) & (np.bincount(pairs // width) >= LEAST_PLACES)
    return keys, total, kept


def _longest_run(known: np.ndarray) -> int:
    """Return the number of characters of the longest stretch whose 5-grams are all kept."""
    ends = np.flatnonzero(~np.concatenate([[False], known, [False]]))
    return int(np.diff(ends).max()) - 1 + model.ORDER - 1


def unambiguous_chain(fives: np.ndarray) -> int:
    """Return the characters of the longest chain of kept 5-grams that can only be continued in one way, from its start."""
    contexts, first, number = np.unique(fives >> model.BITS, return_index=True, return_counts=True)
    mask = (1 << model.BITS * (model.ORDER - 1)) - 1
    only = {int(context): int(fives[place]) & mask for context, place, n in zip(contexts, first, number, strict=True) if n == 1}
    return max(map(len, _chains(only)), default=0) + model.ORDER - 2


def unambiguous_words(words: Words) -> int:
    """Return the characters of the longest chain of kept pairs of words that can only be continued in one way."""
    only = {word: next(iter(after)) for word, _, _, after in words[1] if len(after) == 1}
    return max((len("".join(chain)) for chain in _chains(only)), default=0)


def _chains(only: dict) -> Iterator[list]:
    """Yield from each start the items that follow each other until there is no next one, or one comes again."""
    for start in only:
        chain, seen = [start], {start}
        while chain[-1] in only and only[chain[-1]] not in seen:
            chain.append(only[chain[-1]])
            seen.add(chain[-1])
        yield chain


def pack_counts(counts: Counts) -> bytes:
    """Return the counts as a compressed archive of arrays."""
    arrays = {"vocabulary": np.array([ord(character) for character in counts.vocabulary], dtype=np.uint32)}
    for direction, orders in (("forward", counts.forward), ("backward", counts.backward)):
        contexts = np.zeros(1, dtype=np.int64)
        for order, row in enumerate(orders, 1):
            children = np.bincount(np.searchsorted(contexts, row.keys >> model.BITS), minlength=len(contexts))
            arrays[f"{direction}_children_{order}"] = children.astype(np.uint16)
            arrays[f"{direction}_last_{order}"] = (row.keys & ((1 << model.BITS) - 1)).astype(np.uint16)
            arrays[f"{direction}_count_{order}"] = row.seen.astype(np.uint32)
            arrays[f"{direction}_total_{order}"] = row.total.astype(np.uint32)
            contexts = row.keys
    target = io.BytesIO()
    np.savez(target, **arrays)
    return lzma.compress(target.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def count_words(table: pd.DataFrame, folder: Path) -> Words:
    """Return the number of words in the reports of a table, and the counts that :func:`lattice.make_pairs` takes."""
    seen, reports = Counter(), Counter()
    places: dict[tuple[str, ...], set[str]] = {}
    for row in table.itertuples():
        words = lattice.split(model.view(read_text(folder / row.file))[0])
        found = Counter([*((word,) for word in words), *pairwise(words)])
        seen.update(found)
        reports.update(found.keys())
        for name in found:
            places.setdefault(name, set()).add(row.place)
    kept = sorted(name for name in seen if reports[name] >= LEAST_REPORTS and len(places[name]) >= LEAST_PLACES)
    totals, following = Counter(), {}
    for (first, *second), number in seen.items():
        totals[first] += number if second else 0
    for first, *second in kept:
        following.setdefault(first, {}).update({after: seen[first, after] for after in second})
    size = sum(number for name, number in seen.items() if len(name) == 1)
    return size, [(word, seen[word,], totals[word], after) for word, after in sorted(following.items())]


def pack_words(words: Words) -> bytes:
    """Return the counts of words as compressed lines, a word after another being told by the number of its line."""
    size, rows = words
    number = {word: place for place, (word, *_) in enumerate(rows)}
    lines = [
        "\t".join(map(str, (word, seen, total, *(cell for name, n in sorted(after.items()) for cell in (number[name], n)))))
        for word, seen, total, after in rows
    ]
    return lzma.compress("\n".join([str(size), *lines]).encode(), preset=9 | lzma.PRESET_EXTREME)


def fit(table: pd.DataFrame, folder: Path, characters: str) -> dict[str, dict[str, object]]:
    """Return the weights of the networks, with and without a sister, fitted on the reports for tuning."""
    chosen = training(table, leave_out=("test", "tune"))
    counts, pairs = count(chosen, folder), lattice.make_pairs(*count_words(chosen, folder))
    grams = tuple(model.make_grams(counts.vocabulary, orders, model.DISCOUNT) for orders in (counts.forward, counts.backward))
    model.genre, lattice.genre_pairs = lambda: grams, lambda: pairs  # type: ignore[assignment]
    lattice._broken_words.cache_clear()
    files = {(row.place, row.year): row.file for row in table.itertuples()}
    rows = table[(table["place_set"] == "tune") & (table["year_set"] != "test") & (table["year"] >= 2003)]
    rows = rows.iloc[np.linspace(0, len(rows) - 1, TUNED_REPORTS).astype(int)]
    draw = np.random.default_rng(0)
    found: dict[str, list[np.ndarray]] = {"without sister": [], "with sister": []}
    for row in rows.itertuples():
        text = model.view(read_text(folder / row.file))[0]
        near = [files[row.place, year] for year in (row.year - 1, row.year + 1) if (row.place, year) in files]
        sisters = [model.view(read_text(folder / file))[0] for file in near]
        for character in draw.choice(list(characters), TUNED_CHARACTERS, replace=False):
            found["without sister"].append(_labelled(text, character, []))
            if sisters:
                found["with sister"].append(_labelled(text, character, sisters[:1]))
    return {name: _network(np.concatenate(blocks)) for name, blocks in found.items()}


def delete(text: str, character: str) -> tuple[str, np.ndarray]:
    """Return a text without a character, and the gaps at which it stood."""
    places = np.flatnonzero(np.array(list(text)) == character)
    return text.replace(character, ""), places - np.arange(len(places))


def _labelled(text: str, character: str, sisters: list[str]) -> np.ndarray:
    """Return the features of the gaps of a text without a character, and whether it stood there."""
    damaged, gaps = delete(text, character)
    found, features = model.examine(damaged, character, sisters)
    return np.column_stack([features, np.isin(found, gaps)])


def _network(rows: np.ndarray) -> dict[str, object]:
    """Return the weights of a network of one hidden layer: a row of constants, then one for each feature."""
    x, y = rows[:, :-1], rows[:, -1]
    mean, spread = x.mean(axis=0), x.std(axis=0)
    network = MLPClassifier(
        (HIDDEN,), activation="tanh", alpha=1e-3, batch_size=512, learning_rate_init=STEP, max_iter=ROUNDS,
        n_iter_no_change=ROUNDS, random_state=0,
    )  # fmt: skip
    network.fit((x - mean) / spread, y)
    (first, second), (one, two) = network.coefs_, network.intercepts_
    slopes = first / spread[:, None]
    hidden, output = np.vstack([one - mean @ slopes, slopes]), np.append(two, second)
    return {"hidden": hidden.round(5).tolist(), "output": output.round(5).tolist()}


def char_reference(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Return per level, period and character: reports, rate, dispersion, smallest, p1, absent (rates per 10,000 Han)."""
    texts = [read_text(folder / file) for file in table["file"]]
    counts = pd.DataFrame([pd.Series(list(text)).value_counts() for text in texts]).fillna(0)
    characters = sorted(character for character in counts.columns if is_han(character)[0])
    counts = counts[characters].to_numpy()
    han = counts.sum(axis=1)
    period = np.array([next(name for limit, name in model.PERIODS if year < limit) for year in table["year"]])
    frequent = np.sort(np.argsort(-(counts / han[:, None]).mean(axis=0), kind="stable")[:REFERENCE_CHARACTERS])
    rows = []
    for level in LEVELS:
        for _, name in model.PERIODS:
            chosen = (table["level"] == level).to_numpy() & (period == name)
            if chosen.any():
                rows += [[level, name, characters[place], *_summary(counts[chosen, place], han[chosen])] for place in frequent]
    return pd.DataFrame(rows, columns=["level", "period", "char", "reports", "rate", "dispersion", "smallest", "p1", "absent"])


def _summary(seen: np.ndarray, han: np.ndarray) -> list[float]:
    """Return reports, rate, negative binomial dispersion (by moments), smallest rate, 1 % point and share without."""
    mean = seen.sum() / han.sum()
    expected = mean * han
    excess = ((seen - expected) ** 2 - expected).sum() / max((expected**2).sum(), 1e-12)
    rates = seen / han * 10_000
    numbers = (mean * 10_000, max(excess, 0.0), rates.min(), np.quantile(rates, 0.01), (seen == 0).mean())
    return [len(seen), *(float(f"{number:.4g}") for number in numbers)]


def main(folder: Path, index: Path, out: Path) -> None:
    """Write the three resources."""
    table = read_index(index)
    chosen = training(table)
    reference = char_reference(chosen, folder)
    note = "# Rates per 10,000 Han characters in the training reports; built by tools/build_references.py; numbers only.\n"
    write_atomically(out / "char_reference.csv", note.encode() + reference.to_csv(index=False, lineterminator="\n").encode())
    counts, words = count(chosen, folder), count_words(chosen, folder)
    common = reference[(reference["level"] == "province") & (reference["period"] == "since 2010")].nlargest(200, "rate")
    stated = {
        "n_grams": [len(row.keys) for row in counts.forward],
        "words_and_pairs": [len(words[1]), sum(len(row[3]) for row in words[1])],
        "kept_if": f"seen in at least {LEAST_REPORTS} reports of {LEAST_PLACES} places",
        "longest_run": counts.longest,
        "longest_unambiguous_chain": unambiguous_chain(counts.forward[-1].keys),
        "longest_unambiguous_words": unambiguous_words(words),
        "tiers": list(TIERS),
        "test_places": sorted({sha256(place.encode()) for place in table.loc[table["place_set"] == "test", "place"]}),
        "test_years": "those that leave 1 when divided by 4",
        "training_files": sorted(sha256(folder / file) for file in chosen["file"]),
    }
    write_atomically(out / "ngrams.npz.xz", pack_counts(counts))
    write_atomically(out / "word_pairs.txt.xz", pack_words(words))
    stated = {"weights": fit(table, folder, "".join(sorted(common["char"]))), **stated}
    write_atomically(out / "ngrams.json", (json.dumps(stated, indent=1) + "\n").encode())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
