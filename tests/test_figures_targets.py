"""Announced and reported: every target drawn once, at its ratio, and nothing collides at any width or in any language."""

import itertools
import math
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from shinan_research.announced import (
    answer_targets,
    choose_pair,
    counts,
    describe_targets,
    place_targets,
    short_titles,
    themes,
)
from shinan_research.errors import FigureError
from shinan_research.figures.style import WIDTHS
from shinan_research.figures.targets import MARGIN_MARKS, VERDICT_COLOURS, draw_targets
from shinan_research.links import NOT_FOUND, VERDICTS, read_links
from shinan_research.messages import say
from shinan_research.outline import outline
from shinan_research.quantities import quantities
from shinan_research.reports import Report
from shinan_research.restore import restore
from shinan_research.study import open_study
from shinan_research.targets import CLAIM_COLUMNS, growth_claims, link_chain, unchanged

LANGUAGES = ("zh", "en", "both")
NO_CLAIMS = pd.DataFrame(columns=list(CLAIM_COLUMNS))
PLACE = {"zh": "甲县", "en": "County A"}
PLAN = "一、过去一年工作回顾\n开局良好。\n二、今年工作安排\n"


@pytest.fixture(scope="module")
def real():
    """Return targets, claims, links and sentences of the study of this repository."""
    study = open_study(Path(__file__).parents[1])
    reports = restore(study.reports(), study.emendations)
    sentences = outline(reports, headings=study.headings)
    pair, links = choose_pair(quantities(sentences), study.before), study.links(reports)
    return (
        place_targets(link_chain(pair, decided=links), sentences),
        growth_claims(pair),
        links,
        sentences,
        unchanged(pair, part="both"),
    )


def sentences_of(plan: str, review: str) -> pd.DataFrame:
    """Return the outline of a report with this plan and of the next with this review."""
    texts = {2001: PLAN + plan, 2002: f"一、过去一年工作回顾\n{review}\n二、今年工作安排\n新增路灯3盏。"}
    return outline([Report(f"甲县-{year}", "甲县", year, text, text) for year, text in texts.items()], witness=True)


def invented(plan: str, review: str) -> pd.DataFrame:
    """Return the placed targets of two invented reports."""
    sentences = sentences_of(plan, review)
    return place_targets(link_chain(quantities(sentences)), sentences)


def shown(figure: Figure) -> list[Text]:
    """Return the texts that a reader sees."""
    figure.canvas.draw()
    labels = {id(label) for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for label in axis.get_ticklabels()}
    hidden = {
        id(label)
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for label in [*axis.get_ticklabels(), axis.get_label()]
        if not ax.axison
    }
    texts = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible() and id(text) not in hidden]
    inside = {
        id(tick.label1)
        for ax in figure.axes
        for tick in ax.xaxis.get_major_ticks()
        if min(ax.get_xlim()) <= tick.get_loc() <= max(ax.get_xlim())
    }
    return [text for text in texts if id(text) not in labels or id(text) in inside]


def tidy(figure: Figure) -> None:
    """Assert that every text lies on the canvas and clear of every other text."""
    across, down = figure.get_size_inches() * figure.dpi
    boxes = [(text.get_text(), text.get_window_extent()) for text in shown(figure)]
    for name, box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= across and box.y1 <= down, f"{name!r} leaves the canvas"
    for (one, left), (two, right) in itertools.combinations(boxes, 2):
        wide = min(left.x1, right.x1) - max(left.x0, right.x0)
        high = min(left.y1, right.y1) - max(left.y0, right.y0)
        assert wide <= 1.5 or high <= 1.5, f"{one!r} and {two!r} overlap by {wide:.1f} × {high:.1f} pixels"


def ratios(figure: Figure) -> list[float]:
    """Return the log2 ratios of the marks in the first panel, from top to bottom."""
    marks = [line for line in figure.axes[0].lines if line.get_marker() in ("o", "s")]
    return [float(line.get_xdata()[0]) for line in sorted(marks, key=lambda line: float(line.get_ydata()[0]))]


