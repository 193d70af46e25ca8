"""Series over many reports, on a corpus generated in memory: counts, bands, places, and what may be said of them."""

import sys
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from shinan_research import FigureError, Report, ShinanError, outline, tokenize
from shinan_research.figures import draw_series
from shinan_research.figures.series import STYLES
from shinan_research.series import ALL, COLUMNS, answer_series, courses, describe_series, label, rate_interval, series

WATERMARK = "此为合成语料。"  # every generated report says that it is synthetic
WORDS = "社会经济建设发展政府工作人民产业服务教育文化生态环境"
YEARS = range(2001, 2011)


def corpus(places: int, years: range = YEARS, seed: int = 0, rise: float = 0.0) -> list[Report]:
    """Return synthetic reports, watermarked: sentences of words dealt by lot, with 养老 at a rate that differs by place."""
    lot = np.random.default_rng(seed)
    reports = []
    for place in range(places):
        share = lot.uniform(0.1, 0.5)
        for year in years:
            rate = share * (1 + rise * (year - years[0]))
            sentences = ["".join(lot.choice(list(WORDS), 20)) + ("养老" if lot.random() < rate else "") for _ in range(60)]
            text = WATERMARK + "。".join(sentences) + "。"
            reports.append(Report(f"甲{place}县-{year}", f"甲{place}县", year, text, text))
    return reports


@cache
def tokens_of(places: int, rise: float = 0.0) -> pd.DataFrame:
    """Return the tokens of a synthetic corpus."""
    return tokenize(outline(corpus(places, rise=rise), witness=True))


def test_the_corpus_says_that_it_is_synthetic() -> None:
    """Each generated report carries the watermark, so that none can be taken for a real one."""
    assert all(report.text.startswith(WATERMARK) for report in corpus(2))


def test_counts_are_those_of_the_texts() -> None:
    """Counts, Han characters and rates per place and year are those of plain string counting."""
    table = series(tokens_of(3), ["养老", "无此词"])
    assert list(table.columns) == list(COLUMNS) and set(table["group"]) == {"甲0县", "甲1县", "甲2县"}
    texts = {(report.place, report.year): report.text for report in corpus(3)}
    for row in table[table["term"] == "养老"].itertuples():
        text = texts[row.group, row.year]
        han = sum("\u4e00" <= character <= "\u9fff" for character in text)
        assert (row.count, row.han) == (text.count("养老"), han) or row[6] == text.count("养老")
        assert row.rate == pytest.approx(1e4 * text.count("养老") / han)
        assert row.low <= row.rate <= row.high and row.basis == "passages"
    nothing = table[table["term"] == "无此词"]
    assert (nothing[["count", "rate", "low"]] == 0).all().all() and (nothing["high"] > 0).all()
    assert not table.isna().any().any()


def test_the_band_is_that_of_the_formula() -> None:
    """With ten places the band is the Gamma interval with the sandwich dispersion over places, computed one by one."""
    tokens = tokens_of(10)
    table = series(tokens, ["养老"], groups="all")
    assert set(table["basis"]) == {"places"} and (table["places"] == 10).all()
    variance, total, reports = 0.0, 0, corpus(10)
    for year in YEARS:
        mine = [report.text for report in reports if report.year == year]
        x = np.array([text.count("养老") for text in mine], dtype=float)
        n = np.array([sum("\u4e00" <= character <= "\u9fff" for character in text) for text in mine], dtype=float)
        variance += 10 / 9 * float(((x - n * x.sum() / n.sum()) ** 2).sum())
        total += x.sum()
    wider = stats.t.ppf(0.975, 90) / stats.norm.ppf(0.975)
    phi = max(variance / total, 1) * wider**2
    row = table.iloc[0]
    shape = row["count"] / phi + 0.5
    ends = [1e4 * stats.gamma.ppf(share, shape, scale=phi / row["han"]) for share in (0.025, 0.975)]
    assert [row["low"], row["high"]] == pytest.approx(ends)
    assert row["dispersion"] == pytest.approx(phi) and phi > 1


def test_the_band_covers() -> None:
    """Over many draws the interval of a rate holds the true one about as often as its level says."""
    lot = np.random.default_rng(0)
    x = lot.poisson(12, 4000).astype(float)
    low, high = rate_interval(x, np.full(4000, 1000.0), np.ones(4000), 0.95)
    assert 0.94 <= ((low <= 0.012) & (high >= 0.012)).mean() <= 0.97


