"""Turn scraped government work reports (政府工作报告) into figures that a paper can cite.

The public functions are imported when they are first asked for, so that the package itself imports at once.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

PUBLIC = {
    "ShinanError": "errors", "ReadError": "errors", "ApparatusError": "errors", "StudyError": "errors", "FigureError": "errors",
    "Report": "reports", "Emendation": "reports", "read_page": "reports", "read_report": "reports", "read_folder": "reports",
    "each_report": "reports",
    "restore": "restore", "apparatus": "restore", "variants": "restore", "agreement": "restore", "collate": "collate",
    "outline": "outline", "Segmenter": "tokens", "tokenize": "tokens", "occurrences": "occurrences",
    "map_reports": "scale", "tally": "tallies", "stack": "tallies",
    "Study": "study", "open_study": "study", "count": "counts", "dispersion": "counts", "matching": "counts", "compare": "shifts",
    "declared": "occurrences",
    "explain": "explain", "answer": "explain", "cells": "counts", "publish": "publish",
    "audit": "audit", "propose": "propose", "losses": "losses", "describe_losses": "losses", "answer_losses": "losses",
    "in_print": "losses", "lemmata": "losses", "answer_readings": "losses",
    "findings": "losses",
    "to_tei": "tei", "review": "review", "attest": "collate", "new_study": "new", "own_study": "own",
    "series": "series", "courses": "series", "answer_series": "series", "describe_series": "series", "draw_series": "figures",
    "kwic": "context", "collocates": "context", "positions": "context", "draw_positions": "figures",
    "describe_positions": "describe", "word_shift": "word_shift", "placebo": "placebo",
    "find_terms": "discover", "quantities": "quantities", "link_targets": "targets",
    "growth_claims": "targets", "draw_lost": "figures",
    "draw_shift": "figures", "describe_ranking": "describe", "describe_word_shift": "describe", "describe_placebo": "describe",
    "measured": "describe", "measures": "sensitivity", "log_odds": "sensitivity",
    "describe_sensitivity": "describe", "survivors": "describe", "divergence": "describe", "standings": "describe",
    "company": "describe", "holding": "describe", "detectable": "describe", "sensitivity": "sensitivity",
    "place_targets": "announced", "choose_pair": "announced", "answer_targets": "announced",
    "describe_targets": "announced", "disputed_links": "links", "link_chain": "targets", "unchanged": "targets",
    "publish_table": "tables", "record":
    "kit", "record_shift": "kit", "archive": "archive", "draw_ranking": "figures", "draw_word_shift":
    "figures", "draw_placebo": "figures", "draw_sensitivity": "figures", "draw_targets": "figures",
    "describe_attention": "describe_topics", "describe_prevalence": "describe_topics", "describe_choice": "describe_topics",
    "describe_topic_words": "describe_topics", "describe_topic_places": "describe_topics", "answer_attention":
    "describe_topics", "answer_opinions": "describe_topics", "answer_topics": "describe_topics", "topic_places": "opinions",
    "draw_attention": "figures", "draw_prevalence": "figures", "draw_choice": "figures", "draw_topic_words": "figures",
    "draw_topic_places": "figures", "draw_topic_trend": "figures", "describe_topic_trend": "describe_topics",
    "attention": "attention", "fit_topics": "topics", "Topics": "topics", "name_topics": "topics", "add_reports": "topics",
    "prevalence": "prevalence", "topic_trend": "prevalence", "second_opinion": "opinions", "explained_by_chapters": "opinions",
}  # fmt: skip

__version__ = "0.1.0"
__all__ = sorted(PUBLIC)


class _Package(ModuleType):
    """The package; where a module and its function share a name, the name is the function's."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and PUBLIC.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name not in PUBLIC:
            raise AttributeError(f"shinan_research has no {name!r}. Public names: {', '.join(__all__)}.")
        return getattr(import_module(f".{PUBLIC[name]}", __name__), name)

    def __dir__(self) -> list[str]:
        return [*__all__, "__version__"]


sys.modules[__name__].__class__ = _Package
