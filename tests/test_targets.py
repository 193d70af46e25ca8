"""Targets: links to outcomes, verdicts, reviewed decisions, claimed growth and unchanged figures."""

import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shinan_research.errors import ApparatusError, ShinanError
from shinan_research.likeness import assign, similarity
from shinan_research.links import NOT_FOUND, VERDICTS, agreement, disputed_links, locate_links, read_links
from shinan_research.outline import outline
from shinan_research.quantities import quantities
from shinan_research.reports import Report
from shinan_research.restore import restore
from shinan_research.study import open_study
from shinan_research.targets import COLUMNS, candidates, growth_claims, judge, link_chain, link_targets, select_targets, unchanged

ROOT = Path(__file__).parents[1]
LINKS = ROOT / "data" / "links"
REVIEW, PLAN = "一、过去一年工作回顾\n", "二、今年工作安排\n"
HEADER = (
    "report,target_start,target_text,outcome_report,outcome_start,outcome_text,verdict,verdict_second,basis,decided_by,note\n"
)


def report(year: int, review: str, plan: str = "", place: str = "甲县") -> Report:
    """Return a report with a review and a plan."""
    text = REVIEW + review + "\n" + PLAN + (plan or "继续努力。")
    return Report(f"{place}-{year}", place, year, text, text)


def find(*reports: Report) -> pd.DataFrame:
    """Return the quantities of reports."""
    return quantities(outline(reports, witness=True))