def margin(figure: Figure, height: float) -> list[str]:
    """Return the markers drawn on the figure itself above a height, which are those beside the themes."""
    lines = [line for line in figure.artists if isinstance(line, Line2D) and line.get_color() == "#555555"]
    return [str(line.get_marker()) for line in lines if line.get_ydata()[0] > height]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_leaves_the_canvas_and_nothing_collides(real, width: str, language: str) -> None:
    """At each width and in each language every text lies inside the figure, and no two overlap."""
    figure = draw_targets(real[0], real[1], real[4], width=width, language=language)
    assert figure.get_figwidth() * 25.4 == pytest.approx(WIDTHS[width])
    assert say("targets.caution", language) in [text.get_text() for text in shown(figure)]
    assert figure.get_figheight() * 25.4 <= 247
    tidy(figure)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["en", "both"])
def test_glosses(real, width: str, language: str) -> None:
    """With a long gloss for every indicator and theme nothing collides; both languages show them at double width only."""
    names = [*real[0]["indicator"], *real[0]["theme"], *real[1]["indicator"]]
    glosses = {name: f"gloss {place} of an indicator with words" for place, name in enumerate(names)}
    figure = draw_targets(real[0], real[1], real[4], glosses=glosses, width=width, language=language)
    tidy(figure)
    seen = sum("gloss" in text.get_text() for text in shown(figure))
    assert seen >= 30 if language == "en" or width == "double" else not seen


def test_each_target_is_drawn_once(real) -> None:
    """Targets with a ratio have one mark each at log2 of outcome to target; the others one mark beside their theme."""
    targets = real[0]
    figure = draw_targets(targets, real[1])
    drawn = [math.log2(row["ratio"]) for _, rows in themes(targets) for row in rows.to_dict("records") if row["ratio"] > 0]
    assert ratios(figure) == pytest.approx(drawn)
    assert len(drawn) == targets["ratio"].notna().sum()
    beside = margin(figure, figure.axes[0].get_position().y0)
    found = counts(targets[targets["ratio"].isna()])
    for verdict, n in found.items():
        assert beside.count(str(MARGIN_MARKS[verdict]["marker"])) >= n
    within = [mark for mark in beside if mark in {str(style["marker"]) for style in MARGIN_MARKS.values()}]
    assert len(within) == sum(found.values()) == len(targets) - len(drawn)


def test_ratios_follow_the_numbers(real) -> None:
    """A ratio is outcome by target as the table gives them; targets with one merged outcome are summed first."""
    targets = real[0]
    alone = targets[targets["ratio"].notna() & (targets["basis"] != "merged")]
    assert alone["ratio"].tolist() == pytest.approx((alone["outcome_value"] / alone["target_value"]).tolist())
    for _, rows in targets[targets["basis"] == "merged"].groupby("outcome_start"):
        assert rows["ratio"].tolist() == pytest.approx([rows["outcome_value"].iloc[0] / rows["target_value"].sum()] * len(rows))
    assert targets.loc[targets["verdict"].isin([NOT_FOUND, "not comparable", "blanket claim"]), "ratio"].isna().all()


def test_colour_and_shape(real) -> None:
    """The colour says the verdict; a circle stands for the same basis, a square for any other."""
    targets = real[0]
    figure = draw_targets(targets, real[1])
    marks = [line for line in figure.axes[0].lines if line.get_marker() in ("o", "s")]
    seen = sorted((to_hex(line.get_color()), str(line.get_marker())) for line in marks)
    drawn = targets[targets["ratio"].notna()]
    expected = [
        (VERDICT_COLOURS[verdict].lower(), "o" if basis == "same" else "s")
        for verdict, basis in zip(drawn["verdict"], drawn["basis"], strict=True)
    ]
    assert seen == sorted(expected)


@pytest.mark.parametrize("width", WIDTHS)
def test_squares_and_counts_sum(real, width: str) -> None:
    """The second panel has one square per target; both columns of counts sum to the totals printed above them."""
    targets = real[0]
    panel = draw_targets(targets, real[1], width=width, language="en").axes[1]
    assert len([patch for patch in panel.patches if isinstance(patch, Rectangle)]) == len(targets)
    words = [text.get_text() for text in panel.texts]
    assert sum(int(word) for word in words if word.isdecimal()) == len(targets) + int((targets["basis"] == "same").sum())
    for total in (len(targets), int((targets["basis"] == "same").sum())):
        assert any(word.endswith(f"n = {total}") for word in words)


