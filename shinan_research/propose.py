"""Propose where a character that a scraper dropped may have stood, with the evidence for each place."""

from __future__ import annotations

import csv
import json
import lzma
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .dictionary import resource
from .errors import ShinanError
from .lattice import BOUNDS, Floats, Ids, lattice_odds, word_scores
from .reports import Report, han_count, is_han

Flags = NDArray[np.bool_]

COLUMNS = ("report", "offset", "char", "left", "right", "score", "tier", "evidence")
TIERS = ("high confidence", "please look")
CONTEXT = 8
ORDER = 5  # characters in the longest n-gram
BITS = 12  # bits of one character in a packed n-gram
DISCOUNT = 0.75  # of the shipped counts
SISTER_DISCOUNT = 0.9  # a single report must not be trusted after one sighting
SISTER_ORDERS = (3, 4, 5)
UNSEEN = 1e-5
HOPELESS = -6.0  # log odds below which a gap is not looked at again
PASSES = 3
PERIODS = ((1980, "before 1980"), (2000, "1980-1999"), (2010, "2000-2009"), (9999, "since 2010"))
FOLDED = str.maketrans("，：；！？（）．―％“”「」‘’" + "0123456789０１２３４５６７８９", ",:;!?().—%" + '"' * 6 + "0" * 20)

NOT_ONE_HAN = "character is {given!r}; expected one Han character, as in propose(report, '中')."
DEFECTIVE_SISTER = (
    "Sister {sister}: {character} occurs {seen} times in {han:,} Han characters, where at least {least:.0f} are expected. "
    "A sister in which the character is itself suspect teaches that it does not exist. Restore it first, or leave it out."
)
FROM_SISTER = "{sister}, offset {offset}: …{passage}…"
FROM_WORD = "makes the word {word} whole"
FROM_MODEL = "no sister passage and no dictionary word; the sequence {sequence} is the more usual one in the genre"


class Grams(NamedTuple):
    """A character n-gram model: per order the sorted packed n-grams, their gain, and the weight of backing off."""

    vocabulary: str
    keys: tuple[Ids, ...]
    gain: tuple[Floats, ...]
    weight: tuple[Floats, ...]


class Counted(NamedTuple):
    """The n-grams of one order: packed and sorted, how often each was seen, and the total of each context."""

    keys: Ids
    seen: Ids
    total: Ids