def pair(plan: str, review: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the quantities of a report with this plan and of the next with this review."""
    return find(report(2019, "开局良好。", plan)), find(report(2020, review))


@pytest.fixture(scope="module")
def real():
    """Return the quantities of the two reports of this repository, and the reviewed links in positions of the text."""
    study = open_study(ROOT)
    reports = restore(study.reports(), study.emendations)
    table = quantities(outline(reports, headings=study.headings))
    before, after = (table[table["report"] == name] for name in ("shinan-2019", "shinan-2020"))
    return table, before, after, locate_links(read_links(LINKS), reports)


def test_links_and_verdicts():
    """Each target finds the outcome that names the same thing; what has none is not found."""
    plan = "生产总值增长7%左右，失业率控制在4%以内，新建公园10处，新增车位200个，改造电梯50部。"
    review = "生产总值增长6%左右，失业率3.2%，新增公园12处，新增泊位200个，植树300株。"
    table = link_targets(*pair(plan, review))
    assert table["verdict"].tolist() == ["missed", "met", "met", "met", NOT_FOUND]
    assert table["outcome_text"].tolist() == ["6%", "3.2%", "12处", "200个", ""]
    assert list(table.columns) == list(COLUMNS) and set(table["decided_by"]) == {"algorithm"}


@pytest.mark.parametrize(
    ("target", "outcome", "verdict"),
    [
        ("能耗下降3%", "能耗下降3.1%", "met"), ("能耗下降3%", "能耗下降2.9%", "missed"), ("能耗下降3%", "能耗增长1%", "missed"),
        ("消费价格涨幅3%左右", "消费价格涨幅2.5%", "met"), ("收入增长3%左右", "收入增长2.9%", "missed"),
        ("杆塔不超过5座", "杆塔6座", "missed"), ("到2025年收入增长9%",
        "收入增长2%", "not yet due"), ("收入增长9%", "收入10亿元", "not comparable"),
        ("新建公园10余处", "新建公园10处", "met"), ("办结时间压缩至3个工作日以内", "办结时间压缩至2个工作日", "met"),
    ],
)  # fmt: skip
def test_verdict_on_the_number(target, outcome, verdict):
    """The verdict follows direction, comparator and due year of the target, worked out by hand."""
    assert link_targets(*pair(target + "。", outcome + "。"))["verdict"].tolist() == [verdict]


def test_tolerance_is_declared():
    """左右 has no tolerance unless one is declared, and then it holds for 左右 alone."""
    tables = pair("收入增长7%左右，支出增长7%。", "收入增长6.9%，支出增长6.9%。")
    assert link_targets(*tables)["verdict"].tolist() == ["missed", "missed"]
    assert link_targets(*tables, tolerance=0.05)["verdict"].tolist() == ["met", "missed"]


def test_both_readings_are_shown_where_they_differ():
    """An outcome between the ends of an interval, or within rounding of 左右, names the other verdict; others name none."""
    plan = "新建公园10余处，培育企业3至5家，收入增长7%左右，支出增长7%左右，植树30株。"
    table = link_targets(*pair(plan, "新建公园15处，培育企业4家，收入增长6.9%，支出增长6%，植树30株。"))
    assert table["verdict"].tolist() == ["met", "met", "missed", "missed", "met"]
    assert [("missed" in note, "met" in note, "左右" in note) for note in table["note"]] == [
        (True, False, False), (True, False, False), (False, True, True), (False, False, False), (False, False, False)
    ]  # fmt: skip


def test_judge_without_outcome():
    """Without an outcome a target is not found, a later one not yet due, and neither is missed."""
    target = {"indicator": "收入", "value": 7, "sign": 1, "unit": "%", "unit_class": "share", "kind": "growth", "comparator": "="}
    assert judge(target | {"year": 2019}, None) == NOT_FOUND
    assert judge(target | {"year": 2019, "indicator": "到2021年收入"}, None) == "not yet due"
    assert judge(target | {"year": 2021, "indicator": "2021年收入"}, None) == NOT_FOUND


def test_stock_is_no_answer_to_flow():
    """What is added is not answered by what there is in all."""
    table = link_targets(*pair("新增商标30件。", "商标总量突破900件。"))
    assert table["verdict"].tolist() == [NOT_FOUND]


def test_select_targets():
    """Levels, shares, growth and countable words are targets; thresholds, names and divisions are not."""
    plan = "坚持两大引领，抓好八项工作，建设三个工程，引进亿元以上项目5个，普及率由50%提高到60%，今年是建国70周年。"
    assert select_targets(pair(plan, "好。")[0])["surface"].tolist() == ["三个", "5个", "60%"]


def test_candidates_are_ranked():
    """Candidates come best first, at most n for a target, with the margin to the next."""
    table = candidates(*pair("新建公园10处。", "新建公园12处，新建公厕5座，植树300株，收入增长2%。"), n=2)
    assert table["rank"].tolist() == [1, 2] and table["outcome_text"].tolist()[0] == "12处"
    assert table["margin"].iloc[0] == pytest.approx(table["score"].iloc[0] - table["score"].iloc[1])


def test_similarity_is_a_cosine():
    """Likeness is symmetric, 1 for equal wording, 0 without a common character."""
    left, right = pd.Series(["新建公园", "生产总值"]), pd.Series(["新建公园", "植树"])
    matrix = similarity(left, right)
    assert matrix[0, 0] == pytest.approx(1) and matrix[1, 1] == 0
    np.testing.assert_allclose(matrix, similarity(right, left).T)


def test_assignment_is_the_best_one():
    """The links chosen have the highest total score of all assignments, tried one by one."""
    rng = np.random.default_rng(0)
    matrix = rng.random((4, 5))
    chosen, _ = assign(matrix, 0.0)
    best = max(itertools.permutations(range(5), 4), key=lambda columns: sum(matrix[i, j] for i, j in enumerate(columns)))
    assert tuple(chosen) == best


@pytest.mark.parametrize("bad", ["九九", "没有数字"])
def test_no_plan(bad):
    """A table without a plan, or with several, is refused with what was given."""
    text = bad + "。"
    table = find(Report("乙-2020", "乙", 2020, text, text))
    with pytest.raises(ShinanError, match="Expected the quantities of one report with a plan"):
        link_targets(table, table)


def test_empty_sides():
    """A plan without targets and a review without outcomes give tables with the right columns."""
    nothing, review = pair("努力工作。", "收入10亿元。")
    numbers, empty = pair("收入10亿元。", "开局良好。")
    with pytest.raises(ShinanError):
        link_targets(nothing, review)
    assert link_targets(numbers, empty)["verdict"].tolist() == [NOT_FOUND]
    assert candidates(numbers, empty).empty and growth_claims(empty).empty and unchanged(empty).empty


def test_decisions_outrank(tmp_path):
    """What a reader decided replaces the algorithm's row, names the judge, and may refuse a target."""
    before = report(2019, "开局良好。", "新建公园10处，整修道路32条，铺设管线7条。")
    after = report(2020, "公园5处，道路11万平方米。")
    spots = [before.text.index(word) for word in ("10处", "32条", "7条")]
    outcome = after.text.index("11万平方米")
    (tmp_path / "not-targets").mkdir()
    (tmp_path / "甲县-2019.csv").write_text(
        HEADER + f"甲县-2019,{spots[0]},10处,,,,blanket claim,,,person,\n"
        f"甲县-2019,{spots[1]},32条,甲县-2020,{outcome},11万平方米,not comparable,,changed,machine reader,other unit\n",
        encoding="utf-8",
    )
    (tmp_path / "not-targets" / "甲县-2019.csv").write_text(
        f"report,target_start,target_text,reason,decided_by\n甲县-2019,{spots[2]},7条,example,person\n", encoding="utf-8"
    )
    decided = locate_links(read_links(tmp_path), [before, after])
    table = link_targets(find(before), find(after), decided=decided)
    assert table["verdict"].tolist() == ["blanket claim", "not comparable"]
    assert table["decided_by"].tolist() == ["person", "machine reader"]
    assert table["outcome_text"].tolist() == ["", "11万平方米"] and table["note"].tolist() == ["", "other unit"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,x,10处,,,,blanket claim,,,person,", "no whole number"),
        ("a,3,10处,,,,reached,,,person,", "verdict is 'reached'; allowed: met"),
        ("a,3,10处,,,,met,,,person,", "outcome_start is empty"),
        ("a,3,10处,b,4,5处,met,,other,person,", "basis is 'other'"),
        ("a,3,10处,b,4,5处,met,,same,robot,", "decided_by is 'robot'"),
        (f"a,3,10处,,,,{NOT_FOUND},,,person,\na,3,10处,,,,{NOT_FOUND},,,person,", "listed twice"),
    ],
)
def test_bad_links(tmp_path, row, message):
    """A row that does not fit names its file, what was given and what is allowed."""
    (tmp_path / "a.csv").write_text(HEADER + row + "\n", encoding="utf-8")
    with pytest.raises(ApparatusError, match=re.escape(message)):
        read_links(tmp_path)


