"""The figures, asked through their artists: what stands where, in which colour and mark, and that nothing collides."""

import io
import itertools
import re
import warnings
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from test_counts import tokens_of

from shinan_research import (
    FigureError,
    ShinanError,
    compare,
    count,
    draw_shift,
    occurrences,
    open_study,
    outline,
    restore,
    tokenize,
)
from shinan_research.figures import style
from shinan_research.figures.shift import draw_ratio
from shinan_research.figures.style import COLOURS, MARKERS, WIDTHS, add_axes, add_text, check_glyphs, house_style, new_figure
from shinan_research.messages import say
from shinan_research.shifts import VERDICTS as EVERY_VERDICT

ROOT = Path(__file__).parents[1]
BEFORE, AFTER = ("甲县", 2001), ("甲县", 2002)
LANGUAGES = ("zh", "en", "both")
SIX = tuple(f"词{letter}" for letter in "甲乙丙丁戊己")
VERDICTS = [verdict for verdict in EVERY_VERDICT if verdict != "description only"]  # never stands beside another
INK = to_hex(COLOURS["ink"])


@pytest.fixture(scope="module")
def real():
    """Return the study of this repository, its declared terms compared, and where they stand."""
    study = open_study(ROOT)
    tokens = tokenize(outline(restore(study.reports(), study.emendations), headings=study.headings), study.segmenter)
    return (
        study,
        tokens,
        compare(tokens, study.before, study.after, terms=study.terms, n_permutations=999),
        occurrences(tokens, study.terms),
    )


@pytest.fixture(scope="module")
def headline(real) -> Figure:
    """Return the headline figure of the study as it is published."""
    study, _, shift, found = real
    return draw_shift(shift, found, glosses=study.glosses)


@cache
def small(*terms: str, before: tuple[str, int] = BEFORE, after: tuple[str, int] = AFTER) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return comparison and occurrences of two short reports with an annex, for 花 and 树 where nothing else is asked."""
    terms = terms or ("花", "树")
    chapters = {
        BEFORE: [["花花" + "草" * 40] * 4, ["树" + "草" * 19] * 3, ["花" + "草" * 29]],
        AFTER: [["草" * 50] * 3, ["花树树" + "草" * 57] * 4, ["树" * 5 + "草" * 35]],
    }
    tokens = tokens_of(chapters, annex=1)
    return compare(tokens, before, after, terms=terms, n_permutations=99), occurrences(tokens, terms)


def invented() -> pd.DataFrame:
    """Return one row for each verdict, whose intervals all say the contrary of the verdict."""
    table = small(*SIX)[0].assign(verdict=VERDICTS, count_before=3, count_after=1)
    says = {"higher": (-1.0, 1.0), "lower": (-1.0, 1.0), "fragile": (-1.0, 1.0)}
    for place, verdict in enumerate(VERDICTS):
        table.loc[place, ["low", "high"]] = says.get(verdict, (1.0, 3.0))
        table.loc[place, ["low_inner", "high_inner"]] = [end / 2 + 0.5 for end in says.get(verdict, (1.0, 3.0))]
    return table.assign(log2_matched=[1.1, -1.2, 1.3, -1.4, 1.5, -1.6])


def shown(figure: Figure) -> list[Text]:
    """Return the texts that a reader sees."""
    figure.canvas.draw()
    texts = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    ticks = {
        id(label)
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for label in [*axis.get_ticklabels(), *axis.get_minorticklabels()]
    }
    inside = {
        id(tick.label1)
        for ax in figure.axes
        for axis, (low, high) in ((ax.xaxis, sorted(ax.get_xlim())), (ax.yaxis, sorted(ax.get_ylim())))
        for tick in axis.get_major_ticks()
        if low <= tick.get_loc() <= high
    }
    return [text for text in texts if id(text) not in ticks or id(text) in inside]


def words(figure: Figure) -> list[str]:
    """Return what the visible texts of a figure say."""
    return [text.get_text() for text in shown(figure)]


def png(figure: Figure) -> bytes:
    """Return the figure's picture at screen size."""
    target = io.BytesIO()
    with house_style():
        figure.savefig(target, format="png", dpi=100, metadata={"Software": None})
    return target.getvalue()


def panels(figure: Figure) -> tuple[Axes, Axes, Axes]:
    """Return the panels of the rates, of the ratio and of the places."""
    rates, ratio, places = figure.axes
    return rates, ratio, places