def test_few_places_are_described() -> None:
    """Two to nine places get no interval: the ends are the lowest and the highest of their rates."""
    tokens = tokens_of(5)
    table, each = series(tokens, ["养老"]), series(tokens, ["养老"], groups="places")
    assert set(table["group"]) == {ALL} and set(table["basis"]) == {"description"}
    spread = each.groupby("year")["rate"].agg(["min", "max"])
    assert table["low"].tolist() == pytest.approx(spread["min"].tolist())
    assert table["high"].tolist() == pytest.approx(spread["max"].tolist())
    [words] = answer_series(table, each)
    assert "too few to estimate" in words and "95 %" not in words and "rose in" in words


def test_groups_of_places() -> None:
    """Places are grouped as asked, and a group's counts are the sum of its places'."""
    tokens = tokens_of(5)
    table = series(tokens, ["养老"], groups={"东": ["甲0县", "甲1县"], "西": ["甲2县"]})
    each = series(tokens, ["养老"], groups="places")
    east = each[each["group"].isin(["甲0县", "甲1县"])].groupby("year")["count"].sum()
    assert table[table["group"] == "东"]["count"].tolist() == east.tolist()
    assert table[table["group"] == "西"]["basis"].unique().tolist() == ["passages"]


def test_a_rise_in_many_places_is_found() -> None:
    """First and last year are compared place by place; the ratio's interval is that of the linearised logarithm."""
    tokens = tokens_of(12, rise=0.1)
    table, each = series(tokens, ["养老"]), series(tokens, ["养老"], groups="places")
    row = courses(table, each).iloc[0]
    ends = {year: each[each["year"] == year].set_index("group") for year in (YEARS[0], YEARS[-1])}
    first, last = ends[YEARS[0]], ends[YEARS[-1]]
    assert row["paired"] == 12 and row["risen"] == (last["rate"] > first["rate"]).sum() > row["fallen"]
    assert row["ratio"] == pytest.approx(row["rate_last"] / row["rate_first"])
    assert 1 < row["ratio_low"] < row["ratio"] < row["ratio_high"]
    drawn = np.random.default_rng(0).integers(0, 12, (2000, 12))
    rates = [end["count"].to_numpy()[drawn].sum(axis=1) / end["han"].to_numpy()[drawn].sum(axis=1) for end in (first, last)]
    spread = (np.log(row["ratio_high"]) - np.log(row["ratio_low"])) / 2 / stats.t.ppf(0.975, 11)
    assert spread == pytest.approx(np.std(np.log(rates[1] / rates[0])), rel=0.2)


def test_years_that_are_alike_are_worth_less() -> None:
    """A slow course is named as such, with the number of independent years that it is worth; a gap forbids that."""
    texts = {year: WATERMARK + "养老。" * (4 * step) + "建设学校。" * 40 for step, year in enumerate(YEARS)}
    reports = [Report(f"甲县-{year}", "甲县", year, text, text) for year, text in texts.items()]
    table = series(tokenize(outline(reports, witness=True)), ["养老"])
    row = courses(table).iloc[0]
    rate = table["rate"].to_numpy()
    expected = np.corrcoef(rate[:-1], rate[1:])[0, 1]
    assert row["correlation"] == pytest.approx(expected) and row["worth"] == pytest.approx(10 * (1 - expected) / (1 + expected))
    assert "Neighbouring years are alike" in answer_series(table)[0] and "相邻年份" in answer_series(table, language="zh")[0]
    gap = table[table["year"] != YEARS[4]].reset_index(drop=True)
    gap.attrs = table.attrs
    assert courses(gap).iloc[0]["correlation"] == 0


@pytest.mark.parametrize(
    ("years", "excess", "words"),
    [
        (3, 2.9, "chance of wording can do"),
        (3, 3.1, "hardly by chance"),
        (20, 1.5, "chance of wording can do"),
        (20, 1.7, "hardly by chance"),
    ],
)
def test_few_years_must_vary_more_to_be_called_more_than_chance(monkeypatch, years: int, excess: float, words: str) -> None:
    """The same variation beyond the bands is chance with three years and hardly chance with twenty (5 % of chi-squared)."""
    table = series(tokens_of(1), ["养老"])
    assert (excess * (years - 1) > stats.chi2.isf(0.05, years - 1)) == (words == "hardly by chance")
    row = courses(table).assign(years=years, excess=excess)
    monkeypatch.setattr(sys.modules["shinan_research.series"], "courses", lambda *_: row)
    assert words in answer_series(table, language="en")[0]