def test_misplaced_link(tmp_path):
    """A link whose words do not stand at its offset is refused, with what stands there."""
    before = report(2019, "开局良好。", "新建公园10处。")
    (tmp_path / f"{before.id}.csv").write_text(HEADER + f"{before.id},3,10处,,,,{NOT_FOUND},,,person,\n", encoding="utf-8")
    with pytest.raises(ApparatusError, match="expected '10处' at offset 3"):
        locate_links(read_links(tmp_path), [before])


def test_missing_folder(tmp_path):
    """No folder of links is no decision."""
    assert read_links(tmp_path / "none").empty and np.isnan(agreement(read_links(tmp_path / "none"))["verdict_kappa"])
    assert disputed_links(read_links(tmp_path / "none")).empty


def readings() -> pd.DataFrame:
    """Return two readings: four targets in common, one of the second alone, and a report that was read once."""
    columns = {
        "report": ["a"] * 5 + ["b"], "target_text": list("一二三四五六"), "target": [True] * 6, "note": [""] * 6,
        "verdict_first": ["met", "met", "met", "missed", "", "met"],
        "verdict_second": ["met", "met", "missed", "missed", "met", ""],
        "basis_first": ["same", "same", "same", "changed", "", "same"], "basis_second": ["same"] * 5 + [""],
    }  # fmt: skip
    table = pd.DataFrame(columns)
    return table.assign(verdict=table["verdict_first"], basis=table["basis_first"])


def test_agreement_by_hand():
    """Share 3/4; chance (3/4 · 1/2 + 1/4 · 1/2) = 1/2; kappa (3/4 - 1/2) / (1 - 1/2) = 1/2. Basis: chance 3/4, kappa 0."""
    assert agreement(readings()) == {
        "both": 4, "first": 1, "second": 1, "verdict": 3, "verdict_kappa": 0.5, "basis": 3, "basis_kappa": 0.0
    }  # fmt: skip


def test_differing_rows():
    """Rows differ in list, verdict or basis; a report with one reading only has none."""
    assert disputed_links(readings())["target_text"].tolist() == ["三", "四", "五"]


def test_growth_claims():
    """A claim is set against what the two levels imply, rounding granted: 110/100 is 10 %, 120/100 is not."""
    table = growth_claims(find(
        report(2019, "收入100.0亿元，支出100.0亿元。"), report(2020, "收入110.0亿元,同比增长10.0%。支出120.0亿元，增长10.0%。"),
    ))  # fmt: skip
    assert table["verdict"].tolist() == ["reconcilable", "not reconcilable from the texts"]
    assert table["implied"].tolist() == pytest.approx([10, 20]) and table["claimed"].tolist() == [10, 10]
    assert table["implied_low"].iloc[0] == pytest.approx((109.95 / 100.05 - 1) * 100)


@pytest.mark.parametrize(
    ("words", "used"),
    [("同比增长10%", 1), ("比2018年增长10%", 1), ("比2010年增长10%", 0), ("年均增长10%", 0), ("五年来增长10%", 0),
     ("比“十二五”末增长10%", 0), ("比2010年增长30%，同比增长10%", 1)],
)  # fmt: skip
def test_claims_since_another_year_are_left_out(words, used):
    """Growth since 2010, over five years or a year on average is not set against the level of the year before."""
    table = growth_claims(find(report(2019, "完成收入100.0亿元。"), report(2020, f"完成收入110.0亿元，{words}。")))
    assert table["claimed"].tolist() == [10] * used


