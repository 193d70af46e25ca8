"""Second opinions on topics: other models of the same units, and how much of a topic the chapters already explain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics import adjusted_mutual_info_score

from .attention import match_chapters
from .coherence import TOP
from .counts import Group, belongs, group_label
from .errors import ShinanError
from .strata import stratum_of
from .topics import Topics

MODELS = ("nmf", "lda")
DIGITS = 4
ALL = "all"
Array = NDArray[np.float64]


def second_opinion(topics: Topics, *, models: tuple[str, ...] = MODELS, seed: int = 0) -> pd.DataFrame:
    """Set each topic beside its partner in another model of the same units.

    Partners are those whose shares of the units correlate best, one to one. A topic that another method finds too is no
    artefact of the method; one that it does not find may be.

    Parameters
    ----------
    topics
        The model.
    models
        nmf: non-negative matrix factorisation of tf-idf weights, which starts from a decomposition and has no seed to speak
        of; lda: scikit-learn's variational Bayes, shown as a caution, because on texts this short it recovers planted topics
        badly (`tests/benchmarks`).
    seed
        Of lda.

    Returns
    -------
    pandas.DataFrame
        `model, topic, label, label_en, correlation` (of the shares over units), `shared` (of the ten likeliest words),
        `words` (the partner's).

    Raises
    ------
    ShinanError
        If a model is unknown.
    """
    unknown = [name for name in models if name not in MODELS]
    if unknown or not models:
        raise ShinanError(f"models is {models!r}; expected one or both of {', '.join(MODELS)}.")
    mine = topics.shares[topics.ids].to_numpy()
    tables = [_opinion(topics, name, mine, *_fit(name, topics.windows.x, len(topics.ids), seed)) for name in models]
    table = pd.concat(tables, ignore_index=True)
    table.attrs["settings"] = topics.settings | {"function": "second_opinion", "models": list(models)}
    return table


def _fit(name: str, x: sparse.csr_array, number: int, seed: int) -> tuple[Array, Array]:
    """Return words (topics × terms) and shares (units × topics) of another model, in double precision."""
    counts = sparse.csr_matrix(x).astype(np.float64)
    if name == "nmf":
        model = NMF(number, init="nndsvda", max_iter=400, random_state=seed)
        shares = model.fit_transform(TfidfTransformer(sublinear_tf=True).fit_transform(counts))
    else:
        model = LatentDirichletAllocation(number, max_iter=60, random_state=seed)
        shares = model.fit_transform(counts)
    total = shares.sum(axis=1, keepdims=True)
    return np.asarray(model.components_), np.asarray(np.where(total > 0, shares / np.where(total > 0, total, 1), 1 / number))


def _opinion(topics: Topics, name: str, mine: Array, words: Array, shares: Array) -> pd.DataFrame:
    """Return each topic with its partner in one other model."""
    deviations = [each - each.mean(axis=0) for each in (mine, shares)]
    units = [each / np.maximum(np.sqrt((each**2).sum(axis=0)), 1e-12) for each in deviations]
    likeness = (units[0].T @ units[1]).round(DIGITS)
    partner = linear_sum_assignment(likeness, maximize=True)[1]
    terms = topics.windows.terms
    top = [[terms[number] for number in np.argsort(-words[each].round(9), kind="stable")[:TOP]] for each in partner]
    return pd.DataFrame({
        "model": name, "topic": topics.ids, "label": topics.stability["zh"], "label_en": topics.stability["en"],
        "correlation": likeness[np.arange(len(partner)), partner],
        "shared": [len(set(topics.top(topic)) & set(found)) for topic, found in zip(topics.ids, top, strict=True)],
        "words": [" ".join(found) for found in top],
    })  # fmt: skip


def explained_by_chapters(topics: Topics, *, strata: pd.DataFrame | None = None) -> pd.DataFrame:
    """Say how much of the topics the authors' own chapters already tell.

    Each unit belongs to the topic with its largest share. The measure is mutual information with the chapter, adjusted for
    chance and divided by the most that it can be, the smaller of the two entropies (mostly the topic's): 0 if the chapters say
    nothing about the topics, 1 if they say all they can. A model with a value near 1 says nothing that the table of contents
    does not.

    Parameters
    ----------
    topics
        The model.
    strata
        Matched chapters: `report, chapter, stratum`; matched ones then count as one. Without, each chapter is its own.

    Returns
    -------
    pandas.DataFrame
        `topic, label, label_en, ami, units` (led by the topic), a row for each topic against all others, and last the row
        *all* for the partition as a whole.

    Notes
    -----
    Vinh, Epps and Bailey (2010), Information theoretic measures for clusterings comparison, JMLR 11.
    """
    table = topics.shares
    chapter = table["report"].astype(str) + " " + table["chapter"].astype(str)
    if strata is not None and len(strata):
        named = stratum_of(table, strata)
        chapter = chapter.where(named.isna(), "= " + named.astype(str))
    code = pd.factorize(chapter)[0]
    leads = np.argmax(table[topics.ids].to_numpy(), axis=1)
    values = [_told(code, leads == number) for number in range(len(topics.ids))]
    rows = pd.DataFrame({
        "topic": [*topics.ids, ALL], "label": [*topics.stability["zh"], ""], "label_en": [*topics.stability["en"], ""],
        "ami": np.round([*values, _told(code, leads)], DIGITS) + 0.0,
        "units": [*np.bincount(leads, minlength=len(topics.ids)), len(leads)],
    })  # fmt: skip
    rows.attrs["settings"] = topics.settings | {"function": "explained_by_chapters", "chapters": int(code.max()) + 1}
    return rows


def _told(chapter: NDArray[np.int64], leads: NDArray[Any]) -> float:
    """Return the adjusted mutual information of two partitions."""
    return float(adjusted_mutual_info_score(chapter, leads, average_method="min"))


def topic_places(topics: Topics, before: Group, after: Group, *, strata: pd.DataFrame | None = None) -> pd.DataFrame:
    """Say where the topics stand: the share of each topic in each matched chapter, before and after.

    Parameters
    ----------
    topics
        The model.
    before, after
        A year, a report id, or a place and a year.
    strata
        Matched chapters: `report, chapter, stratum`; without, chapters are matched by title.

    Returns
    -------
    pandas.DataFrame
        `stratum, part, titles_before, titles_after, side` (before, after), `group, topic, label, label_en, share, size` (tokens
        of the chapter that count), `ami` (how much the chapters tell of the topic, :func:`explained_by_chapters`), in order of
        the chapters; the shares of a chapter sum to one. A chapter that a side lacks has no row there.
    """
    table = topics.shares
    first, second = belongs(table, before), belongs(table, after)
    units = table[first | second].assign(side=np.where(second[first | second], "after", "before"))
    keys = ["side", "report", "chapter"]
    chapters = units.groupby(keys, as_index=False).agg(
        year=("year", "first"), part=("part", "first"), title=("chapter_title", "first")
    )
    chapters["later"] = chapters["side"] == "after"
    chapters = chapters.sort_values(["later", "year", "report", "chapter"], kind="stable", ignore_index=True)
    chapters["stratum"] = match_chapters(chapters, strata)
    sums = units[topics.ids].mul(units["size"], axis=0).assign(size=units["size"], **{key: units[key] for key in keys})
    merged = sums.merge(chapters[[*keys, "stratum"]], on=keys).groupby(["stratum", "side"])[[*topics.ids, "size"]].sum()
    rows = [
        _place(str(name), side, chapters[chapters["stratum"] == name], merged.loc[(name, side)], topics)
        for name in dict.fromkeys(chapters["stratum"])
        for side in ("before", "after")
        if (name, side) in merged.index
    ]
    result = pd.concat(rows, ignore_index=True)
    names = {"before": group_label(before), "after": group_label(after)}
    result.insert(5, "group", result["side"].map(names))
    told = explained_by_chapters(topics, strata=strata).set_index("topic")["ami"]
    result["ami"] = result["topic"].map(told)
    result.attrs["settings"] = topics.settings | {"function": "topic_places", "ami": float(told[ALL]), **names}
    return result


def _place(name: str, side: str, mine: pd.DataFrame, sums: pd.Series[float], topics: Topics) -> pd.DataFrame:
    """Return the rows of one matched chapter on one side."""
    titles = {role: " + ".join(filter(None, mine.loc[mine["side"] == role, "title"].astype(str))) for role in ("before", "after")}
    return pd.DataFrame({
        "stratum": name, "part": str(mine["part"].iloc[0]), "titles_before": titles["before"], "titles_after": titles["after"],
        "side": side, "topic": topics.ids, "label": topics.stability["zh"].to_numpy(),
        "label_en": topics.stability["en"].to_numpy(),
        "share": (sums[topics.ids].to_numpy(dtype=float) / max(float(sums["size"]), 1)).round(6), "size": int(sums["size"]),
    })  # fmt: skip
