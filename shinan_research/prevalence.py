"""Did a topic's share move? Two bars, because two questions can be meant, and a permutation of chapters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, stats

from .counts import FEWEST_PLACES, Group, belongs, group_label
from .errors import ShinanError
from .multiplicity import holm
from .rates import ALPHA, POWER
from .series import Groups, members_of
from .topics import Topics

Array = NDArray[np.float64]

DETECT = 0.03
MEMORY = 10_000_000  # numbers: labellings × clusters × topics that are held at once
DIGITS = 6
LEAST_REPORTS = 3
COLUMNS = (
    "topic", "label", "label_en", "before", "after", "share_before", "share_after", "shift", "low", "high", "measurement_low",
    "measurement_high", "null_low", "null_high", "level", "error", "freedom", "p", "p_adjusted", "unit", "clusters_before",
    "clusters_after", "pairs_needed", "detect", "verdict",
)  # fmt: skip


class Clusters(NamedTuple):
    """Sums over what is resampled: `size` (clusters) of tokens, `sums` (clusters × topics), `runs` (of each run), side, pair."""

    size: Array
    sums: Array
    runs: Array
    after: NDArray[np.bool_]
    pair: NDArray[np.int64]
    unit: str


def prevalence(
    topics: Topics,
    before: Group,
    after: Group,
    *,
    level: float = 0.95,
    detect: float = DETECT,
    n_permutations: int = 9_999,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the shares of topics in two groups of reports.

    The share is that of the tokens. Two intervals answer two questions. *Measurement*: how well is the share in these very
    texts known? It holds the spread over runs and the posterior of each unit. *Generative* (`low, high`): how much would the
    shift be another if reports of this kind were written again? It holds the spread over chapters, which are what an author
    writes (windows of one chapter are not independent), and that over runs: an error of the model is shared by all chapters,
    so their spread does not show it. With one report a side chapters are the clusters. If each side has
    the same places, at least three, places are, in pairs; else reports are. With fewer than ten places or reports a side the
    verdict is *description only*, as in :func:`~shinan_research.shifts.compare`: there is no test.

    Parameters
    ----------
    topics
        The model of :func:`~shinan_research.topics.fit_topics`, fitted to both groups at once.
    before, after
        A year, a report id, or a place and a year.
    level
        Of all intervals.
    detect
        The shift for which `pairs_needed` is computed, as a share.
    n_permutations, seed
        Of the permutation of clusters over the groups (within pairs, where there are pairs). The shift is divided by the
        standard error that the generative interval has, so that a shift on which the runs disagree counts for less.

    Returns
    -------
    pandas.DataFrame
        One row per topic in order: `topic, label, label_en, before, after, share_before, share_after, shift, low, high`
        (generative), `measurement_low, measurement_high, null_low, null_high` (the shifts that permutation gives), `level,
        error, freedom` (standard error and degrees of freedom of the generative interval), `p, p_adjusted` (Holm over
        topics; both missing without a test), `unit` (chapter, place or report), `clusters_before, clusters_after,
        pairs_needed` (independent pairs of reports that show a shift of `detect` with power 0.8), `detect, verdict` (higher,
        lower, no evidence, description only).

    Raises
    ------
    ShinanError
        If a group is absent, the two share a report, one has fewer than two clusters, or level or detect is no share.

    Notes
    -----
    The generative interval is that of the ratio estimator with the variance over clusters (Cochran 1977, Sampling techniques,
    ch. 6), to which the bootstrap of clusters tends, with Student's t and Welch's degrees of freedom: the percentile bootstrap
    is too narrow with few clusters. The variance over runs is added to it. Permutation: Janssen (1997), Statistics and
    Probability Letters 36; p is never 0. Shares sum to one, and a model with misfitted words hands a little of one topic's
    shift to others: beside a large shift a small one is not to be trusted further than its error.
    """
    if not (0 < level < 1 and detect > 0):
        raise ShinanError(f"level is {level!r}, detect {detect!r}; expected shares between 0 and 1, such as 0.95 and 0.03.")
    clusters, sides = _clusters(topics, before, after)
    labels = clusters.after[None, :].astype(float)
    shift, error, freedom = _estimate(clusters, labels)
    share = {role: _share(clusters, side) for role, side in (("before", False), ("after", True))}
    posterior, between = _posterior(topics, sides), _between(clusters, labels)[0]
    whole = np.sqrt(error**2 + between**2)
    wide = stats.t.isf((1 - level) / 2, freedom) * whole
    known = stats.norm.isf((1 - level) / 2) * np.sqrt(posterior**2 + between**2)
    p, low, high = _permute(clusters, shift / np.maximum(whole, 1e-12), n_permutations, seed, level)
    table = pd.DataFrame({
        "topic": topics.ids, "label": topics.stability["zh"], "label_en": topics.stability["en"], "before": group_label(before),
        "after": group_label(after), "share_before": share["before"], "share_after": share["after"], "shift": shift,
        "low": shift - wide, "high": shift + wide, "measurement_low": shift - known, "measurement_high": shift + known,
        "null_low": low, "null_high": high, "level": level, "error": whole, "freedom": freedom, "p": p, "p_adjusted": holm(p),
        "unit": clusters.unit, "clusters_before": int((~clusters.after).sum()), "clusters_after": int(clusters.after.sum()),
        "pairs_needed": _pairs_needed(clusters, error, detect, level), "detect": detect,
    }).round(DIGITS)  # fmt: skip
    found, up = table["p_adjusted"] <= ALPHA, table["shift"] > 0
    table["verdict"] = np.select([found & up, found], ["higher", "lower"], "no evidence")
    if clusters.unit != "chapter" and table[["clusters_before", "clusters_after"]].iloc[0].min() < FEWEST_PLACES:
        table[["p", "p_adjusted"]], table["verdict"] = np.nan, "description only"
    table = table[list(COLUMNS)]
    table.attrs["settings"] = topics.settings | {
        "function": "prevalence", "before": group_label(before), "after": group_label(after), "level": level,
        "n_permutations": n_permutations, "seed": seed, "judges": topics.judges,
    }  # fmt: skip
    return table


