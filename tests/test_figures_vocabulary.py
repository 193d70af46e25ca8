"""The figures about vocabulary, asked through their artists: what stands where, by which mark, and that nothing collides."""

import itertools
from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from test_counts import tokens_of

from shinan_research import FigureError, compare, placebo
from shinan_research.context import positions
from shinan_research.figures.placebo import draw_placebo
from shinan_research.figures.positions import draw_positions
from shinan_research.figures.ranking import draw_ranking
from shinan_research.figures.sensitivity import draw_sensitivity
from shinan_research.figures.style import COLOURS, WIDTHS
from shinan_research.figures.word_shift import draw_word_shift
from shinan_research.messages import say
from shinan_research.sensitivity import sensitivity
from shinan_research.word_shift import word_shift

BEFORE, AFTER = ("甲县", 2019), ("甲县", 2020)
LANGUAGES = ("zh", "en", "both")
DRAW = {
    "ranking": draw_ranking, "word_shift": draw_word_shift, "placebo": draw_placebo, "sensitivity": draw_sensitivity,
    "positions": draw_positions,
}  # fmt: skip


@cache
def made() -> dict[str, pd.DataFrame]:
    """Return the five tables of two reports whose words are dealt by lot, with two terms that the provinces use."""
    lot = np.random.default_rng(1)
    words = "社会经济建设发展政府工作人民产业项目服务教育文化生态环境"
    chapters = {
        group: [["".join(lot.choice(list(words), 40)) + extra for _ in range(12)] for _ in range(3)]
        for group, extra in ((BEFORE, "改革"), (AFTER, "改革改革旅"))
    }
    tokens = tokens_of(chapters)
    shift = compare(tokens, BEFORE, AFTER, terms=["改革", "旅"], n_permutations=0)
    return {
        "ranking": compare(tokens, BEFORE, AFTER, n_permutations=99),
        "word_shift": word_shift(tokens, BEFORE, AFTER, n_draws=50),
        "placebo": placebo(shift, place="甲县"),
        "sensitivity": sensitivity({"probable": tokens}, BEFORE, AFTER, terms=["改革", "旅"], scopes=["body", "plan"]),
        "positions": positions(tokens, BEFORE, AFTER, terms=["改革", "旅"]),
    }


def shown(figure: Figure) -> list[Text]:
    """Return the texts that a reader sees, ticks outside the axes apart."""
    figure.canvas.draw()
    hidden = {
        id(tick.label1)
        for ax in figure.axes
        for axis, (low, high) in ((ax.xaxis, sorted(ax.get_xlim())), (ax.yaxis, sorted(ax.get_ylim())))
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        if not low <= tick.get_loc() <= high
    }
    return [
        text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible() and id(text) not in hidden
    ]  # fmt: skip


def words(figure: Figure) -> list[str]:
    """Return what the visible texts say."""
    return [text.get_text() for text in shown(figure)]


def tidy(figure: Figure) -> None:
    """Assert that every text lies on the canvas and clear of every other text."""
    across, down = figure.get_size_inches() * figure.dpi
    boxes = [(text.get_text(), text.get_window_extent()) for text in shown(figure)]
    assert len(boxes) > 8
    for name, box in boxes:
        assert box.x0 >= -0.5 and box.y0 >= -0.5 and box.x1 <= across + 0.5 and box.y1 <= down + 0.5, (
            f"{name!r} leaves the canvas"
        )
    for (one, left), (two, right) in itertools.combinations(boxes, 2):
        wide, high = min(left.x1, right.x1) - max(left.x0, right.x0), min(left.y1, right.y1) - max(left.y0, right.y0)
        assert wide <= 1.5 or high <= 1.5, f"{one!r} and {two!r} overlap by {wide:.1f} × {high:.1f} pixels"


def marks(figure: Figure, panel: int = 0) -> list[Line2D]:
    """Return the lines of a panel that are marks and no strokes."""
    return [line for line in figure.axes[panel].lines if line.get_linestyle() == "None" or len(line.get_xdata()) == 1]