def test_growth_since_another_year_answers_no_target():
    """A target of growth is not met by growth since an earlier year, nor by what follows in that sentence."""
    plan, review = pair("生产总值增长7%。", "生产总值比2010年增长39.5%，工业增加值增长20%。")
    assert link_targets(plan, review)["verdict"].tolist() == ["not found in the next review"]


def test_firms_are_not_visits():
    """A number of visits is not set against a number of firms, nor carried over from it."""
    before, after = report(2019, "外出走访企业708家。"), report(2020, "累计走访企业1564家次，增长93%。")
    assert growth_claims(find(before, after)).empty
    assert growth_claims(find(report(2019, "外出走访企业708家次。"), after))["implied"].round(1).tolist() == [120.9]
    assert unchanged(find(before, report(2020, "外出走访企业708家次。"))).empty


def test_unchanged():
    """Figures carried over and targets announced again are found; other places and years apart are not."""
    reports = [report(2019, "健身场所102处。", "检测3500批次。"), report(2020, "健身场所102处。", "检测3500批次。"),
               report(2022, "健身场所102处。"), report(2020, "健身场所102处。", place="乙县")]  # fmt: skip
    table = find(*reports)
    assert unchanged(table)[["report_before", "report_after", "value"]].to_numpy().tolist() == [["甲县-2019", "甲县-2020", 102]]
    assert unchanged(table, part="plan")["value"].tolist() == [3500]


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("增长20%以上", "reconcilable"), ("增长30%以上", "not reconcilable from the texts"), ("增长30%以内", "reconcilable"),
        ("增长24%至26%", "reconcilable"), ("增长20%", "not reconcilable from the texts"), ("增长25%", "reconcilable"),
    ],
)  # fmt: skip
def test_comparators_of_claims(claim, verdict):
    """From 80 to 100 is 25 %: 以上 and 以内 leave the claim open to one side, a range is a range."""
    table = growth_claims(find(report(2019, "完成收入80亿元。"), report(2020, f"完成收入100亿元，{claim}。")))
    assert table["verdict"].tolist() == [verdict]


def test_no_claim_from_zero():
    """Nothing grows by a percentage from zero: such a claim is left out."""
    assert growth_claims(find(report(2019, "完成收入0亿元。"), report(2020, "完成收入100亿元，增长25%。"))).empty


def test_chain():
    """A chain links every two consecutive years of a place, and nothing across a gap."""
    table = link_chain(find(*(report(year, f"公园{year - 2000}处。", "公园20处。") for year in (2019, 2020, 2021, 2023))))
    assert table[["report", "outcome_report", "verdict"]].to_numpy().tolist() == [
        ["甲县-2019", "甲县-2020", "met"], ["甲县-2020", "甲县-2021", "met"]
    ]  # fmt: skip


def test_shipped_links_are_exhaustive(real):
    """Every quantity of the plan is a target of data/links or listed as none, and none is invented."""
    _, before, _, decided = real
    plan = before[before["part"] == "plan"]
    assert set(plan["start"]) == set(decided["target_start"])
    assert set(decided["verdict"][decided["target"]]) <= set(VERDICTS)


def test_shipped_links_are_consistent(real):
    """The reviewed verdicts agree with the rule on the number, but for those that only a reader can give."""
    _, before, after, decided = real
    table = link_targets(before, after, decided=decided).set_index("target_start")
    assert len(table) == decided["target"].sum() == 53
    stated = {row["start"]: row for row in after.to_dict("records")}
    for row in before[before["start"].isin(table.index)].to_dict("records"):
        link = table.loc[row["start"]]
        if link["basis"] not in ("merged", "") and link["verdict"] in ("met", "missed"):
            assert judge(row, stated[link["outcome_start"]]) == link["verdict"], link["indicator"]


def test_agreement_of_readings(real):
    """Both readings are kept, and the settled rows are those that one of them gave, or a note tells of a third look."""
    decided = real[3]
    found = agreement(decided)
    assert found["both"] + found["first"] + found["second"] >= decided["target"].sum() and found["verdict_kappa"] > 0.9
    for row in decided[decided["target"]].to_dict("records"):
        unlike = (row["verdict_first"], row["basis_first"]) != (row["verdict"], row["basis"])
        assert not unlike or "third look" in row["note"], row["target_text"]
    assert all("third look" in note for note in disputed_links(decided)["note"])
