"""Cut reports into the units of a topic model: windows of text, the words that count, and the shuffles that serve as nulls."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from .dictionary import resource
from .errors import ShinanError

PARTS = ("review", "plan")
LENGTH = 150
SHORTEST_TERM = 2
LEAST_UNITS = 2
MOST_UNITS = 0.3
NUMBER = "#"
COLUMNS = ("unit", "report", "place", "year", "part", "chapter", "chapter_title", "start", "end", "han", "size")


class Windows(NamedTuple):
    """The units of a topic model.

    `table` has one row per unit: `unit, report, place, year, part, chapter, chapter_title, start, end` (in `Report.text`),
    `han` (Han characters), `size` (tokens that count). `terms` is the vocabulary, sorted. `frame` has one row per token that
    counts, in order of text: `unit, sentence` (numbered through), `term` (index into `terms`).
    """

    table: pd.DataFrame
    terms: list[str]
    frame: pd.DataFrame

    @property
    def x(self) -> sparse.csr_array:
        """The counts, units × terms."""
        return tabulate(self.frame["unit"].to_numpy(), self.frame["term"].to_numpy(), (len(self.table), len(self.terms)))


def tabulate(unit: NDArray[np.int64], term: NDArray[np.int64], shape: tuple[int, int]) -> sparse.csr_array:
    """Return counts of (unit, term) as a sparse matrix with sorted indices."""
    x = sparse.coo_array((np.ones(len(unit), dtype=np.int64), (unit, term)), shape=shape).tocsr()
    x.sum_duplicates()
    return x


def cut_windows(tokens: pd.DataFrame, *, length: int = LENGTH, parts: tuple[str, ...] = PARTS) -> pd.DataFrame:
    """Return the tokens of the chosen parts with the number of their window in a column `unit`.

    A window is closed at the end of the sentence in which it reaches the length; what is left over at the end of a chapter
    joins the window before it. No window crosses a chapter; a chapter shorter than one window is one.

    Raises
    ------
    ShinanError
        If the length is not positive or no text is left.
    """
    if length < 1:
        raise ShinanError(f"length is {length!r}; expected a number of Han characters, such as {LENGTH}.")
    chosen = tokens[tokens["part"].isin(parts).to_numpy()]
    if chosen.empty:
        raise ShinanError(f"No text in the parts {', '.join(parts)}. Pass the tokens of whole reports, or name other `parts`.")
    keys = ["report", "chapter", "sentence"]
    sizes = chosen.groupby(keys, sort=False, observed=True)["han"].sum()
    numbers: list[int] = []
    for _, chapter in sizes.groupby(level=["report", "chapter"], sort=False):
        first = numbers[-1] + 1 if numbers else 0
        numbers += [first + number for number in _windows(chapter.tolist(), length)]
    place = sizes.index.get_indexer(pd.MultiIndex.from_frame(chosen[keys]))
    return chosen.assign(unit=np.array(numbers, dtype=np.int64)[place], sentence=place)


def _windows(sizes: list[int], length: int) -> list[int]:
    """Return the window of each sentence of a chapter, from 0."""
    numbers, number, filled = [], 0, 0
    for size in sizes:
        numbers.append(number)
        filled += size
        if filled >= length:
            number, filled = number + 1, 0
    return [min(each, max(number - 1, 0)) for each in numbers] if filled else numbers


def topic_windows(tokens: pd.DataFrame, *, length: int = LENGTH, least: int = LEAST_UNITS, most: float = MOST_UNITS) -> Windows:
    """Return the units of a topic model with the words that count.

    Numbers and dates are one term, `#`. Words of one character, and those of `resources/edge_words.txt` (particles,
    prepositions, and the verbs that the genre puts before any object), do not count.

    Parameters
    ----------
    tokens
        The table of :func:`~shinan_research.tokens.tokenize`. Opening, closing and annex are left out.
    length
        Least number of Han characters of a window.
    least, most
        A term counts if it stands in at least so many units and in no more than this share of them.

    Raises
    ------
    ShinanError
        If no text or no term is left; the message says what to lower.
    """
    cut = cut_windows(tokens, length=length)
    frame = _counting(cut)
    units = int(cut["unit"].max()) + 1
    spread = frame.drop_duplicates(["unit", "term"])["term"].value_counts()
    kept = sorted(spread[(spread >= least) & (spread <= max(most * units, least))].index)
    if not kept:
        raise ShinanError(
            f"No term stands in {least} or more of {units} units and in at most {most:.0%} of them. Lower `least`, lower "
            "`length` to cut more units, or raise `most`."
        )
    return index_terms(cut, kept)


def index_terms(cut: pd.DataFrame, terms: list[str]) -> Windows:
    """Return tokens with their windows (:func:`cut_windows`) as the units of a model with this vocabulary."""
    frame = _counting(cut)
    frame = frame[frame["term"].isin(terms)].reset_index(drop=True)
    frame["term"] = pd.Index(terms).get_indexer(pd.Index(frame["term"]))
    return Windows(_table(cut, frame), terms, frame)


def _counting(cut: pd.DataFrame) -> pd.DataFrame:
    """Return unit, sentence and term of the tokens that count."""
    term = cut["term"].astype(str).to_numpy(dtype=object)
    kind = cut["kind"].astype(str).to_numpy()
    word = np.isin(kind, ["word", "term"]) & (cut["han"].to_numpy() >= SHORTEST_TERM) & ~np.isin(term.astype(str), _passed_over())
    number = np.isin(kind, ["number", "date"])
    term[number] = NUMBER
    return pd.DataFrame({"unit": cut["unit"].to_numpy(), "sentence": cut["sentence"].to_numpy(), "term": term})[word | number]


def _table(cut: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per unit."""
    first = ["report", "place", "year", "part", "chapter", "chapter_title"]
    table = cut.groupby("unit", sort=True).agg(
        **{name: (name, "first") for name in first}, start=("start", "min"), end=("end", "max"), han=("han", "sum")
    )
    table["size"] = np.bincount(frame["unit"], minlength=len(table))
    return table.reset_index()[list(COLUMNS)]


@cache
def _passed_over() -> tuple[str, ...]:
    """Return the words that do not count."""
    lines = resource("edge_words.txt").decode("utf-8").splitlines()
    return tuple(line.split("\t")[0] for line in lines if line and not line.startswith("#"))


def shuffle_tokens(windows: Windows, rng: np.random.Generator) -> sparse.csr_array:
    """Return counts after dealing the tokens to the units anew: every word as frequent, every unit as long, no topic left."""
    term = rng.permutation(windows.frame["term"].to_numpy())
    return tabulate(windows.frame["unit"].to_numpy(), term, (len(windows.table), len(windows.terms)))


def shuffle_sentences(windows: Windows, rng: np.random.Generator) -> sparse.csr_array:
    """Return counts after dealing whole sentences to the windows anew within each report: bursts stay, chapters go."""
    first = windows.frame.drop_duplicates("sentence")
    report = windows.table["report"].to_numpy()[first["unit"]]
    unit = first["unit"].to_numpy().copy()
    for name in dict.fromkeys(report):
        rows = np.flatnonzero(report == name)
        unit[rows] = unit[rng.permutation(rows)]
    dealt = pd.Series(unit, index=first["sentence"]).loc[windows.frame["sentence"]].to_numpy()
    return tabulate(dealt, windows.frame["term"].to_numpy(), (len(windows.table), len(windows.terms)))