def place_of(ax: Axes, shift: pd.DataFrame) -> dict[str, float]:
    """Return the height of each term's marks in the panel of rates: those that its label stands beside."""
    rows = sorted({float(line.get_ydata()[0]) for line in ax.lines if line.get_marker() == MARKERS["before"]})
    assert ax.figure is not None
    to_data, (low, high) = ax.figure.transFigure - ax.transData, sorted(ax.get_ylim())
    places = {text.get_text().replace("＋", " (wide)"): text.get_position() for text in reversed(ax.figure.texts)}
    labels = {term: to_data.transform(places[term])[1] for term in shift["term"]}
    assert all(low <= at <= high for at in labels.values())
    return {term: min(rows, key=lambda row: abs(row - at)) for term, at in labels.items()}


# What is drawn


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_leaves_the_canvas_and_nothing_collides(real, width: str, language: str) -> None:
    """At each width and in each language every text lies inside the figure, and no two texts overlap."""
    study, _, shift, found = real
    figure = draw_shift(shift, found, glosses=study.glosses, width=width, language=language)
    assert figure.get_figwidth() * 25.4 == pytest.approx(WIDTHS[width])
    tidy(figure)


def tidy(figure: Figure) -> None:
    """Assert that every text lies on the canvas and clear of every other text."""
    across, down = figure.get_size_inches() * figure.dpi
    boxes = [(text.get_text(), text.get_window_extent()) for text in shown(figure)]
    assert len(boxes) > 10
    for name, box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= across and box.y1 <= down, f"{name!r} leaves the canvas"
    for (one, left), (two, right) in itertools.combinations(boxes, 2):
        wide = min(left.x1, right.x1) - max(left.x0, right.x0)
        high = min(left.y1, right.y1) - max(left.y0, right.y0)
        assert wide <= 1.5 or high <= 1.5, f"{one!r} and {two!r} overlap by {wide:.1f} × {high:.1f} pixels"


@pytest.mark.parametrize("width", WIDTHS)
def test_all_marks_in_the_key(width: str) -> None:
    """A key with all four marks has room at each width."""
    figure = draw_shift(invented(), small(*SIX)[1], width=width)
    tidy(figure)
    assert {"moved", "fragile", "none", "untested"} == {
        mark for mark in ("moved", "fragile", "none", "untested") if say(f"shift.key_{mark}", "both") in words(figure)
    }


@pytest.mark.parametrize("width", WIDTHS)
def test_long_names(width: str) -> None:
    """Terms, glosses and group names of uncommon length stay on the canvas and clear of one another."""
    term = "新旧动能转换重大工程"
    shift, found = small(term, "花")
    glosses = {term: "major project to replace old drivers of growth by new", "花": "flower"}
    tidy(draw_shift(shift, found, glosses=glosses, width=width, language="both"))


def test_one_term_alone() -> None:
    """A single row is drawn without collisions."""
    shift, found = small("花")
    for width in WIDTHS:
        tidy(draw_shift(shift, found, width=width))


def test_terms_glosses_and_counts(real, headline) -> None:
    """Every term stands once with its gloss and both counts; a wide reading is marked by ＋."""
    study, _, shift, _ = real
    seen = words(headline)
    for row in shift.itertuples():
        assert seen.count(row.term.replace(" (wide)", "＋")) == 1
        assert seen.count(study.glosses[row.term]) == 1
    arrows = [text for text in seen if "→" in text]
    assert arrows == [f"{row.count_before}→{row.count_after}" for row in shift.itertuples()]


def test_language() -> None:
    """Chinese alone has no gloss and no Latin word; English alone has Chinese for the terms only."""
    shift, found = small()
    chinese, english = (words(draw_shift(shift, found, glosses={"花": "flower"}, language=one)) for one in ("zh", "en"))
    assert not [text for text in chinese if re.search("[a-z]{2}", text)]
    assert [
        text
        for text in english
        if re.search("[\u4e00-\u9fff]", text) and not re.fullmatch("[花树]|甲县.*", text) and "甲县 200" not in text
    ] == []
    assert "flower" in english


def test_rates_are_where_the_table_says(real, headline) -> None:
    """In the first panel each row has a blue circle at the rate before and a vermilion diamond at the rate after."""
    _, _, shift, _ = real
    rates, _, _ = panels(headline)
    heights = place_of(rates, shift)
    for role in ("before", "after"):
        marks = [line for line in rates.lines if line.get_marker() == MARKERS[role]]
        assert {to_hex(line.get_color()) for line in marks} == {COLOURS[role].lower()}
        drawn = {(round(float(line.get_xdata()[0]), 9), float(line.get_ydata()[0])) for line in marks}
        assert drawn == {(round(row[f"rate_{role}"], 9), heights[row["term"]]) for row in shift.to_dict("records")}
    assert rates.get_xlim()[0] == 0
    assert rates.get_xlim()[1] > shift[["rate_before", "rate_after"]].to_numpy().max()


