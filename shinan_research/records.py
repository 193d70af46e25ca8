"""Tables as bytes: a SHA-256, a line of JSON that describes the columns, and their values one after the other."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ReadError, ShinanError
from .files import sha256

if TYPE_CHECKING:  # pandas takes longer to import than many reports to count; a process that counts does without
    import pandas as pd

PLAIN = "biufmM"  # kinds of numpy columns that are kept as they are


def to_bytes(table: pd.DataFrame | dict[str, Any]) -> bytes:
    """Return a table or a dict of arrays as bytes that hold numbers and JSON alone; equal ones give equal bytes.

    The rows of a table are numbered anew.

    Raises
    ------
    ShinanError
        If this is no table, or a column holds something else than numbers, truth values, texts or tuples of these.
    """
    if not (isinstance(table, dict) or is_table(table)):
        raise ShinanError(
            f"the function returned {type(table).__name__}; map_reports wants a table (pandas.DataFrame) or a dict."
        )
    described, parts = [], []
    for name in table:
        about, values = (_entry if isinstance(table, dict) else _column)(table[name], str(name))  # type: ignore[index]
        described.append({"name": str(name), "size": len(values)} | about)
        parts.append(values)
    attrs = None if isinstance(table, dict) else table.attrs
    head = json.dumps({"columns": described, "attrs": attrs}, ensure_ascii=False, sort_keys=True)
    body = b"".join([head.encode("utf-8", "surrogatepass"), b"\n", *parts])
    return sha256(body).encode() + b"\n" + body


def is_table(value: Any) -> bool:
    """Return whether this is a pandas.DataFrame, without importing pandas for what is none."""
    return "pandas" in sys.modules and isinstance(value, sys.modules["pandas"].DataFrame)


def _column(column: pd.Series[Any], name: str) -> tuple[dict[str, Any], bytes]:
    """Return what describes a column, and its values."""
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        names = column.cat.categories.tolist()
        codes = column.cat.codes.to_numpy(dtype=np.int32)
        words = "str" if isinstance(column.cat.categories.dtype, pd.StringDtype) else "object"
        return {"type": "<i4", "categories": names, "ordered": bool(column.cat.ordered), "words": words}, codes.tobytes()
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in PLAIN:
        return {"type": column.dtype.newbyteorder("<").str}, column.to_numpy().astype(column.dtype.newbyteorder("<")).tobytes()
    return {"type": "str" if isinstance(column.dtype, pd.StringDtype) else "object"}, _json(column.tolist(), name)


def _entry(value: Any, name: str) -> tuple[dict[str, Any], bytes]:
    """Return what describes an entry of a dict, and its values."""
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in PLAIN:
        return {"type": value.dtype.newbyteorder("<").str}, value.astype(value.dtype.newbyteorder("<")).tobytes()
    return {"type": "json"}, _json(value, name)


def _json(value: Any, name: str) -> bytes:
    """Return JSON."""
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError) as error:
        raise ShinanError(f"the column {name!r} holds what cannot be kept as text or number ({error}).") from error


def from_bytes(data: bytes) -> pd.DataFrame | dict[str, Any]:
    """Return the table or the dict that :func:`to_bytes` wrote.

    Raises
    ------
    ReadError
        If the bytes are damaged.
    """
    if not is_sound(data):
        raise ReadError("A kept result is damaged. Delete the cache folder and run again.")
    return unpacked(data)


def unpacked(data: bytes) -> pd.DataFrame | dict[str, Any]:
    """Return what bytes hold that are known to be sound."""
    start = data.index(b"\n", 65) + 1
    about = json.loads(data[65:start].decode("utf-8", "surrogatepass"))
    columns = {}
    for each in about["columns"]:
        columns[each["name"]] = _values(each, data[start : start + each["size"]])
        start += each["size"]
    if about["attrs"] is None:
        return columns
    import pandas as pd

    table = pd.DataFrame(columns, copy=False)
    table.attrs.update(about["attrs"])
    return table


def _values(about: dict[str, Any], values: bytes) -> Any:
    """Return the values of a column, or an entry."""
    if about["type"] == "json":
        return json.loads(values.decode("utf-8", "surrogatepass"))
    texts = about["type"] in ("str", "object")
    if not texts and "categories" not in about:
        return np.frombuffer(values, dtype=about["type"]).copy()
    import pandas as pd

    if texts:
        found = json.loads(values.decode("utf-8", "surrogatepass"))
        return pd.Series([tuple(each) if isinstance(each, list) else each for each in found], dtype=about["type"])
    names = pd.Index(about["categories"], dtype=about["words"])
    return pd.Categorical.from_codes(np.frombuffer(values, dtype=about["type"]), categories=names, ordered=about["ordered"])


def is_sound(data: bytes) -> bool:
    """Return whether bytes are what was written: their first line is the SHA-256 of the rest."""
    return len(data) > 65 and data[:64] == sha256(data[65:]).encode()