def test_what_stands_unchanged_is_listed(real) -> None:
    """At double width every unchanged figure stands with its number; beyond fourteen of one part the rest is counted."""
    carried = real[4]
    words = [text.get_text() for text in shown(draw_targets(real[0], real[1], carried, language="zh"))]
    assert set(carried["text"]) <= set(words) and say("targets.carried_review", "zh") in words
    many = pd.concat([carried[carried["part"] == "plan"]] * 3, ignore_index=True)
    figure = draw_targets(real[0], real[1], many, language="en")
    assert say("targets.carried_more", "en", n=len(many) - 14) in [text.get_text() for text in shown(figure)]
    assert all("in both reviews" not in text.get_text() for text in shown(figure))
    tidy(figure)


def test_claims_are_where_the_table_says(real) -> None:
    """Each claim has a dot at the growth claimed, filled only where it is reconcilable, and a bar between the implied ends."""
    claims = real[1]
    panel = draw_targets(real[0], claims).axes[2]
    dots = [line for line in panel.lines if line.get_marker() == "o"]
    assert [float(dot.get_xdata()[0]) for dot in dots] == claims["claimed"].tolist()
    filled = [to_hex(dot.get_markerfacecolor()) != "#ffffff" for dot in dots]
    assert filled == (claims["verdict"] == "reconcilable").tolist()
    bars = [list(map(float, line.get_xdata())) for line in panel.lines if line.get_linewidth() == 4.5]
    assert bars == claims[["implied_low", "implied_high"]].to_numpy().tolist()


def test_targets_to_be_kept_low_and_falling() -> None:
    """A target with an upper limit has an arrow at the left edge; one that is to fall has an arrow before both numbers."""
    targets = invented("失业率控制在4%以内，能耗下降3%。", "失业率3.2%，能耗下降2.4%。")
    assert targets["side"].tolist() == ["at most", "at least"]
    figure = draw_targets(targets, NO_CLAIMS)
    left = figure.axes[0].get_xlim()[0]
    assert [float(line.get_xdata()[0]) for line in figure.axes[0].lines if line.get_marker() == "<"] == [left]
    words = [text.get_text() for text in shown(figure)]
    assert "≤4% → 3.2%" in words and "↓3% → ↓2.4%" in words
    assert say("targets.key_least", "both") in words


def test_extreme_ratios_stay_in_the_frame() -> None:
    """An outcome a thousand times the target, and one of the other sign, stand at the edges with an arrow."""
    targets = invented("新建公园1处，收入增长5%。", "新建公园1000处，收入下降2%。")
    figure = draw_targets(targets, NO_CLAIMS)
    assert sorted(ratios(figure)) == [-4.0, 4.0]
    assert {line.get_marker() for line in figure.axes[0].lines} >= {"<", ">"}
    tidy(figure)


@pytest.mark.parametrize("width", WIDTHS)
def test_without_outcomes_or_claims(width: str) -> None:
    """Where nothing was found and nothing is claimed, the figure is drawn and says so."""
    targets = invented("新建公园10处，改造电梯50部。", "一切顺利。")
    figure = draw_targets(targets, NO_CLAIMS, width=width, language="en")
    tidy(figure)
    assert ratios(figure) == [] and say("targets.no_claims", "en") in [text.get_text() for text in shown(figure)]


def test_many_targets_without_outcome_are_counted() -> None:
    """Where the marks of a theme have no room, one mark stands with its number."""
    plan = "".join(f"新建{name}{n}处。" for n, name in enumerate("桥路塔馆站园场校院厂仓港坝渠", 2))
    targets = invented(plan, "一切顺利。")
    words = [text.get_text() for text in shown(draw_targets(targets, NO_CLAIMS, width="single"))]
    assert f"×{len(targets)}" in words and len(targets) >= 12