@pytest.mark.parametrize("name", DRAW)
@pytest.mark.parametrize(("width", "language"), [*zip(WIDTHS, LANGUAGES, strict=True), ("single", "both")])
def test_nothing_leaves_the_canvas_and_nothing_collides(name: str, width: str, language: str) -> None:
    """At each width every text lies on the canvas of that width, clear of the others."""
    glosses = {} if name == "word_shift" else {"glosses": {"改革": "reform of the economic system", "旅": "travel"}}
    figure = DRAW[name](made()[name], width=width, language=language, **glosses)
    assert figure.get_figwidth() * 25.4 == pytest.approx(WIDTHS[width])
    tidy(figure)


@pytest.mark.parametrize("name", DRAW)
def test_an_empty_table_is_refused(name: str) -> None:
    """Nothing to draw is an error that says so."""
    table = made()[name].head(0)
    table.attrs = made()[name].attrs
    with pytest.raises(FigureError, match="Nothing to draw"):
        DRAW[name](table)


@pytest.mark.parametrize("name", ["ranking", "sensitivity"])
@pytest.mark.parametrize("width", WIDTHS)
def test_all_marks_in_the_key(name: str, width: str) -> None:
    """A key with every mark that may occur has room at each width."""
    verdicts = ["higher", "fragile", "no evidence", *(["too rare"] if name == "sensitivity" else [])]
    table = made()[name].copy()
    table["verdict"] = np.resize(np.array(verdicts, dtype=object), len(table))
    figure = DRAW[name](table, width=width)
    tidy(figure)
    keys = {"higher": "moved", "fragile": "fragile", "no evidence": "none", "too rare": "untested"}
    assert {say(f"shift.key_{keys[verdict]}", "both") for verdict in verdicts} <= set(words(figure))


def test_ranking_shows_the_testable_words_that_stand_out() -> None:
    """Each panel has the largest of its direction, in order, with both counts; untestable words are absent."""
    table = made()["ranking"].copy()
    table.loc[table.index[0], "verdict"] = "too concentrated"
    seen = words(draw_ranking(table, each=5))
    kept = table.iloc[1:].sort_values("keyness", key=abs, ascending=False, kind="stable")
    for side in (kept[kept["log2_matched"] < 0], kept[kept["log2_matched"] > 0]):
        for row in side.head(5).itertuples():
            assert row.term in seen and f"{row.count_before}→{row.count_after}" in seen
    assert table["term"].iloc[0] not in seen


def test_ranking_marks_follow_the_verdict() -> None:
    """Hollow is no evidence, filled is higher or lower, and the statement counts the words that survive."""
    table = made()["ranking"].assign(verdict="no evidence")
    up = table.index[table["log2_matched"] > 0][0]
    figure = draw_ranking(table, language="en")
    assert {to_hex(line.get_markerfacecolor()) for line in marks(figure, 2) if line.get_marker() == "o"} == {"#ffffff"}
    assert say("ranking.none", "en", tested=len(table)) in words(figure)
    table.loc[up, "verdict"] = "higher"
    figure = draw_ranking(table, language="en")
    filled = [line for line in marks(figure, 2) if to_hex(line.get_markerfacecolor()) == COLOURS["ink"]]
    assert [float(line.get_xdata()[0]) for line in filled if line.get_marker() == "o"] == [min(table.loc[up, "log2_matched"], 5)]
    assert say("ranking.some", "en", tested=len(table), survive=1) in words(figure)


def test_ranking_marks_heading_words() -> None:
    """A triangle stands beside each drawn word with more than half of its occurrences in headings, and one in the key."""
    table = made()["ranking"].assign(heading_share=0.5)
    heads = table.index[:2]
    triangles = [len([a for a in draw_ranking(t, each=40).findobj(Line2D) if a.get_marker() == "^"]) for t in (
        table, table.assign(heading_share=table["heading_share"].where(~table.index.isin(heads), 0.6)))]  # fmt: skip
    assert triangles == [1, 3]


