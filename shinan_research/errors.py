"""The errors a user can meet. Each message says what was given, what was expected and what to do next."""


class ShinanError(ValueError):
    """Base class of every error that this package raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows instead of the way through the code: the message, which says what to do."""
        return str(self).splitlines()


class ReadError(ShinanError):
    """A file of reports cannot be read, or does not hold what it should."""


class ApparatusError(ShinanError):
    """A row of judgement (emendation, heading, sense, link, label) does not fit the text it speaks of."""


class StudyError(ShinanError):
    """`data/study.toml`, or what is asked of a study, is incomplete or contradicts itself."""


class FigureError(ShinanError):
    """A figure or table cannot be drawn or published as asked."""
