"""Report what the tests have covered of lines and of branches, each for itself, and fail below the least that is accepted.

python -m pytest -m "not browser" --cov --cov-report= && python -m tools.check_coverage
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from coverage import Coverage

# The bar is 95 % of lines and 90 % of branches. The least may only rise.
LEAST = {"lines": 95, "branches": 90}
FIELDS = {"lines": ("covered_lines", "num_statements"), "branches": ("covered_branches", "num_branches")}


def shares(summary: dict[str, int]) -> dict[str, float]:
    """Return the covered share of lines and of branches in per cent; of nothing, all is covered."""
    return {name: 100.0 * summary[part] / summary[whole] if summary[whole] else 100.0 for name, (part, whole) in FIELDS.items()}


def report(summaries: dict[str, dict[str, int]], total: dict[str, int], least: dict[str, int]) -> tuple[list[str], bool]:
    """Return the lines to print, the total and each module that lies below, and whether the total reaches the least."""
    found = {name: shares(summary) for name, summary in sorted(summaries.items())}
    low = {name: each for name, each in found.items() if any(each[what] < least[what] for what in least)}
    width = max(map(len, [*low, "total"]))
    words = [f"{name:{width}}  " + "  ".join(f"{what} {share:5.1f} %" for what, share in each.items())
             for name, each in [*low.items(), ("total", shares(total))]]  # fmt: skip
    return words, all(shares(total)[what] >= least[what] for what in least)


def main() -> None:
    """Print the shares of the last run of the tests and end with 1 if they lie below the least."""
    measured = Coverage()
    measured.load()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        measured.json_report(outfile=str(path))
        found = json.loads(path.read_text(encoding="utf-8"))
    words, enough = report({name: each["summary"] for name, each in found["files"].items()}, found["totals"], LEAST)
    print("\n".join(["Covered by the tests; modules below the bar, and all:", *words]))
    if not enough:
        raise SystemExit(f"Accepted from {LEAST['lines']} % of lines and {LEAST['branches']} % of branches on. Add tests.")


if __name__ == "__main__":
    main()
