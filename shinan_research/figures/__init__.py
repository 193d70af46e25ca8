"""Figures: a finished table in, a figure out; nothing here computes, saves or shows."""

from .lost import draw_lost
from .places import draw_places
from .shift import draw_rates, draw_ratio, draw_shift

__all__ = ["draw_lost", "draw_places", "draw_rates", "draw_ratio", "draw_shift"]