def propose(report: Report, character: str, *, sisters: Sequence[Report] = ()) -> pd.DataFrame:
    """Propose where a character is missing from the witness of a report.

    Every occurrence is taken to be lost, all else to be intact. For each gap the log odds of the text with and without
    the character under a character n-gram model of the genre and under a lattice of words, each with and without the
    sisters, are combined by a small network that was fitted on other reports. Nothing is applied.

    Parameters
    ----------
    report
        The report; its `witness` is read.
    character
        One Han character.
    sisters
        Other reports of the same place, or whatever shares its names and phrases; their `text` is read.

    Returns
    -------
    pandas.DataFrame
        `report, offset, char, left, right, score, tier, evidence` in order of text: insert `char` before `offset` of the
        witness. `score` is the estimated probability; `tier` is *high confidence* or *please look*.

    Raises
    ------
    ShinanError
        If `character` is not one Han character, or is itself suspect in a sister.

    Examples
    --------
    >>> report = Report("a-2019", "a", 2019, "高举国特色社会主义伟大旗帜", "")
    >>> propose(report, "中")[["offset", "char", "left", "right"]].values.tolist()
    [[2, '中', '高举', '国特色社会主义伟']]
    """
    if len(character) != 1 or not is_han(character)[0]:
        raise ShinanError(NOT_ONE_HAN.format(given=character))
    for sister in sisters:
        _check_sister(sister, character)
    text, offsets = view(report.witness)
    read = [(sister.id, sister.text, *view(sister.text)) for sister in sisters]
    gaps, features = examine(text, character, [searched for _, _, searched, _ in read])
    score = estimate(features, bool(sisters))
    high, look = settings()["tiers"]
    chosen = np.flatnonzero(score >= look)
    rows = [
        _row(
            report,
            character,
            int(offsets[gaps[place]]),
            float(score[place]),
            high,
            _evidence(text, int(gaps[place]), character, read),
        )
        for place in chosen
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(report: Report, character: str, offset: int, score: float, high: float, evidence: str) -> list[object]:
    left = report.witness[max(0, offset - CONTEXT) : offset]
    right = report.witness[offset : offset + CONTEXT]
    return [report.id, offset, character, left, right, round(score, 4), TIERS[score < high], evidence]


def _check_sister(sister: Report, character: str) -> None:
    """Refuse a sister that lacks the character, or has it less often than 99 of 100 reports of its time."""
    han, seen = han_count(sister.text), sister.text.count(character)
    least = max(1.0, float(reference(sister.year).get(character, {}).get("p1", 0)) * han / 10_000)
    if seen < least:
        raise ShinanError(
            DEFECTIVE_SISTER.format(sister=sister.id, character=character, seen=seen, han=han, least=np.ceil(least))
        )


@cache
def reference(year: int, *, level: str = "province") -> dict[str, dict[str, float]]:
    """Return the numbers of the genre reference for a year: character to rate, dispersion, smallest, p1, absent, reports."""
    period = next(name for limit, name in PERIODS if year < limit)
    lines = [line for line in resource("char_reference.csv").decode("utf-8").splitlines() if not line.startswith("#")]
    rows = [row for row in csv.DictReader(lines) if row["period"] == period]
    chosen = [row for row in rows if row["level"] == level] or rows
    names = ("reports", "rate", "dispersion", "smallest", "p1", "absent")
    return {row["char"]: {name: float(row[name]) for name in names} for row in chosen}


def view(text: str) -> tuple[str, Ids]:
    """Return the text as the models see it (no white space, marks and digits folded) and the offset of each character."""
    kept = np.array([not character.isspace() for character in text], dtype=bool)
    return "".join(text.split()).translate(FOLDED), np.append(np.flatnonzero(kept), len(text))


@lru_cache(maxsize=8)
def _table(vocabulary: str) -> NDArray[np.uint16]:
    table = np.zeros(0x110000, dtype=np.uint16)
    table[[ord(character) for character in vocabulary]] = np.arange(1, len(vocabulary) + 1)
    return table


def encode(text: str, vocabulary: str) -> Ids:
    """Return the number of every character in a vocabulary, from 1; of an unknown one 0."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return _table(vocabulary)[codes].astype(np.int64)


def pack(ids: Ids, order: int) -> Ids:
    """Return every n-gram of a sequence, or of the rows of a matrix, as one number."""
    count = max(ids.shape[-1] - order + 1, 0)
    keys = np.zeros((*ids.shape[:-1], count), dtype=np.int64)
    for step in range(order):
        keys = (keys << BITS) | ids[..., step : step + count]
    return keys


def count_grams(ids: Ids) -> list[Counted]:
    """Return the n-grams of one text, counted as :func:`neighbours` says."""
    every = [np.unique(pack(np.append(ids, 0), order), return_counts=True) for order in range(1, ORDER + 1)]
    counted, contexts = [], np.zeros(1, dtype=np.int64)
    for order, (keys, count) in enumerate(every, 1):
        if order < ORDER:
            count = neighbours(keys, every[order][0], order)
        total = np.bincount(np.searchsorted(contexts, keys >> BITS), weights=count, minlength=len(contexts))
        counted.append(Counted(keys, count, total.astype(np.int64)))
        contexts = keys
    return counted


def neighbours(keys: Ids, longer: Ids, order: int) -> Ids:
    """Return for each n-gram the number of different characters seen before it (Kneser and Ney 1995), at least 1."""
    tails, number = np.unique(longer & ((1 << BITS * order) - 1), return_counts=True)
    answer = np.ones(len(keys), dtype=np.int64)
    place, known = _find(keys, tails)
    answer[place[known]] = number[known]
    return answer


def make_grams(vocabulary: str, counted: Sequence[Counted], discount: float) -> Grams:
    """Return the model of n-gram counts, interpolated with absolute discounting (Ney, Essen and Kneser 1994).

    What the counts of a context leave over, by the discount and by pruning, goes to the next shorter context.
    """
    keys = (np.zeros(1, dtype=np.int64), *(order.keys for order in counted))
    gain, weight = [np.zeros(1)], []
    for order, (wanted, seen, total) in enumerate(counted):
        parent = np.searchsorted(keys[order], wanted >> BITS)
        kept = np.maximum(seen - discount, 0)
        gain.append(kept / total[parent])
        used = np.bincount(parent, weights=kept, minlength=len(total))
        weight.append(1 - used / np.maximum(total, 1))
    return Grams(vocabulary, keys, tuple(gain), tuple(weight))


@cache
def settings() -> dict[str, Any]:
    """Return what `ngrams.json` records: training files, split, longest chain, weights and tiers."""
    answer: dict[str, Any] = json.loads(resource("ngrams.json"))
    return answer


@cache
def genre() -> tuple[Grams, Grams]:
    """Return the shipped n-gram models of the genre: one that reads forward, one that reads backward."""
    with np.load(BytesIO(lzma.decompress(resource("ngrams.npz.xz")))) as stored:
        arrays = {name: stored[name].astype(np.int64) for name in stored.files}
    vocabulary = "".join(map(chr, arrays["vocabulary"]))
    forward, backward = (_unpack(arrays, vocabulary, direction) for direction in ("forward", "backward"))
    return forward, backward


def _unpack(arrays: dict[str, Ids], vocabulary: str, direction: str) -> Grams:
    """Return a model from the stored arrays: how many n-grams continue each context, and their last characters."""
    counted, parents = [], np.zeros(1, dtype=np.int64)
    for order in range(1, ORDER + 1):
        last, count, total, children = (arrays[f"{direction}_{name}_{order}"] for name in ("last", "count", "total", "children"))
        parents = (np.repeat(parents, children) << BITS) | last
        counted.append(Counted(parents, count, total))
    return make_grams(vocabulary, counted, DISCOUNT)


def _find(keys: Ids, wanted: Ids) -> tuple[Ids, Flags]:
    """Return where each wanted key stands among sorted keys, and whether it does."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, keys[place] == wanted


def _probability(grams: Grams, keys: Ids, base: Floats, orders: Iterable[int]) -> Floats:
    """Return the probability of the last character of packed 5-grams, given the four before it."""
    answer = base
    for order in orders:
        wanted = keys & ((1 << BITS * order) - 1)
        parent, known = _find(grams.keys[order - 1], wanted >> BITS)
        answer = np.where(known, grams.weight[order - 1][parent] * answer, answer)
        place, hit = _find(grams.keys[order], wanted)
        answer = answer + np.where(hit, grams.gain[order][place], 0.0)
    return answer


def _likelihood(models: Sequence[Grams], rows: Ids) -> Floats:
    """Return the log probability of each row of character numbers, from its fifth on."""
    keys = pack(rows, ORDER)
    unique, inverse = np.unique(keys, return_inverse=True)
    answer = _probability(models[0], unique, np.full(len(unique), UNSEEN), range(1, ORDER + 1))
    for sister in models[1:]:
        answer = _probability(sister, unique, answer, SISTER_ORDERS)
    result: Floats = np.log(answer)[inverse].reshape(keys.shape).sum(axis=1)
    return result


def _odds(models: Sequence[Sequence[Grams]], ids: Ids, number: int, gaps: Ids, inserted: Flags) -> list[Floats]:
    """Return the log odds of a character at each gap, given where else it is inserted: read forward, and backward."""
    around = ORDER - 1
    margin = np.zeros(around, dtype=np.int64)
    text = np.concatenate([margin, np.insert(ids, np.flatnonzero(inserted), number), margin])
    right = gaps + np.cumsum(inserted)[gaps] + around
    left = right - inserted[gaps]
    before, after = text[left[:, None] + np.arange(-around, 0)], text[right[:, None] + np.arange(around)]
    given, bare = np.hstack([before, np.full((len(gaps), 1), number), after]), np.hstack([before, after])
    return [
        _likelihood(chosen, given[:, ::step]) - _likelihood(chosen, bare[:, ::step])
        for chosen, step in zip(models, (1, -1), strict=True)
    ]


def _conceivable(model: Sequence[Grams], ids: Ids, number: int, sides: int) -> Ids:
    """Return the gaps at which the character is known beside at least one of its neighbours, or beside both."""
    after, before = np.zeros((2, len(ids) + 1), dtype=bool)
    for grams in model:
        pairs = grams.keys[2]
        first = pairs[np.searchsorted(pairs, number << BITS) : np.searchsorted(pairs, (number + 1) << BITS)] & ((1 << BITS) - 1)
        second = pairs[(pairs & ((1 << BITS) - 1)) == number] >> BITS
        after[1:] |= np.isin(ids, second)
        before[:-1] |= np.isin(ids, first)
    return np.flatnonzero(after & before if sides == 2 else after | before)


def examine(text: str, character: str, sisters: Sequence[str] = (), *, sides: int = 1) -> tuple[Ids, Floats]:
    """Return the gaps of a view worth a look, and their features.

    The features are log odds: genre forward, genre backward, and word lattice; with sisters, the same three with them
    follow. A gap is looked at if the genre (or a sister) knows the character on so many `sides`: with 2, fewer are found.
    """
    known = genre()[0].vocabulary
    vocabulary = known if character in known else known + character
    ids, number = encode(text, vocabulary), int(encode(character, vocabulary)[0])
    models = [[grams] for grams in genre()]
    if sisters:
        read = encode("\n".join(sisters), vocabulary)
        for model, step in zip(models, (1, -1), strict=True):
            model.append(make_grams(vocabulary, count_grams(read[::step]), SISTER_DISCOUNT))
    gaps, inserted = _conceivable(models[0], ids, number, sides), np.zeros(len(ids) + 1, dtype=bool)
    odds = [np.zeros(len(gaps))] * 2
    for _ in range(PASSES):
        odds = _odds(models, ids, number, gaps, inserted)
        inserted[gaps] = odds[0] + odds[1] > 0
        near = np.maximum(*odds) > HOPELESS
        gaps, odds = gaps[near], [one[near] for one in odds]
    alone = _odds([model[:1] for model in models], ids, number, gaps, inserted) if sisters else odds
    bare, *read_too = lattice_odds(text, character, gaps, sisters=sisters)
    features = [*alone, bare, *(odds if sisters else []), *read_too]
    return gaps, np.clip(np.column_stack(features), *BOUNDS)


def estimate(features: Floats, sisters: bool) -> Floats:
    """Return the calibrated probability of each row of features, by a network of one hidden layer."""
    weights = settings()["weights"]["with sister" if sisters else "without sister"]
    hidden, output = np.array(weights["hidden"]), np.array(weights["output"])
    layer = np.tanh(features @ hidden[1:] + hidden[0])
    result: Floats = 1 / (1 + np.exp(-(layer @ output[1:] + output[0])))
    return result


def _evidence(text: str, gap: int, character: str, sisters: Sequence[tuple[str, str, str, Ids]]) -> str:
    """Say what speaks for an insertion: the longest passage of a sister, else the longest word that becomes whole."""
    passages = [found for sister in sisters if (found := _passage(text, gap, character, *sister))[0]]
    if passages:
        return max(passages)[1]
    candidates = (
        text[gap - left : gap] + character + text[gap : gap + right] for left in range(min(gap, 7) + 1) for right in range(8)
    )
    whole = [word for word in candidates if len(word) > 1 and word in word_scores()]
    if whole:
        return FROM_WORD.format(word=max(whole, key=len))
    return FROM_MODEL.format(sequence=text[max(0, gap - 2) : gap] + character + text[gap : gap + 2])


def _passage(text: str, gap: int, character: str, name: str, witness: str, searched: str, offsets: Ids) -> tuple[int, str]:
    """Return the length and the citation of a passage of a sister with the character in this context, widened in turns."""
    left, right = 1, 1
    if gap < left or text[gap - 1 : gap] + character + text[gap : gap + 1] not in searched:
        return 0, ""
    for step in range(2 * CONTEXT):
        wider = (min(left + 1 - step % 2, gap, CONTEXT), min(right + step % 2, len(text) - gap, CONTEXT))
        if text[gap - wider[0] : gap] + character + text[gap : gap + wider[1]] in searched:
            left, right = wider
    start = searched.find(text[gap - left : gap] + character + text[gap : gap + right])
    first, last = int(offsets[start]), int(offsets[start + left + right]) + 1
    return left + right + 1, FROM_SISTER.format(sister=name, offset=first, passage=witness[first:last])