def test_one_report_at_a_time(real) -> None:
    """An empty table and targets of two reports are refused with what to do."""
    with pytest.raises(FigureError, match=r"targets of one report; given: none.*choose_pair"):
        draw_targets(real[0].iloc[:0], real[1])
    two = pd.concat([real[0], real[0].assign(report="乙-2001")])
    with pytest.raises(FigureError, match="given: shinan-2019, 乙-2001"):
        draw_targets(two, real[1])


def test_placed_targets_carry_both_sentences(real) -> None:
    """Each target stands in its sentence, each outcome in its own; the settings of the links are kept."""
    targets = real[0]
    for row in targets.to_dict("records"):
        assert row["target_text"] in row["target_sentence"].replace("\n", "")
        assert row["outcome_text"] in row["outcome_sentence"]
        assert bool(row["outcome_text"]) == bool(row["outcome_sentence"])
    assert targets.attrs["settings"]["function"] == "link_chain"
    assert sum(counts(targets).values()) == len(targets) and list(counts(targets)) == [
        verdict for verdict in VERDICTS if (targets["verdict"] == verdict).any()
    ]


def test_short_titles() -> None:
    """A title loses its number and later clauses, and an opening that most share; a single title keeps its words."""
    assert short_titles(["（三）着力改善民生，再进一步"]) == {"（三）着力改善民生，再进一步": "着力改善民生"}
    assert set(short_titles(["一、抓好农业", "二、抓好工业", "三、党建"]).values()) == {"农业", "工业", "党建"}


def test_choose_pair() -> None:
    """The pair is that of the group; an unknown group gives the last pair; a single report gives none."""
    texts = {year: f"一、工作回顾\n新建公园{year}处。" for year in (2001, 2002, 2003, 2005)}
    found = quantities(outline([Report(f"甲-{year}", "甲", year, text, text) for year, text in texts.items()], witness=True))
    for group in (2001, "甲-2001", ("甲", 2001), "2001"):
        assert sorted(set(choose_pair(found, group)["year"])) == [2001, 2002]
    assert sorted(set(choose_pair(found, 2005)["year"])) == [2002, 2003]
    assert choose_pair(found[found["year"] == 2005], 2005).empty


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_answer_gives_counts_of_the_table(real, language: str) -> None:
    """The answer names how many targets there are, each verdict's number, both denominators, the agreement and open claims."""
    targets, claims, links, sentences, carried = real
    text = "".join(answer_targets(targets, claims, carried, links=links, sentences=sentences, language=language))
    for n in [len(targets), *counts(targets).values(), *carried["part"].value_counts(), int((targets["basis"] == "same").sum())]:
        assert str(n) in text
    for row in claims.to_dict("records"):
        assert (row["indicator"] in text) == (row["verdict"] != "reconcilable")
    assert say("judge.machine reader", language) in text and "κ" in text


def test_the_answer_says_what_is_lacking() -> None:
    """Without a plan, a review, reviewed links or claims, a sentence says so in place of a number."""
    sentences = sentences_of("新建公园10处。", "").query("not (year == 2002 and part == 'review')")
    targets = place_targets(link_chain(quantities(sentences)), sentences)
    links = read_links(Path("none"))
    text = " ".join(answer_targets(targets, NO_CLAIMS, NO_CLAIMS, links=links, sentences=sentences))
    assert "No review is recognised in the 2002 report" in text and "reviewed by nobody" in text and "No claim of growth" in text
    assert "no numeric target" in answer_targets(targets.iloc[:0], NO_CLAIMS, NO_CLAIMS, links=links, sentences=sentences)[0]


def test_caption_and_alt_text(real) -> None:
    """Every caption says in its language that nothing was verified and who read, with the counts of the table."""
    words = describe_targets(real[0], real[1], PLACE)
    assert "as stated in the reports; not verified; read by machine" in words["caption_text"]["en"]
    assert "照报告所述，未经核实；由机器读取" in words["caption_text"]["zh"]
    for language in ("zh", "en"):
        assert str(len(real[0])) in words["caption_text"][language] and str(len(real[0])) in words["alt"][language]
        assert PLACE[language] in words["caption_text"][language]
    assert describe_targets(real[0], NO_CLAIMS, PLACE)["alt"]["en"].count("No claim") == 1