def test_what_is_said_of_nothing_and_of_one_year() -> None:
    """A term that never stands, and a single year, are said to be just that."""
    tokens = tokens_of(2)
    assert "nowhere" in answer_series(series(tokens, ["无此词"]))[0]
    one = series(tokens[tokens["year"] == YEARS[0]], ["养老"])
    assert all("one year only" in words for words in answer_series(one))
    assert courses(one, one)["paired"].tolist() == [0, 0]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_captions_name_what_is_drawn(language: str) -> None:
    """The caption explains the bases that the table has and no other, and the alternative text holds every term."""
    table = series(tokens_of(12), ["养老", "教育"])
    words = describe_series(table, place={"zh": "各县", "en": "counties"})
    ways = {"zh": ("以地方为单位", "行文", "不足"), "en": ("place as unit", "within that text", "fewer than")}[language]
    assert [way in words["caption"][language] for way in ways] == [True, False, False]
    assert all(term in words["alt"][language] for term in ("养老", "教育"))
    assert "{" not in words["caption"][language] + words["alt"][language]
    assert label(ALL, table.attrs["settings"], language) == {"zh": "全部12地", "en": "all 12 places"}[language]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"groups": {"东": ["乙县"]}}, r"The group '东' names 乙县\. Places present: 甲0县, 甲1县"),
        ({"groups": {"东": []}}, "names no place"),
        ({"groups": "each"}, "groups is 'each'; allowed"),
        ({"scope": "all"}, "scope is 'all'; allowed"),
        ({"scope": "annex"}, "holds no text in any report"),
        ({"level": 1.0}, "level is 1.0"),
        ({"terms": []}, "given no term"),
    ],
)
def test_what_cannot_be_followed(options: dict[str, object], words: str) -> None:
    """Absent places, empty groups, unknown options and an empty scope are refused with what there is."""
    with pytest.raises(ShinanError, match=words):
        series(tokens_of(2), **({"terms": ["养老"]} | options))  # type: ignore[arg-type]


@pytest.mark.parametrize("width", ["single", "onehalf", "double"])
@pytest.mark.parametrize("places", [2, 5, 12])
def test_the_figure_draws_the_table(width: str, places: int) -> None:
    """One panel a term, one line a group with the rates of the table, and bands where there are any."""
    tokens = tokens_of(places)
    table, each = series(tokens, ["养老", "教育"]), series(tokens, ["养老", "教育"], groups="places")
    figure = draw_series(table, each, width=width, language="both", glosses={"养老": "old age"})
    assert len(figure.axes) == 2
    groups = list(dict.fromkeys(table["group"]))
    for ax, term in zip(figure.axes, ("养老", "教育"), strict=True):
        mine = table[table["term"] == term]
        drawn = [line for line in ax.lines if line.get_marker() in {style["marker"] for style in STYLES}]
        assert len(drawn) == len(groups)
        for line, group in zip(drawn, groups, strict=True):
            assert list(line.get_ydata()) == pytest.approx(mine.loc[mine["group"] == group, "rate"].tolist())
        assert len(ax.collections) == (len(groups) if set(mine["basis"]) != {"description"} else 0)
        assert ax.get_ylim()[0] == 0


def test_a_missing_year_breaks_the_line() -> None:
    """No line is drawn across a year without report."""
    tokens = tokens_of(1)
    table = series(tokens[tokens["year"] != YEARS[3]], ["养老"])
    lines = [line for line in draw_series(table).axes[0].lines if line.get_marker() == STYLES[0]["marker"]]
    assert [list(line.get_xdata()) for line in lines] == [[*YEARS[:3]], [*YEARS[4:]]]


def test_too_many_groups() -> None:
    """More groups than a reader can tell apart are refused with what to do."""
    with pytest.raises(FigureError, match="The table holds 5 groups; from 1 to 4"):
        draw_series(series(tokens_of(5), ["养老"], groups="places"))


@pytest.mark.parametrize("width", ["single", "double"])
def test_the_key_explains_what_is_drawn_and_fits(width: str) -> None:
    """Groups, bands, descriptions and single places are in the key where they are drawn, and it lies inside the figure."""
    tokens, groups = tokens_of(12), {"东": [f"甲{number}县" for number in range(10)], "西": ["甲10县", "甲11县"]}
    table, each = series(tokens, ["养老"], groups=groups), series(tokens, ["养老"], groups="places")
    figure = draw_series(table, each, width=width, language="en")
    [key] = figure.legends
    words = [text.get_text() for text in key.get_texts()]
    assert words == ["东", "西", "95 % band", "lowest to highest (fewer than 10 places)", "single places"]
    box, edge = key.get_window_extent(), figure.bbox
    assert box.x0 >= 0 and box.x1 <= edge.x1 and box.y0 > figure.axes[0].get_window_extent().y1
    assert len(draw_series(series(tokens_of(2), ["养老"]), width=width).legends[0].get_texts()) == 3
