"""Topics of reports: a consensus of many runs, in a fixed order, with names that break when a topic changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from .choice import Fit, examine, possible_numbers
from .coherence import TOP, Cooccurrence, shipped
from .errors import ShinanError, StudyError
from .lda import fold_in
from .windows import LEAST_UNITS, LENGTH, MOST_UNITS, Windows, cut_windows, index_terms, topic_windows

FREX_WEIGHT = 0.5
LABEL_WORDS = 3
LABEL_UNITS = 3
STILL_THE_SAME = 0.5
WEAK = 0.6
SEPARATOR = "·"


@dataclass(frozen=True)
class Topics:
    """A fitted topic model. Topics are T1, T2, …, by falling share of the first report, in every table and figure.

    Attributes
    ----------
    words
        `topic, rank, term, probability, exclusive` (the topic's part of the term's probabilities in all topics), `frex, units`,
        by topic and rank; all terms.
    shares
        One row per unit (see :class:`~shinan_research.windows.Windows`) and one column per topic, T1 to TK.
    stability
        One row per topic: `topic, zh, en, decided_by, machine` (the algorithm's label), `same` (does a second reading mean the
        same? empty without one), `fingerprint, share, support` (share of runs that have it), `halves` (cosine between the
        models of two halves of the runs), `weak` (support below 0.6).
    choice
        What was measured on each number of topics (:func:`~shinan_research.choice.examine`).
    windows
        Units, vocabulary and tokens: what the model saw, and what other programs may be given.
    runs
        Shares of every run, runs × units × topics, in the same order; empty for units that were added later.
    variance
        Units × topics: posterior variance of the number of tokens that a unit gives to a topic.
    settings
        How it was made.
    """

    words: pd.DataFrame
    shares: pd.DataFrame
    stability: pd.DataFrame
    choice: pd.DataFrame
    windows: Windows = field(repr=False)
    runs: NDArray[np.float32] = field(repr=False)
    variance: NDArray[np.float32] = field(repr=False)
    settings: dict[str, Any] = field(repr=False)

    @property
    def ids(self) -> list[str]:
        """The topics' ids, in order."""
        return [str(topic) for topic in self.stability["topic"]]

    @property
    def judges(self) -> list[str]:
        """Who named the topics: algorithm, machine reader, person."""
        return sorted(set(self.stability["decided_by"]))

    def tables(self, most: int = 30) -> dict[str, pd.DataFrame]:
        """Return what to publish beside a figure, by name: words, topics, and all that another program needs.

        `counts` (unit, term, count) is the matrix of counts for stm and scikit-learn, `tokens` (unit, sentence, term) the
        text as the model saw it, in order, for tomotopy and BERTopic, `units` what each unit is, with its shares. The first
        table holds the `most` likeliest words of each topic.
        """
        terms = np.array(self.windows.terms, dtype=object)
        frame = self.windows.frame.assign(term=terms[self.windows.frame["term"]])
        counts = frame.groupby(["unit", "term"], sort=True).size().rename("count").reset_index()
        words = self.words[self.words["rank"] <= most].reset_index(drop=True)
        words.attrs["settings"] = self.words.attrs["settings"] | {"judges": self.judges}
        return {"": words, "topics": self.stability, "units": self.shares, "counts": counts, "tokens": frame}

    def top(self, topic: str, n: int = TOP) -> list[str]:
        """Return the likeliest words of a topic."""
        return likeliest(self.words, topic, n)


def fit_topics(
    tokens: pd.DataFrame,
    topics: int | None = None,
    *,
    runs: int = 50,
    seed: int = 0,
    length: int = LENGTH,
    least: int = LEAST_UNITS,
    most: float = MOST_UNITS,
    numbers: Sequence[int] | None = None,
    reference: Cooccurrence | None = None,
) -> Topics:
    """Fit topics to reports: latent Dirichlet allocation, averaged over many runs.

    Units are windows of at least 150 Han characters that end with a sentence and cross no chapter; opening, closing and annex
    are left out. Fifty runs of CVB0 from different seeds are aligned and averaged. Two topics are alike if their cosine is
    0.7 or more, measured on what each adds to the average text. Support is stability of the algorithm, not validity: a
    topic that every run finds may still mean nothing.

    Parameters
    ----------
    tokens
        The table of :func:`~shinan_research.tokens.tokenize`, of one report or of many.
    topics
        How many; by default the rule of :func:`~shinan_research.choice.examine` chooses from 4 to 12.
    runs, seed
        Runs per number of topics, and the seed they come from.
    length
        Least Han characters of a unit.
    least, most
        A term counts if it stands in at least `least` units and in at most the share `most` of them.
    numbers
        The numbers of topics to examine, if not 4 to 12.
    reference
        Counts of words that share a window in other reports, for the coherence; by default those shipped.

    Returns
    -------
    Topics
        Probabilities and shares are rounded to six decimals, so that threads of the processor change nothing.

    Raises
    ------
    ShinanError
        If there are fewer units than topics, or no vocabulary is left; the message says what to lower.

    Notes
    -----
    Blei, Ng and Jordan (2003), Latent Dirichlet allocation, JMLR 3. FREX: Bischof and Airoldi (2012), ICML.
    """
    windows = topic_windows(tokens, length=length, least=least, most=most)
    looked_at = [topics] if topics is not None else list(numbers or possible_numbers(len(windows.table)))
    reference = reference or shipped()
    choice, fits = examine(windows, looked_at, runs=runs, seed=seed, reference=reference)
    number = int(choice.loc[choice["chosen"], "topics"].iloc[0])
    settings = dict(tokens.attrs.get("settings", {})) | {
        "function": "fit_topics", "topics": number, "by_rule": topics is None and len(looked_at) > 1, "runs": runs, "seed": seed,
        "length": length, "least": least, "most": most, "units": len(windows.table), "terms": len(windows.terms),
        "tokens": int(windows.table["size"].sum()), "reference_windows": reference.windows,
        "reference_reports": reference.reports,
    }  # fmt: skip
    choice.attrs["settings"] = settings | {"table": "choice"}
    return _topics(windows, fits[number], choice, settings)