def test_word_shift_bars_are_the_contributions() -> None:
    """A bar goes to the left if the word is more frequent before, its length the share of the total in per cent."""
    table = made()["word_shift"]
    figure = draw_word_shift(table, most=10)
    widths = [patch.get_width() for patch in figure.axes[0].patches]
    sign = table["direction"].map({"more before": -1, "more after": 1}).head(10)
    assert widths == pytest.approx((100 * sign * table["share"].head(10)).tolist())
    colours = [to_hex(patch.get_facecolor()) for patch in figure.axes[0].patches]
    assert colours == [COLOURS["before" if one < 0 else "after"].lower() for one in sign]


def test_word_shift_total_stands_beside_its_band() -> None:
    """The second panel has the divergence as a diamond and the band from end to end."""
    table = made()["word_shift"]
    ax = draw_word_shift(table).axes[1]
    [diamond] = [line for line in ax.lines if line.get_marker() == "D"]
    assert float(diamond.get_xdata()[0]) == table.attrs["total"]
    [band] = ax.patches
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx(
        (table.attrs["null"]["low"], table.attrs["null"]["high"])
    )


def test_word_shift_without_its_band_is_refused() -> None:
    """A table that has lost its attributes cannot be drawn."""
    table = made()["word_shift"].copy()
    table.attrs = {}
    with pytest.raises(FigureError, match="lost its null band"):
        draw_word_shift(table)


def test_placebo_dots_are_the_other_governments() -> None:
    """Each panel has, for each term, the changes of its set as dots, and the study's own as one mark."""
    table = made()["placebo"]
    figure = draw_placebo(table)
    for panel, against in enumerate(dict.fromkeys(table["against"])):
        for place, term in enumerate(dict.fromkeys(table["term"])):
            mine = table[(table["against"] == against) & (table["term"] == term)]
            rows = [
                line for line in marks(figure, panel) if len(line.get_ydata()) and abs(float(line.get_ydata()[0]) - place) < 0.4
            ]
            dots = sorted(float(x) for line in rows if line.get_marker() == "o" for x in line.get_xdata())
            assert dots == pytest.approx(
                sorted(mine.loc[~mine["own"] & (mine["count_before"] + mine["count_after"] > 0), "log2_ratio"].clip(-5, 5))
            )
            own = [float(line.get_xdata()[0]) for line in rows if line.get_marker() in ("D", "x")]
            assert own == pytest.approx(mine.loc[mine["own"], "log2_ratio"].clip(-5, 5).tolist())


@pytest.mark.parametrize(
    ("verdict", "rank", "marker", "face"),
    [
        ("larger than in the provinces", 31, "D", COLOURS["after"].lower()),
        ("within the range of the provinces", 20, "D", "#ffffff"),
        ("not informative", pd.NA, "x", None),
    ],
)
def test_placebo_mark_follows_the_verdict(verdict: str, rank: object, marker: str, face: str | None) -> None:
    """Filled is larger, hollow within, a cross not ranked; users and rank stand beside it."""
    table = made()["placebo"].copy()
    own = table["own"]
    table.loc[own, "verdict"], table.loc[own, "rank"], table.loc[own, "users"] = verdict, rank, 17
    figure = draw_placebo(table)
    found = [line for line in marks(figure) if line.get_marker() in ("D", "x")]
    assert {line.get_marker() for line in found} == {marker}
    assert face is None or {to_hex(line.get_markerfacecolor()) for line in found} == {face}
    assert "17" in words(figure) and (f"{rank}/{table.loc[own, 'of'].iloc[0]}" in words(figure)) == (face is not None)


def test_placebo_without_reference() -> None:
    """Years without a reference give the study's own marks alone, and dashes beside them."""
    table = made()["placebo"]
    figure = draw_placebo(table[table["own"]].assign(rank=pd.NA, users=pd.NA, verdict="no reference for this comparison"))
    tidy(figure)
    assert {line.get_marker() for line in marks(figure)} == {"x"} and "–" in words(figure)