def ratio_marks(ax: Axes) -> dict[float, tuple[float, str, str, str]]:
    """Return x, marker, face and second face of the mark in each row of the ratio panel, by height."""
    marks = [line for line in ax.lines if line.get_marker() in ("o", "x")]
    return {
        float(line.get_ydata()[0]): (
            float(line.get_xdata()[0]), line.get_marker(), str(line.get_markerfacecolor()), str(line.get_fillstyle()),
        )
        for line in marks
    }  # fmt: skip


def test_the_mark_follows_the_verdict_not_the_interval() -> None:
    """Filled is higher or lower, half-filled fragile, hollow no evidence, a cross untested, though intervals say otherwise."""
    shift = invented()
    marks = ratio_marks(panels(draw_shift(shift, small(*SIX)[1]))[1])
    faces = {"higher": "o full", "lower": "o full", "fragile": "o left", "no evidence": "o full"}
    assert len(marks) == len(shift)
    for (_, (x, marker, face, filling)), row in zip(sorted(marks.items()), shift.itertuples(), strict=True):
        assert x == row.log2_matched
        if row.verdict.startswith("too"):
            assert (marker, face) == ("x", "none")
        else:
            assert f"{marker} {filling}" == faces[row.verdict]
            assert to_hex(face) == ("#ffffff" if row.verdict == "no evidence" else INK)


def test_key_explains_the_marks_that_occur(real) -> None:
    """The key names the marks of the verdicts in the table, each once, and no other."""
    _, _, shift, found = real
    seen = words(draw_shift(shift, found, language="en"))
    expected = {"higher": "moved", "lower": "moved", "fragile": "fragile", "no evidence": "none"}
    used = {expected.get(verdict, "untested") for verdict in shift["verdict"]}
    for mark in ("moved", "fragile", "none", "untested"):
        assert seen.count(say(f"shift.key_{mark}", "en")) == (mark in used)


def test_intervals_and_arrows(real, headline) -> None:
    """Both intervals of each row are drawn to their ends; an end beyond the frame has an arrow on that side."""
    _, _, shift, _ = real
    rates, ratio, _ = panels(headline)
    heights = place_of(rates, shift)
    low_frame, high_frame = (float(np.sign(end)) * (abs(end) - 0.15) for end in ratio.get_xlim())
    bars = [
        line
        for line in ratio.lines
        if len(line.get_xdata()) == 2 and line.get_linestyle() == "-" and line.get_xdata()[0] != line.get_xdata()[1]
    ]
    for row in shift.itertuples():
        mine = sorted(
            (line for line in bars if float(line.get_ydata()[0]) == heights[row.term]), key=lambda line: line.get_linewidth()
        )
        ends = [
            (max(low, low_frame), min(high, high_frame)) for low, high in ((row.low, row.high), (row.low_inner, row.high_inner))
        ]
        assert [list(line.get_xdata()) for line in mine] == [pytest.approx(end) for end in ends]
        arrows = {
            line.get_marker()
            for line in ratio.lines
            if line.get_marker() in "<>" and float(line.get_ydata()[0]) == heights[row.term]
        }
        assert arrows == {mark for mark, out in (("<", row.low < low_frame), (">", row.high > high_frame)) if out}
    assert (shift["low"] < low_frame).any() and (shift["high"] > high_frame).any()


def test_a_ratio_beyond_the_frame_stays_on_it() -> None:
    """A ratio outside the frame is marked at its edge, beside the arrow, and never outside the panel."""
    shift = small("花")[0].assign(log2_matched=11.0, low=5.0, high=17.0, low_inner=9.0, high_inner=13.0)
    with house_style():
        ax = draw_ratio(shift, ax=add_axes(new_figure("single", 40), 20, 10, 50, 20))
    [(x, *_)] = ratio_marks(ax).values()
    assert 4 < x <= ax.get_xlim()[1]
    assert all(
        ax.get_xlim()[0] <= x <= ax.get_xlim()[1]
        for line in ax.lines
        for x in line.get_xdata()
        if line.get_linestyle() == "-" and len(line.get_xdata()) == 2
    )