def _topics(windows: Windows, fit: Fit, choice: pd.DataFrame, settings: dict[str, Any]) -> Topics:
    """Return a fit with its topics in canonical order."""
    order = _order(windows, fit)
    ids = [f"T{number}" for number in range(1, len(order) + 1)]
    probability, shares = fit.model.words[order], fit.model.shares[:, order]
    words = _words(windows, probability, ids)
    runs = np.take_along_axis(fit.runs.shares, fit.model.order[:, None, :], axis=2)[:, :, order]
    variance = np.take_along_axis(fit.runs.variance, fit.model.order[:, None, :], axis=2)[:, :, order].mean(axis=0)
    stability = pd.DataFrame({
        "topic": ids, "zh": "", "en": "", "decided_by": "algorithm", "machine": [machine_label(words, name) for name in ids],
        "same": "", "fingerprint": [" ".join(sorted(likeliest(words, name))) for name in ids],
        "share": _mean_shares(shares, windows.table["size"]),
        "support": fit.model.support[order], "halves": fit.halves[order], "weak": fit.model.support[order] < WEAK,
    })  # fmt: skip
    stability["zh"] = stability["en"] = stability["machine"]
    table = pd.concat([windows.table, pd.DataFrame(shares, columns=ids)], axis=1)
    for each, name in ((words, "words"), (table, "shares"), (stability, "stability")):
        each.attrs["settings"] = settings | {"table": name}
    return Topics(words, table, stability, choice, windows, runs, variance, settings)


def _order(windows: Windows, fit: Fit) -> NDArray[np.int64]:
    """Return the topics by falling share of the first report; of equals, by their likeliest term."""
    table = windows.table
    first = table.sort_values(["year", "report"], kind="stable")["report"].iloc[0]
    chosen = (table["report"] == first).to_numpy()
    share = _mean_shares(fit.model.shares[chosen], table.loc[chosen, "size"])
    heads = [windows.terms[int(np.argmax(row))] for row in fit.model.words]
    return np.array(sorted(range(len(share)), key=lambda topic: (-share[topic], heads[topic], topic)), dtype=np.int64)


def _mean_shares(shares: NDArray[np.float64], size: pd.Series[int]) -> NDArray[np.float64]:
    """Return the mean share of each topic, units weighted by their tokens."""
    weight = size.to_numpy(dtype=float)
    return np.asarray(((weight[:, None] * shares).sum(axis=0) / max(weight.sum(), 1)).round(6))