def test_sensitivity_draws_every_way_of_counting() -> None:
    """Every row with an occurrence is a mark at its ratio; one large mark per term is the base."""
    table = made()["sensitivity"]
    found = [line for line in marks(draw_sensitivity(table)) if line.get_marker() in ("o", "x")]
    drawn = sorted(float(line.get_xdata()[0]) for line in found)
    assert drawn == pytest.approx(sorted(table["log2_matched"].clip(-5, 5)))
    assert sum(line.get_markersize() > 4 for line in found) == table["term"].nunique()


def test_sensitivity_counts_the_verdicts_kept() -> None:
    """Beside each lane stands how many other ways keep the verdict of the base, of those in which the term occurs."""
    table = made()["sensitivity"]
    kept = table[~table["base"] & (table["count_before"] + table["count_after"] > 0)]
    kept = kept.assign(kept=~table["differs"].str.contains("verdict")).groupby(["term", "scope"], sort=False)["kept"]
    expected = sorted(f"{int(mine.sum())}/{len(mine)}" for _, mine in kept)
    assert sorted(text for text in words(draw_sensitivity(table)) if text.replace("/", "").isdigit()) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_positions_are_ticks_in_the_lane_of_their_side(language: str) -> None:
    """Each term has in either lane one tick for each occurrence, where the table says, and the number beside it."""
    table = made()["positions"]
    figure = draw_positions(table, language=language)
    lanes = [mark for mark in figure.axes[0].collections if str(mark.get_gid() or "").startswith("row.")]
    expected = [rows for _, rows in table[table["at"].notna()].groupby(["term", "side"], sort=False, observed=True)]
    assert len(lanes) == len(expected) == 3
    for lane in lanes:
        rows = table.iloc[[int(row) for row in lane.get_gid().split(".")[2:]]]
        assert [segment[0][0] for segment in lane.get_segments()] == pytest.approx(rows["at"].tolist())
        assert to_hex(lane.get_color()[0]).upper() == COLOURS[rows["side"].iloc[0]] and rows["side"].nunique() == 1
        assert rows["term"].nunique() == 1 and str(len(rows)) in words(figure)
        tops = {"before": 0.0, "after": 0.4}
        place = list(dict.fromkeys(table["term"])).index(rows["term"].iloc[0])
        assert place + tops[rows["side"].iloc[0]] < lane.get_segments()[0][0][1] < place + tops[rows["side"].iloc[0]] + 0.1
    bands = [patch for patch in figure.axes[0].patches if patch.get_y() < 0.1]
    chapters = table[(table["side"] == "before") & (table["term"] == "改革")].drop_duplicates("chapter")
    assert [round(band.get_x() + band.get_width(), 6) for band in bands] == [round(end, 6) for end in chapters["chapter_to"]]


def test_many_reports_of_a_side_share_a_lane_without_chapters() -> None:
    """Where a side holds several reports there is one band, and all their ticks lie on it."""
    tokens = tokens_of({(place, year): [["花草" * 3], ["草花"]] for place in ("甲县", "乙县") for year in (2019, 2020)})
    table = positions(tokens, 2019, 2020, terms=["花"])
    figure = draw_positions(table)
    assert [(band.get_x(), band.get_width()) for band in figure.axes[0].patches] == [(0, 100), (0, 100)]
    assert sum(len(lane.get_segments()) for lane in figure.axes[0].collections) == 16


def test_units_of_a_lane_lie_apart_with_the_base_in_the_middle() -> None:
    """Sentences are above and chapters beneath the large mark, none nearer than a mark is high."""
    figure = draw_sensitivity(made()["sensitivity"])
    heights = sorted({round(float(mark.get_ydata()[0]), 3) for mark in marks(figure) if mark.get_ydata()[0] < 4.4})
    base = next(float(mark.get_ydata()[0]) for mark in marks(figure) if mark.get_markersize() > 4)
    assert len(heights) == 3 and heights[1] == pytest.approx(base) and min(np.diff(heights)) > 2.3 / 72 * 25.4