def test_ratio_axis(headline) -> None:
    """The axis is in ratios: ÷8, ÷2, =, ×2, ×8 at their logarithms, with a line at no change, after over before."""
    ratio = panels(headline)[1]
    labels = dict(zip(ratio.get_xticks(), [label.get_text() for label in ratio.get_xticklabels()], strict=True))
    assert labels == {-3: "÷8", -1: "÷2", 0: "=", 1: "×2", 3: "×8"}
    assert any(list(line.get_xdata()) == [0, 0] for line in ratio.lines)
    assert ratio.get_xlabel() == "2020 / 2019"


def test_families_are_set_apart(real, headline) -> None:
    """Terms seen in the text stand half a row beneath the declared ones, with a rule between."""
    _, _, shift, _ = real
    rates = panels(headline)[0]
    heights = place_of(rates, shift)
    gaps = [heights[two] - heights[one] for one, two in itertools.pairwise(shift["term"])]
    assert sorted(set(gaps)) == [1.0, 1.5]
    families = shift["family"].replace("wide reading", "declared")
    rules = [line for line in rates.lines if line.get_linestyle() == "--"]
    assert len(rules) == (families != families.shift()).sum() - 1 == 1


# Where the occurrences stand


def drawn_cells(ax: Axes) -> list[tuple[float, float, float, str]]:
    """Return x, row, width and colour of every cell, in the order drawn."""
    return [
        (patch.get_x(), patch.get_y(), patch.get_width(), to_hex(patch.get_facecolor()))
        for patch in ax.patches
        if isinstance(patch, Rectangle) and not patch.get_hatch()
    ]


def numbers_in(ax: Axes) -> dict[tuple[float, float], int]:
    """Return the numbers written in cells, by the cell's corner."""
    found = {}
    for text in ax.texts:
        x, y = text.get_position()
        for left, top, width, _ in drawn_cells(ax):
            if left < x < left + width and top < y < top + 0.38:
                found[left, top] = int(text.get_text())
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_cells_hold_every_chapter_and_sum_to_the_counts(real, width: str) -> None:
    """Each chapter has its cell, as wide as its text; the numbers in the cells sum to the counts, body and annex apart."""
    study, _, shift, found = real
    places = panels(draw_shift(shift, found, width=width))[2]
    cells, patches, written = count(found), drawn_cells(places), numbers_in(places)
    assert len(patches) == len(cells)
    rows = sorted({top for _, top, _, _ in patches})
    wanted = [(term, year) for term in shift["term"] for year in (study.before, study.after)]
    assert len(rows) == len(wanted)
    for top, (term, year) in zip(rows, wanted, strict=True):
        mine = cells[(cells["term"] == term) & (cells["year"] == year)]
        drawn = sorted(patch for patch in patches if patch[1] == top)
        assert [patch[2] for patch in drawn] == mine["han"].tolist()
        for (left, _, _, colour), row in zip(drawn, mine.itertuples(), strict=True):
            assert (colour == "#ffffff") == (row.count == 0)
            assert written.get((left, top), row.count) == row.count
        body = mine[mine["part"] != "annex"]["count"].sum()
        side = "count_before" if year == study.before else "count_after"
        assert body == shift.set_index("term").loc[term, side]
        inside = sum(number for (_, at), number in written.items() if at == top)
        unwritten = sum(row.count for (left, *_), row in zip(drawn, mine.itertuples(), strict=True) if (left, top) not in written)
        assert inside + unwritten == mine["count"].sum()
    if width == "double":
        assert sum(written.values()) >= 0.95 * cells["count"].sum()


def test_cells_do_not_overlap_and_parts_are_aligned(real, headline) -> None:
    """Cells of one row follow one another; review, plan and annex begin at the same place before and after."""
    study, _, shift, found = real
    places = panels(headline)[2]
    patches, cells = drawn_cells(places), count(found)
    cells = cells[cells["term"] == shift["term"].iloc[0]]
    first, second = sorted({top for _, top, _, _ in patches})[:2]
    begins = []
    for top, year in ((first, study.before), (second, study.after)):
        row = sorted(patch for patch in patches if patch[1] == top)
        assert all(one[0] + one[2] <= two[0] + 1e-6 for one, two in itertools.pairwise(row))
        parts = cells[cells["year"] == year]["part"].astype(str).tolist()
        begins.append({part: row[parts.index(part)][0] for part in ("review", "plan", "annex")})
    assert begins[0] == begins[1]