def _words(windows: Windows, probability: NDArray[np.float64], ids: list[str]) -> pd.DataFrame:
    """Return all terms of all topics with probability and FREX, by topic and rank."""
    spread = np.diff(windows.x.tocsc().indptr)
    score, part = frex(probability), (probability / probability.sum(axis=0)).round(6)
    tables = []
    for number, name in enumerate(ids):
        order = np.argsort(-probability[number], kind="stable")
        columns = {"term": np.array(windows.terms, dtype=object), "probability": probability[number]}
        columns |= {"exclusive": part[number], "frex": score[number], "units": spread}
        table = pd.DataFrame(columns).iloc[order]
        table.insert(0, "topic", name)
        table.insert(1, "rank", np.arange(1, len(order) + 1))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def frex(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return frequency and exclusivity of each term in each topic as one score from 0 to 1.

    The harmonic mean of two ranks inside the topic: that of the probability, and that of the term's share that is the topic's.
    """
    share = probability / np.maximum(probability.sum(axis=0), np.finfo(float).tiny)
    n = probability.shape[1]
    ranks = [rankdata(values.round(9), axis=1) / n for values in (share, probability)]
    return np.asarray((1 / (FREX_WEIGHT / ranks[0] + (1 - FREX_WEIGHT) / ranks[1])).round(6))


def likeliest(words: pd.DataFrame, topic: str, n: int = TOP) -> list[str]:
    """Return the likeliest words of a topic."""
    return [str(term) for term in words.loc[words["topic"] == topic, "term"].head(n)]


def machine_label(words: pd.DataFrame, topic: str) -> str:
    """Return the three terms of the highest FREX among those in at least three units."""
    mine = words[(words["topic"] == topic) & (words["units"] >= LABEL_UNITS)]
    mine = mine if len(mine) else words[words["topic"] == topic]
    best = mine.sort_values(["frex", "probability", "term"], ascending=[False, False, True], kind="stable")
    return SEPARATOR.join(str(term) for term in best["term"].head(LABEL_WORDS))


def name_topics(topics: Topics, labels: pd.DataFrame) -> Topics:
    """Give topics the names that a reader found for them.

    A name belongs to the ten likeliest words of a topic, its fingerprint. It is kept if the topic of this fit still has half
    of them (Jaccard index of at least 0.5); a topic without a name keeps the label of the algorithm.

    Parameters
    ----------
    topics
        The model.
    labels
        `fingerprint` (ten words, separated by blanks), `zh, en, decided_by`, and where there is a second reading `same`, as in
        `data/labels.csv`.

    Returns
    -------
    Topics
        With `zh, en, decided_by, same` of `stability` filled in.

    Raises
    ------
    StudyError
        If a name fits no topic any more, or two names fit the same one.
    """
    prints = [set(each.split()) for each in topics.stability["fingerprint"]]
    stability = topics.stability.copy()
    taken: dict[int, str] = {}
    for row in labels.to_dict("records"):
        mine = set(str(row["fingerprint"]).split())
        alike = [len(mine & each) / len(mine | each) for each in prints]
        best = int(np.argmax(alike))
        if alike[best] < STILL_THE_SAME:
            raise StudyError(
                f"labels.csv: the name {row['zh']!r} belongs to a topic with the words {row['fingerprint']}. No topic has half "
                f"of them any more; nearest is {topics.ids[best]} ({stability['fingerprint'][best]}), alike {alike[best]:.2f}, "
                f"expected {STILL_THE_SAME}. Read the topics anew and correct or delete the row."
            )
        if best in taken:
            raise StudyError(f"labels.csv: {taken[best]!r} and {row['zh']!r} both fit {topics.ids[best]}. Leave one.")
        taken[best] = row["zh"]
        for name in ("zh", "en", "decided_by", "same"):
            stability.loc[best, name] = row.get(name, "")
    stability.attrs = dict(topics.stability.attrs)
    return replace(topics, stability=stability)


def add_reports(topics: Topics, tokens: pd.DataFrame) -> Topics:
    """Give more reports their shares of the topics that are already there.

    The words of the topics stay as they are, so thousands of reports can be added in batches, and the order of adding
    changes nothing. Words that the model does not know are passed over.

    Parameters
    ----------
    topics
        A model fitted to other reports, for instance to some hundred of them.
    tokens
        Tokens of the reports to add.

    Returns
    -------
    Topics
        With more rows in `shares`; `stability` and `words` are those of the model. Runs are not kept for any unit.

    Raises
    ------
    ShinanError
        If a report is already there.
    """
    twice = sorted(set(tokens["report"]) & set(topics.shares["report"]))
    if twice:
        raise ShinanError(f"The report {twice[0]} is already in the model. Leave it out of the tokens to add.")
    more = index_terms(cut_windows(tokens, length=topics.settings["length"]), topics.windows.terms)
    probability = np.stack(
        [
            topics.words[topics.words["topic"] == name].set_index("term")["probability"].loc[topics.windows.terms].to_numpy()
            for name in topics.ids
        ]
    )
    shares = fold_in(more.x, probability)
    units = len(topics.shares)
    table = more.table.assign(unit=more.table["unit"] + units)
    both = [topics.shares, pd.concat([table, pd.DataFrame(shares.round(6), columns=topics.ids)], axis=1)]
    frame = more.frame.assign(unit=more.frame["unit"] + units, sentence=more.frame["sentence"] + _sentences(topics.windows))
    windows = Windows(
        pd.concat([topics.windows.table, table], ignore_index=True), topics.windows.terms,
        pd.concat([topics.windows.frame, frame], ignore_index=True),
    )  # fmt: skip
    spread = (table["size"].to_numpy()[:, None] * shares * (1 - shares)).astype(np.float32)
    joined = pd.concat(both, ignore_index=True)
    joined.attrs["settings"] = topics.settings | {"table": "shares", "added": len(set(tokens["report"]))}
    return replace(
        topics, shares=joined, windows=windows, runs=topics.runs[:, :0], variance=np.concatenate([topics.variance, spread])
    )


def _sentences(windows: Windows) -> int:
    """Return how many sentence numbers are taken."""
    return int(windows.frame["sentence"].max()) + 1 if len(windows.frame) else 0