def _clusters(topics: Topics, before: Group, after: Group) -> tuple[Clusters, NDArray[np.int64]]:
    """Return the sums per cluster, and for each unit 1 (after), −1 (before) or 0."""
    table = topics.shares
    first, second = belongs(table, before).to_numpy(), belongs(table, after).to_numpy()
    if (first & second).any():
        raise ShinanError(f"{before!r} and {after!r} name the same report. Compare two different reports.")
    chosen = table[first | second].assign(side=second[first | second])
    reports = chosen.groupby("side")["report"].nunique()
    places = [set(chosen.loc[chosen["side"] == side, "place"]) for side in (False, True)]
    single = (reports == 1).all()
    paired = not single and places[0] == places[1] and len(places[0]) >= LEAST_REPORTS
    unit = "chapter" if single else "place" if paired else "report"
    keys = ["report", "chapter"] if single else ["place"] if paired else ["report"]
    chosen = chosen[chosen["size"] > 0]
    groups = chosen.groupby([chosen["side"], *(chosen[key] for key in keys)], sort=True)
    heads, weight = groups[["place"]].first(), chosen["size"].to_numpy(dtype=float)
    member = sparse.csr_array((weight, (groups.ngroup().to_numpy(), np.arange(len(chosen)))), shape=(len(heads), len(chosen)))
    side = heads.index.get_level_values("side").to_numpy(dtype=bool)
    if min((~side).sum(), side.sum()) < 2:
        raise ShinanError(
            f"{before!r} or {after!r} has fewer than two {unit}s with words of the model; no interval can be given. "
            "Compare reports with chapters, or more reports."
        )
    pair = pd.factorize(heads["place"])[0] if paired else np.arange(len(heads))
    runs = [member @ run[chosen.index].astype(float) for run in topics.runs] if topics.runs.shape[1] else []
    several = np.array(runs).reshape(len(runs), len(heads), len(topics.ids))
    sums, size = member @ chosen[topics.ids].to_numpy(dtype=float), member.sum(axis=1).astype(float)
    return Clusters(size, sums, several, side, pair, unit), second.astype(np.int64) - first