def test_more_occurrences_are_darker(real, headline) -> None:
    """Within one year a cell with more occurrences is never lighter than one with fewer."""
    study, _, shift, found = real
    cells, patches = count(found), drawn_cells(panels(headline)[2])
    rows = sorted({top for _, top, _, _ in patches})
    for side, year in ((0, study.before), (1, study.after)):
        pairs = []
        for top, term in zip(rows[side::2], shift["term"], strict=True):
            mine = cells[(cells["term"] == term) & (cells["year"] == year)]
            drawn = sorted(patch for patch in patches if patch[1] == top)
            pairs += [
                (row.count, sum(int(colour[i : i + 2], 16) for i in (1, 3, 5)))
                for (*_, colour), row in zip(drawn, mine.itertuples(), strict=True)
            ]
        ordered = sorted(set(pairs))
        assert all(one[1] >= two[1] for one, two in itertools.pairwise(ordered))


def sides(figure: Figure) -> tuple[list[float], list[float]]:
    """Return the cell widths of the upper and the lower row of the first term, from left to right."""
    patches = drawn_cells(panels(figure)[2])
    upper, lower = sorted({top for _, top, _, _ in patches})[:2]
    one, two = ([patch[2] for patch in sorted(patches) if patch[1] == top] for top in (upper, lower))
    return one, two


def test_the_group_before_stands_above_also_when_it_is_the_later_year() -> None:
    """The upper row is the group before, not the earlier year."""
    plain, swapped = (sides(draw_shift(*small("花", before=one, after=two))) for one, two in ((BEFORE, AFTER), (AFTER, BEFORE)))
    assert plain[0] == [168, 60, 30]
    assert swapped == (plain[1], plain[0])


def test_two_places_in_one_year_have_a_row_each() -> None:
    """Two places of one year are told apart by place, each in its own row and colour."""
    one, two = ("甲县", 2001), ("乙县", 2001)
    tokens = tokens_of({one: [["花" + "草" * 39]], two: [["花花" + "草" * 18], ["草" * 30]]})
    figure = draw_shift(compare(tokens, one, two, terms=["花"], n_permutations=0), occurrences(tokens, ["花"]))
    assert sides(figure) == ([40], [20, 30])
    assert len({colour for *_, colour in drawn_cells(panels(figure)[2])} - {"#ffffff"}) == 2


def test_only_the_reports_compared_are_drawn() -> None:
    """A third report among the occurrences has no cell: it would lie upon those of another."""
    tokens = tokens_of({BEFORE: [["花" + "草" * 39]], AFTER: [["花" + "草" * 19]], ("甲县", 2003): [["花" * 9]]})
    shift = compare(tokens, BEFORE, AFTER, terms=["花"], n_permutations=0)
    assert sides(draw_shift(shift, occurrences(tokens, ["花"]))) == ([40], [20])


def test_the_counts_name_their_scope(real) -> None:
    """The counts of a comparison of plans are not headed as those of the body."""
    study, tokens, _, found = real
    shift = compare(tokens, study.before, study.after, terms=study.terms, scope="plan", n_permutations=0)
    assert not [text for text in words(draw_shift(shift, found, language="en")) if "in body" in text]


def test_another_sense_is_hatched() -> None:
    """Of a cell, the share of occurrences in a sense that is not the term's commonest is hatched, and nothing else is."""
    tokens = tokens_of({BEFORE: [["花花花花" + "草" * 36], ["花" + "草" * 19]], AFTER: [["花花" + "草" * 18]]})
    found = occurrences(tokens, ["花"])
    found["sense"] = ["甲", "甲", "甲", "乙", "乙", "甲", "甲"]
    ax = panels(draw_shift(compare(tokens, BEFORE, AFTER, terms=["花"], n_permutations=0), found))[2]
    hatched = [(patch.get_x(), patch.get_width()) for patch in ax.patches if patch.get_hatch()]
    (first, *_), (second, *_) = (
        sorted(drawn_cells(ax))[0],
        sorted(cell for cell in drawn_cells(ax) if cell[2] == 20 and cell[0] > 0)[0],
    )
    assert hatched == [(first + 30, 10), (second, 20)]
    assert not [patch for patch in panels(draw_shift(*small()))[2].patches if patch.get_hatch()]


# What is refused, and what is left alone


def test_an_empty_table_is_refused() -> None:
    """Without a row there is no figure."""
    shift, found = small()
    with pytest.raises(FigureError, match=r"Nothing to draw: the table has no rows. Declare at least one term"):
        draw_shift(shift.iloc[:0], found)


