"""Figures: a finished table in, a figure out; nothing here computes, saves or shows."""

from .lost import draw_lost
from .placebo import draw_placebo
from .positions import draw_positions
from .ranking import draw_ranking
from .sensitivity import draw_sensitivity
from .series import draw_series, draw_topic_trend
from .shift import draw_shift
from .targets import draw_targets
from .topic_places import draw_topic_places
from .topic_words import draw_topic_words
from .topics import draw_attention, draw_choice, draw_prevalence
from .word_shift import draw_word_shift

__all__ = [
    "draw_attention",
    "draw_choice",
    "draw_lost",
    "draw_placebo",
    "draw_positions",
    "draw_prevalence",
    "draw_ranking",
    "draw_sensitivity",
    "draw_series",
    "draw_shift",
    "draw_targets",
    "draw_topic_places",
    "draw_topic_trend",
    "draw_topic_words",
    "draw_word_shift",
]