def _share(clusters: Clusters, side: bool) -> Array:
    """Return the share of each topic on one side."""
    mine = clusters.after == side
    return np.asarray(clusters.sums[mine].sum(axis=0) / clusters.size[mine].sum())


def _estimate(clusters: Clusters, labels: Array) -> tuple[Array, Array, Array]:
    """Return shift, standard error over clusters and degrees of freedom of each topic."""
    shift, variances, counts = _many(clusters, labels)
    if clusters.unit == "place":
        return shift[0], np.sqrt(variances[0, 0]), np.full(len(shift[0]), counts[0, 0] - 1)
    total = variances.sum(axis=0)[0]
    parts = [variances[side, 0] ** 2 / (counts[side, 0] - 1) for side in (0, 1)]
    freedom = np.where(total > 0, total**2 / np.maximum(parts[0] + parts[1], 1e-300), counts.min() - 1)
    return shift[0], np.sqrt(total), np.maximum(freedom, 1.0)


def _many(clusters: Clusters, labels: Array) -> tuple[Array, Array, Array]:
    """Return shifts, variances (of each side; of the pairs, once, where there are pairs) and numbers for many labellings.

    `labels` (labellings × clusters) is 1 for after. A side's variance is n / (n − 1) times the sum of squares of what each
    cluster has beyond the common share, over the squared size of the side.
    """
    sizes, shares, beyond = [], [], []
    for mine in (1 - labels, labels):
        size = mine @ clusters.size
        share = mine @ clusters.sums / size[:, None]
        sizes.append(mine.sum(axis=1))
        shares.append(share)
        beyond.append((mine[:, :, None] * (clusters.sums - clusters.size[:, None] * share[:, None, :])) / size[:, None, None])
    if clusters.unit == "place":
        member = (clusters.pair == np.arange(int(clusters.pair.max()) + 1)[:, None]).astype(float)
        pairs = np.einsum("pc,lck->lpk", member, beyond[1] - beyond[0])
        n = pairs.shape[1]
        return shares[1] - shares[0], ((pairs**2).sum(axis=1) * n / (n - 1))[None], np.full((1, len(labels)), float(n))
    variances = [(each**2).sum(axis=1) * (n / (n - 1))[:, None] for each, n in zip(beyond, sizes, strict=True)]
    return shares[1] - shares[0], np.stack(variances), np.stack(sizes)


def _posterior(topics: Topics, sides: NDArray[np.int64]) -> Array:
    """Return the standard error of the shift that comes from the posterior of the units."""
    size = topics.shares["size"].to_numpy(dtype=float)
    total = np.where(sides != 0, np.where(sides > 0, size[sides > 0].sum(), size[sides < 0].sum()), np.inf)
    return np.asarray(np.sqrt(total**-2.0 @ topics.variance.astype(float)))


def _between(clusters: Clusters, labels: Array) -> Array:
    """Return the standard deviation of the shift over runs for many labellings (labellings × topics)."""
    if not len(clusters.runs):
        return np.zeros((len(labels), clusters.sums.shape[1]))
    one, two = ((mine / (mine @ clusters.size)[:, None]) for mine in (1 - labels, labels))
    return np.asarray(((two - one) @ clusters.runs).std(axis=0, ddof=1))