def test_an_unknown_width_or_language_is_refused() -> None:
    """Widths and languages are those of the list."""
    shift, found = small()
    with pytest.raises(FigureError, match=r"width is 'full'; allowed: single, onehalf, double."):
        draw_shift(shift, found, width="full")
    with pytest.raises(FigureError, match=r"language is 'fr'; allowed: zh, en, both."):
        draw_shift(shift, found, language="fr")


def test_occurrences_of_other_terms_are_refused() -> None:
    """Occurrences that do not belong to the table's terms are an error in words, not a KeyError."""
    with pytest.raises(ShinanError):
        draw_shift(small("花")[0], small("树")[1])


@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_missing_glyph_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A character that no font at hand has is listed with its code point."""
    monkeypatch.setattr(style, "INSTALLED_FONTS", ("No Such Font",))
    shift, found = small("花", "\ue123")
    with pytest.raises(FigureError, match=re.escape("No font at hand has \ue123 (U+E123). Install one of")):
        draw_shift(shift, found)


def test_an_installed_font_helps_out_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """A character that an installed font has is drawn with it, and a warning says that bytes then depend on the computer."""
    monkeypatch.setattr(style, "INSTALLED_FONTS", ("No Such Font", "DejaVu Sans"))
    figure = new_figure("single", 30)
    with house_style():
        text = add_text(figure, 5, 5, "Ա花")
        with pytest.warns(
            UserWarning, match="Ա: drawn with the installed font DejaVu Sans; the figure's bytes depend on this computer"
        ):
            assert check_glyphs(figure) == ("DejaVu Sans",)
    assert text.get_fontfamily() == ["Shinan Sans SC", "DejaVu Sans"]


@pytest.mark.parametrize("words_shown", ["婼羌 浉河 鄠邑 瀍河", "〇％‰→÷×≤≥＋《》“”……——·", "℃ ① Ⅱ ㈠"])
def test_rare_place_names_have_glyphs(words_shown: str) -> None:
    """Characters of real place names outside GB2312, and the usual symbols, are in the package's own fonts."""
    figure = new_figure("single", 30)
    for weight in ("normal", "bold"):
        add_text(figure, 5, 5, words_shown, fontfamily=style.FAMILY, fontweight=weight)
    assert check_glyphs(figure) == ()


@pytest.mark.parametrize("term", ["$x^2$", "a$b$c", r"$\frac{", "50%", r"\alpha_1", "{0}", "#1"])
def test_signs_of_a_formula_are_drawn_as_they_are(term: str) -> None:
    """A term with dollars, backslashes or braces is text, not a formula."""
    shift, found = small(term, "花")
    figure = draw_shift(shift, found, width="single")
    assert len(png(figure)) > 5_000
    assert not [
        text for text in figure.findobj(Text) if text.get_text() == term and text.get_parse_math() and term.count("$") > 1
    ]


def test_the_user_s_settings_neither_change_nor_matter() -> None:
    """Drawing leaves matplotlib's settings as they were, and the picture does not depend on them."""
    shift, found = small()
    plain = png(draw_shift(shift, found))
    with mpl.rc_context(
        {"font.size": 30, "axes.grid": True, "lines.linewidth": 9, "axes.facecolor": "black", "font.family": "serif"}
    ):
        before = dict(mpl.rcParams)
        assert png(draw_shift(shift, found)) == plain
        assert dict(mpl.rcParams) == before


def test_drawing_leaves_the_tables_alone() -> None:
    """Neither table is changed by drawing it."""
    shift, found = small()
    copies = shift.copy(deep=True), found.copy(deep=True)
    draw_shift(shift, found)
    pd.testing.assert_frame_equal(shift, copies[0])
    pd.testing.assert_frame_equal(found, copies[1])


def test_drawing_opens_no_window_and_warns_of_nothing() -> None:
    """The figure is bound to no window manager, and drawing and saving it give no warning."""
    shift, found = small()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = draw_shift(shift, found)
        png(figure)
    assert figure.canvas.manager is None
    assert "matplotlib.pyplot" not in Path(style.__file__).read_text(encoding="utf-8")


def test_drawing_twice_gives_the_same_picture() -> None:
    """The same tables give the same picture to the byte."""
    shift, found = small()
    assert png(draw_shift(shift, found)) == png(draw_shift(shift, found))


def test_a_given_figure_is_drawn_into() -> None:
    """An empty figure that is handed in is the one returned."""
    figure = new_figure("double", 60)
    assert draw_shift(*small(), figure=figure) is figure
    assert len(figure.axes) == 3
