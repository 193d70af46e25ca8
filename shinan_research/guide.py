"""Say how a figure is read, worked on one of its rows, and how its numbers were made, for a paper to take over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from .counts import FEWEST_PLACES
from .explain import by_places, group_name, probability, ratio, term_name, verdict_name
from .messages import say
from .placebo import OUTSIDE
from .sensitivity import steadiness

REFERENCES = {
    "Benjamini and Hochberg 1995": "Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate: a practical and "
    "powerful approach to multiple testing. Journal of the Royal Statistical Society B 57(1), 289–300. "
    "doi:10.1111/j.2517-6161.1995.tb02031.x",
    "Breslow and Day 1987": "Breslow, N. E. and Day, N. E. (1987). Statistical Methods in Cancer Research II: The Design and "
    "Analysis of Cohort Studies. IARC Scientific Publications 82. Lyon: International Agency for Research on Cancer.",
    "Brown et al. 2001": "Brown, L. D., Cai, T. T. and DasGupta, A. (2001). Interval estimation for a binomial proportion. "
    "Statistical Science 16(2), 101–133. doi:10.1214/ss/1009213286",
    "Efron 2004": "Efron, B. (2004). Large-scale simultaneous hypothesis testing: the choice of a null hypothesis. Journal of "
    "the American Statistical Association 99(465), 96–104. doi:10.1198/016214504000000089",
    "Gallagher et al. 2021": "Gallagher, R. J., Frank, M. R., Mitchell, L., Schwartz, A. J., Reagan, A. J., Danforth, C. M. and "
    "Dodds, P. S. (2021). Generalized word shift graphs: a method for visualizing and explaining pairwise comparisons between "
    "texts. EPJ Data Science 10, article 4. doi:10.1140/epjds/s13688-021-00260-3",
    "Holm 1979": "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics "
    "6(2), 65–70.",
    "Lijffijt et al. 2016": "Lijffijt, J., Nevalainen, T., Säily, T., Papapetrou, P., Puolamäki, K. and Mannila, H. (2016). "
    "Significance testing of word frequencies in corpora. Digital Scholarship in the Humanities 31(2), 374–397. "
    "doi:10.1093/llc/fqu064",
    "Lin 1991": "Lin, J. (1991). Divergence measures based on the Shannon entropy. IEEE Transactions on Information Theory "
    "37(1), 145–151. doi:10.1109/18.61115",
    "Lund et al. 2012": "Lund, S. P., Nettleton, D., McCarthy, D. J. and Smyth, G. K. (2012). Detecting differential expression "
    "in RNA-sequence data using quasi-likelihood with shrunken dispersion estimates. Statistical Applications in Genetics and "
    "Molecular Biology 11(5), article 8. doi:10.1515/1544-6115.1826",
    "Mantel and Haenszel 1959": "Mantel, N. and Haenszel, W. (1959). Statistical aspects of the analysis of data from "
    "retrospective studies of disease. Journal of the National Cancer Institute 22(4), 719–748. doi:10.1093/jnci/22.4.719",
    "Phipson and Smyth 2010": "Phipson, B. and Smyth, G. K. (2010). Permutation p-values should never be zero: calculating exact "
    "p-values when permutations are randomly drawn. Statistical Applications in Genetics and Molecular Biology 9(1), article 39. "
    "doi:10.2202/1544-6115.1585",
    "Tarone 1990": "Tarone, R. E. (1990). A modified Bonferroni method for discrete data. Biometrics 46(2), "
    "515–522. doi:10.2307/2531456",
}
CITED = {short.partition(" ")[0].lower(): short for short in REFERENCES}


def how_to_read(table: pd.DataFrame, language: str) -> str:
    """Say how the figure of a table is read, worked on one of its rows; empty for a table of another kind.

    Parameters
    ----------
    table
        The table drawn: of `compare`, `word_shift`, `placebo`, `sensitivity` or `positions`.
    language
        zh or en.
    """
    kinds: dict[str, Callable[[pd.DataFrame, str], str]] = {
        "compare": _shift, "word_shift": _word_shift, "placebo": _placebo, "sensitivity": _sensitivity,
        "positions": _positions,
    }  # fmt: skip
    kind = kinds.get(str(table.attrs.get("settings", {}).get("function")))
    return kind(table, language) if kind and len(table) else ""


def _shift(table: pd.DataFrame, language: str) -> str:
    """Work on the first row that was tested, else on the most frequent, of declared terms or of the vocabulary."""
    tested = table[table["p_adjusted"].notna()]
    pooled = (table["count_before"] + table["count_after"]).to_numpy()
    row = tested.iloc[0] if len(tested) else table.iloc[int(pooled.argmax())]
    values = _common(row, language) | {name: f"{row[name]:.1f}" for name in ("rate_before", "rate_after", "dispersion")}
    values["p"] = "–" if pd.isna(row["p_adjusted"]) else probability(float(row["p_adjusted"]))
    values |= {name: ratio(2.0 ** float(row[of])) for name, of in (("ratio", "log2_matched"), ("low", "low"), ("high", "high"))}
    values["like"] = say("explain.like", language) if row["log2_matched"] != row["log2_ratio"] else ""
    values["level"] = f"{100 * float(row['level']):g}"
    key = "ranking" if (table["family"] == "vocabulary").all() else "shift"
    if by_places(table.attrs["settings"]):
        key = "described" if row["verdict"] == "description only" else "places"
    return say(f"guide.{key}", language, **values, verdict=verdict_name(row.to_dict(), language))


def _common(row: pd.Series[Any], language: str) -> dict[str, Any]:
    """Return term, groups and counts of a row."""
    values = {
        "term": term_name(row["term"], language),
        "count_before": int(row["count_before"]),
        "count_after": int(row["count_after"]),
    }
    return values | {side: group_name(row[side], language) for side in ("before", "after") if side in row.index}


def _word_shift(table: pd.DataFrame, language: str) -> str:
    row, settings, null = table.iloc[0], table.attrs["settings"], table.attrs["null"]
    values = _common(row, language) | {side: group_name(settings[side], language) for side in ("before", "after")}
    numbers = {"total": table.attrs["total"]} | {end: null[end] for end in ("low", "high") if end in null}
    values |= {name: f"{value:.3f}" for name, value in numbers.items()} | {"share": f"{100 * row['share']:.1f}"}
    return say(f"guide.word_shift{'' if 'low' in null else '_described'}", language, **values)


def _placebo(table: pd.DataFrame, language: str) -> str:
    own = table[table["own"]]
    ranked = own[own["rank"].notna()]
    row = (ranked if len(ranked) else own).iloc[0]
    if pd.isna(row["rank"]):
        position = say("guide.placebo_unranked", language, verdict=say(f"placebo.verdict.{row['verdict']}", language))
    else:
        numbers = {name: f"{row[name]:.3g}" for name in ("p", "p_smallest")}
        position = say("guide.placebo_ranked", language, of=row["of"], rank=row["rank"], **numbers)
    against = say(f"placebo.against.{row['against']}", language)
    return say("guide.placebo", language, **_common(row, language), against=against, position=position)


def _positions(table: pd.DataFrame, language: str) -> str:
    """Work on the first term that occurs, and on the chapter that holds most of it."""
    seen = table[table["at"].notna()]
    mine = (seen if len(seen) else table)[lambda rows: rows["term"] == rows["term"].iloc[0]]
    settings, held = table.attrs["settings"], mine.groupby(["side", "report", "chapter"], sort=True)["at"].count()
    side, report, chapter = held.idxmax()
    row = mine[(mine["report"] == report) & (mine["chapter"] == chapter)].iloc[0]
    ends = {"from": f"{row['chapter_from']:.0f}", "to": f"{row['chapter_to']:.0f}", "count": int(held.max())}
    counts = {f"count_{one}": int(mine.loc[mine["side"] == one, "at"].count()) for one in ("before", "after")}
    names = {one: group_name(settings[one], language) for one in ("before", "after")}
    name = names[side] if table.loc[table["side"] == side, "report"].nunique() == 1 else str(report)
    most = say("guide.positions_most", language, group=name, **ends) if held.max() > 1 else ""
    return say("guide.positions", language, term=term_name(row["term"], language), most=most, **counts, **names)


def _sensitivity(table: pd.DataFrame, language: str) -> str:
    row = steadiness(table).iloc[0]
    values = {"term": term_name(row["term"], language), "ways": row["ways"]}
    values |= {"same": row["same_verdict"], "direction": row["same_direction"]}
    sides = table[["before", "after"]].iloc[0].to_dict()
    return say("guide.sensitivity", language, **values, verdict=verdict_name(sides | row.to_dict(), language))


def methods(settings: Mapping[str, Any], version: str, language: str) -> str:
    """Return the methods paragraph of a table, from the settings that it carries; empty for a table of another kind.

    Parameters
    ----------
    settings
        `attrs["settings"]` of a table of `compare`, `word_shift`, `placebo` or `sensitivity`.
    version
        Of this package.
    language
        zh or en.
    """
    kinds = {"compare": _compared, "word_shift": _diverged, "placebo": _ranked, "sensitivity": _repeated}
    kind = kinds.get(str(settings.get("function")))
    if kind is None or "before" not in settings:
        return ""
    key, values = kind(settings, language)
    values |= {name: group_name(settings[name], language) for name in ("before", "after")}
    values |= {"package": f"shinan_research {version}".strip(), "scope": say(f"scope.{settings['scope']}", language)}
    return say(f"methods.{key}", language, **values, **CITED)


def _compared(settings: Mapping[str, Any], language: str) -> tuple[str, dict[str, Any]]:
    """Return message and fields for a comparison of terms."""
    values = {name: settings[name] for name in ("blocks_before", "blocks_after", "seed")}
    values |= {"level": f"{100 * settings['level']:g}", "n_permutations": f"{settings['n_permutations']:,}"}
    if by_places(settings):
        few = settings["places"] < FEWEST_PLACES
        key = "described" if few else "paired" if settings["paired"] else "unpaired"
        return key, values | {"places": settings["places"], "fewest": FEWEST_PLACES}
    lone = settings["unmatched_before"] + settings["unmatched_after"]
    key = "whole" if settings["strata"] == 1 else "matched"
    test = "permuted" if settings["n_permutations"] else "closed"
    return "terms", values | {
        "unit": say(f"unit.{settings['unit']}", language), "min_count": settings["min_count"],
        "min_blocks": settings["min_blocks"], "dispersion": f"{settings['common_dispersion']:.2f}",
        "strata": say(f"methods.{key}", language, strata=settings["strata_matched"], lone=lone),
        "test": say(f"methods.{test}", language, **values, **CITED),
    }  # fmt: skip


def _diverged(settings: Mapping[str, Any], language: str) -> tuple[str, dict[str, Any]]:
    """Return message and fields for a difference of vocabularies."""
    null = settings["null"]
    numbers = {"total": settings["total"]} | {end: null[end] for end in ("low", "high") if end in null}
    values: dict[str, Any] = {name: f"{value:.3f}" for name, value in numbers.items()}
    values |= {"draws": f"{settings['n_draws']:,}", "seed": settings["seed"], "level": f"{100 * settings['level']:g}"}
    values |= {"unit": say(f"unit.{null['unit']}", language), "fewest": FEWEST_PLACES}
    values["resampled"] = say("describe.prevalence.place" if null["unit"] == "report" else "unit.block", language)
    return f"word_shift{'' if 'low' in null else '_described'}", values


def _ranked(settings: Mapping[str, Any], language: str) -> tuple[str, dict[str, Any]]:
    """Return message and fields for changes ranked among those of other governments."""
    values = {name: settings[name] for name in ("rule", "places", "reports")}
    return "placebo", values | {"users": settings["fewest_users"], "outside": f"{OUTSIDE:g}"}


def _repeated(settings: Mapping[str, Any], language: str) -> tuple[str, dict[str, Any]]:
    """Return message and fields for a comparison made in many ways."""
    mark = "、" if language == "zh" else ", "
    named = {f"{kind}s": mark.join(say(f"{kind}.{one}", language) for one in settings[f"{kind}s"]) for kind in ("scope", "unit")}
    return "sensitivity", named | {"variants": mark.join(settings["variants"])}