def _permute(clusters: Clusters, observed: Array, draws: int, seed: int, level: float) -> tuple[Array, Array, Array]:
    """Return p of the studentised shift, and the range of shifts under permutation."""
    rng = np.random.default_rng(seed)
    reached, shifts = np.ones(len(observed)), []
    chunk = max(1, MEMORY // (len(observed) * max(len(clusters.size), len(clusters.runs))))
    for start in range(0, draws, chunk):
        labels = _deal(clusters, rng, min(chunk, draws - start))
        shift, variances, _ = _many(clusters, labels)
        error = np.sqrt(variances.sum(axis=0) + _between(clusters, labels) ** 2)
        student = shift / np.maximum(error, 1e-12)
        reached += (np.abs(student) >= np.abs(observed) - 1e-9).sum(axis=0)
        shifts.append(shift)
    if not draws:
        return np.full(len(observed), np.nan), np.full(len(observed), np.nan), np.full(len(observed), np.nan)
    low, high = np.quantile(np.concatenate(shifts), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return reached / (draws + 1), low, high


def _deal(clusters: Clusters, rng: np.random.Generator, draws: int) -> Array:
    """Return random labellings: chapters or reports dealt to the sides anew, or the two years of a place exchanged."""
    if clusters.unit == "place":
        swap = rng.integers(0, 2, size=(draws, int(clusters.pair.max()) + 1))[:, clusters.pair]
        return np.asarray(np.abs(clusters.after - swap), dtype=np.float64)
    return rng.permuted(np.tile(clusters.after.astype(float), (draws, 1)), axis=1)


def _pairs_needed(clusters: Clusters, error: Array, detect: float, level: float) -> Array:
    """Return how many independent pairs of reports show a shift of `detect` with power 0.8, by the normal approximation."""
    pairs = int(clusters.pair.max()) + 1 if clusters.unit == "place" else 1
    if clusters.unit == "report":
        pairs = int(min((~clusters.after).sum(), clusters.after.sum()))
    one = error * np.sqrt(pairs)
    return np.asarray(np.ceil(((stats.norm.isf((1 - level) / 2) + stats.norm.ppf(POWER)) * one / detect) ** 2))


def topic_trend(topics: Topics, *, groups: Groups = "auto", level: float = 0.95) -> pd.DataFrame:
    """Follow the shares of topics through the years, place by place or in groups of places.

    Parameters
    ----------
    topics
        The model, with all reports in it (:func:`~shinan_research.topics.add_reports`).
    groups
        As in :func:`~shinan_research.series.series`: places by the name of their group, "places", "all" or "auto".
    level
        Of the bands. They hold the spread over reports from three on, over chapters beneath.

    Returns
    -------
    pandas.DataFrame
        `group, year, topic, label, label_en, share, low, high, level, reports, clusters, unit` (report or chapter), by group,
        year and topic; low and high are missing where there is one cluster.

    Raises
    ------
    ShinanError
        If a group names a place that is not there.
    """
    shares, named = topics.shares, members_of(topics.shares, groups)
    cells = [
        _cell(topics, name, year, rows, level)
        for name, places in named.items()
        for year, rows in shares[shares["place"].isin(places)].groupby("year", sort=True)
    ]
    names = topics.stability[["topic", "zh", "en"]].rename(columns={"zh": "label", "en": "label_en"})
    result = pd.concat(cells, ignore_index=True).merge(names, on="topic", how="left")
    columns = ["group", "year", "topic", "label", "label_en", "share", "low", "high", "level", "reports", "clusters", "unit"]
    result = result[columns].round(DIGITS)
    result.attrs["settings"] = topics.settings | {
        "function": "topic_trend", "level": level, "groups": named, "all_places": int(shares["place"].nunique()),
        "judges": topics.judges,
    }  # fmt: skip
    return result


def _cell(topics: Topics, group: object, year: object, rows: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return the shares of one group in one year with their bands."""
    reports = rows["report"].nunique()
    unit = "report" if reports >= LEAST_REPORTS else "chapter"
    values = rows[topics.ids].mul(rows["size"], axis=0).assign(size=rows["size"])
    sums = values.groupby([rows["report"]] if unit == "report" else [rows["report"], rows["chapter"]]).sum()
    size, n = sums["size"].to_numpy(dtype=float), len(sums)
    share = sums[topics.ids].to_numpy().sum(axis=0) / max(size.sum(), 1)
    beyond = (sums[topics.ids].to_numpy() - size[:, None] * share) / max(size.sum(), 1)
    wide = stats.t.isf((1 - level) / 2, n - 1) * np.sqrt((beyond**2).sum(axis=0) * n / (n - 1)) if n > 1 else np.nan
    return pd.DataFrame({
        "group": group, "year": year, "topic": topics.ids, "share": share, "low": share - wide, "high": share + wide,
        "level": level, "reports": reports, "clusters": n, "unit": unit,
    })  # fmt: skip
