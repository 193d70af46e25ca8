"""Let a named person go through the judgements that an algorithm or a machine reader has made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .errors import ApparatusError
from .files import format_rows, read_rows, write_atomically
from .restore import DECISIONS

ANSWERS = {"a": "accept", "r": "reject", "o": "open"}
STOP, SKIP = "q", ""
NEEDED = ("decision", "decided_by")
SIGNED = ("editor", "earlier")


def review(path: Path, editor: str, *, ask: Callable[[str], str], say: Callable[[str], None]) -> dict[str, int]:
    """Step through the rows of a file of judgements that no person has decided, and write the file after each answer.

    A decided row gets `decided_by` person and the editor's name; what stood there before is kept in `earlier`, so that the
    agreement of person and machine can be computed.

    Parameters
    ----------
    path
        A table with the columns `decision` and `decided_by`, such as `data/emendations/<report>.csv`.
    editor
        The name of the person who decides.
    ask
        Shows a question and returns the answer: a (accept), r (reject), o (leave open), nothing (pass over), q (stop).
    say
        Shows a line.

    Returns
    -------
    dict
        `decided` in this session, `agreed` (the person's decision is that which stood there), `left` undecided by a person.

    Raises
    ------
    ApparatusError
        If no editor is named.
    """
    if not editor.strip():
        raise ApparatusError("review needs the name of the person who decides: --editor 'Given Family'.")
    rows = read_rows(path, NEEDED)
    columns = tuple(dict.fromkeys([*(rows[0] if rows else NEEDED), *SIGNED]))
    waiting = [row for row in rows if row["decided_by"] != "person"]
    decided = agreed = 0
    for number, row in enumerate(waiting, 1):
        answer = _ask(row, f"[{number}/{len(waiting)}] ", ask, say)
        if answer == STOP:
            break
        if answer == SKIP:
            continue
        decided, agreed = decided + 1, agreed + (ANSWERS[answer] == row["decision"])
        row["earlier"] = f"{row['decision']} ({row['decided_by']})"
        row.update(decision=ANSWERS[answer], decided_by="person", editor=editor)
        write_atomically(path, format_rows([dict(row) for row in rows], columns, mark=True))
    left = sum(row["decided_by"] != "person" for row in rows)
    say(f"{decided} decided, {agreed} as they stood; {left} of {len(rows)} rows not yet decided by a person.")
    return {"decided": decided, "agreed": agreed, "left": left}


def _ask(row: dict[str, str], place: str, ask: Callable[[str], str], say: Callable[[str], None]) -> str:
    """Show a row and return a valid answer."""
    if "char" in row:
        say(f"{place}…{row.get('left', '')}〔{row['char']}〕{row.get('right', '')}…")
    else:
        say(place + "  ".join(f"{key}={value}" for key, value in row.items() if value and key not in ("editor", "earlier")))
    say(f"    {row.get('certainty', '')}; {row.get('evidence', '')}; stands as {row['decision']} by {row['decided_by']}")
    while True:
        answer = ask("    accept [a], reject [r], leave open [o], pass over [Enter], stop [q]: ").strip().lower()[:1]
        if answer in (*ANSWERS, STOP, SKIP):
            return answer
        say(f"    {answer!r} is none of a, r, o, q. A decision is one of {', '.join(DECISIONS)}.")
