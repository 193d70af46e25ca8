"""Match chapters: which stratum each chapter of a report belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .errors import ShinanError

STRATA = ("report", "chapter", "stratum")


def strata_of(chapter: pd.DataFrame, strata: pd.DataFrame | None) -> NDArray[np.int64]:
    """Return the stratum of each unit: that of its chapter, or its part where no row names it; without strata all is one."""
    if strata is None or strata.empty:
        return np.zeros(len(chapter), dtype=np.int64)
    found = stratum_of(chapter, strata)
    named = found.where(found.notna(), "rest of " + chapter["part"].reset_index(drop=True))
    return np.asarray(pd.factorize(named, sort=True)[0], dtype=np.int64)


def stratum_of(chapters: pd.DataFrame, strata: pd.DataFrame) -> pd.Series[Any]:
    """Return the stratum that `strata` gives to the report and chapter of each row, from 0; missing where it names none.

    Raises
    ------
    ShinanError
        If the strata lack a column, a chapter is no number, or one is named twice.
    """
    missing = [name for name in STRATA if name not in strata.columns]
    if missing:
        raise ShinanError(f"strata lack the column {', '.join(missing)}; needed: {', '.join(STRATA)}.")
    numbers = pd.to_numeric(strata["chapter"], errors="coerce")
    if numbers.isna().any():
        raise ShinanError(
            f"strata: chapter is {strata['chapter'][numbers.isna()].iloc[0]!r}; expected the number of a chapter, from 0."
        )
    rows = strata.assign(chapter=numbers.astype(int))
    twice = rows[rows.duplicated(["report", "chapter"])]
    if len(twice):
        raise ShinanError(
            f"strata name chapter {twice['chapter'].iloc[0]} of {twice['report'].iloc[0]} twice. Give it one stratum."
        )
    merged = chapters[["report", "chapter"]].merge(rows[list(STRATA)], on=["report", "chapter"], how="left")
    return merged["stratum"].astype(object)
