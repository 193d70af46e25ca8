"""Quantities: numerals, units, comparators, kinds, signs, and what is none."""

import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinan_research.numerals import fold, read_numeral, read_words
from shinan_research.outline import outline
from shinan_research.quantities import COLUMNS, KINDS, quantities
from shinan_research.reports import Report
from shinan_research.restore import restore
from shinan_research.study import open_study

ROOT = Path(__file__).parents[1]


def find(text: str, **options: bool) -> pd.DataFrame:
    """Return the quantities of a text."""
    return quantities(outline([Report("甲-2020", "甲", 2020, text, text)], witness=True), **options)


def one(text: str) -> pd.Series:
    """Return the only quantity of a text."""
    table = find(text)
    assert len(table) == 1, table["surface"].tolist()
    return table.iloc[0]


@pytest.mark.parametrize(
    ("text", "surface", "value", "high", "unit"),
    [
        ("完成收入92.18亿元。", "92.18亿元", 9.218e9, 9.218e9, "元"),
        ("支援资金8400余万元。", "8400余万元", 8.4e7, 8.5e7, "元"),
        ("帮扶1万6千多户。", "1万6千多户", 16_000, 17_000, "户"),
        ("建成2万5千公里。", "2万5千公里", 25_000, 25_000, "公里"),
        ("就业1亿3千多万人。", "1亿3千多万人", 1.3e8, 1.4e8, "人"),
        ("惠及6800多万，", "6800多万", 6.8e7, 6.9e7, ""),
        ("占全市的三分之二。", "三分之二", 2 / 3, 2 / 3, ""),
        ("占全市的一半。", "一半", 0.5, 0.5, ""),
        ("占全国的1/4。", "1/4", 0.25, 0.25, ""),
        ("比重为百分之六点五。", "百分之六点五", 6.5, 6.5, "%"),
        ("培育3至5家。", "3至5家", 3, 5, "家"),
        ("安置3-5万户。", "3-5万户", 30_000, 50_000, "户"),
        ("增长5%—6%。", "5%—6%", 5, 6, "%"),
        ("举办活动25场(次)。", "25场(次)", 25, 25, "场(次)"),
        ("浓度为43微克/立方米。", "43微克/立方米", 43, 43, "微克/立方米"),
        ("装机3.2万千瓦。", "3.2万千瓦", 32_000, 32_000, "千瓦"),
        ("户数1,908户。", "1,908户", 1908, 1908, "户"),
        ("投资１２．５亿元。", "１２．５亿元", 1.25e9, 1.25e9, "元"),
        ("总量翻一番。", "一番", 1, 1, "番"),
        ("占八成以上。", "八成", 8, 8, "成"),
        ("新建十余座。", "十余座", 10, 20, "座"),
        ("落实四项指标。", "四项", 4, 4, "项"),
        ("总额8.5万亿元。", "8.5万亿元", 8.5e12, 8.5e12, "元"),
        ("下降3—5个百分点。", "3—5个百分点", 3, 5, "个百分点"),
        ("盘活3个多亿，", "3个多亿", 3e8, 4e8, ""),
        ("43个亿元以上项目", "43个", 43, 43, "个"),
        ("历时2个多月。", "2个多月", 2, 3, "个月"),
        ("补贴300元/月。", "300元/月", 300, 300, "元/月"),
        ("户数１，９０８户。", "１，９０８户", 1908, 1908, "户"),
        ("开行超千列。", "千列", 1000, 1000, "列"),
        ("投资2千5百万元。", "2千5百万元", 2.5e7, 2.5e7, "元"),
        ("补助1百2十万元。", "1百2十万元", 1.2e6, 1.2e6, "元"),
        ("总额3万5千亿元。", "3万5千亿元", 3.5e12, 3.5e12, "元"),
        ("户均收入3万5000元。", "3万5000元", 35_000, 35_000, "元"),
        ("拨付2亿零500万元。", "2亿零500万元", 2.05e8, 2.05e8, "元"),
        ("提高七点五个百分点。", "七点五个百分点", 7.5, 7.5, "个百分点"),
        ("收入三点五亿元。", "三点五亿元", 3.5e8, 3.5e8, "元"),
        ("下降百分之零点五。", "百分之零点五", 0.5, 0.5, "%"),
        ("占万分之三。", "万分之三", 0.0003, 0.0003, ""),
        ("历时两年半。", "两年半", 2.5, 2.5, "年"),
        ("办结需两个半小时。", "两个半小时", 2.5, 2.5, "个小时"),
        ("是上年的2倍多。", "2倍多", 2, 3, "倍"),
        ("占七成多。", "七成多", 7, 8, "成"),
        ("全国排名前移4位。", "4位", 4, 4, "位"),
        ("提高1.5个点。", "1.5个点", 1.5, 1.5, "个点"),
        ("畜群达到2800群。", "2800群", 2800, 2800, "群"),
        ("免费为680万65岁以上老人体检。", "680万", 6.8e6, 6.8e6, ""),
        ("上亿人受益。", "亿人", 1e8, 1e8, "人"),
        ("教师队伍3万人。", "3万人", 30_000, 30_000, "人"),
        ("增长了一倍。", "一倍", 1, 1, "倍"),
    ],
)
def test_value(text, surface, value, high, unit):
    """Numerals in digits, in words and mixed have the value worked out by hand, 余 and 多 an upper bound."""
    row = find(text).iloc[0]
    assert (row["surface"], row["unit"]) == (surface, unit)
    assert row["value"] == pytest.approx(value) and row["value_high"] == pytest.approx(high)


@pytest.mark.parametrize(
    ("text", "comparator"),
    [
        ("新增40家以上。", "≥"), ("检测不低于10万批次，", "≥"), ("失业率控制在4%以内。", "≤"), ("不超过3个。", "≤"),
        ("增长7%左右。", "~"), ("约800亿元。", "~"), ("总量突破9万户。", ">"), ("超过80%。", ">"), ("不足3家。", "<"),
        ("新增40家。", "="), ("通过5项决议。", "="), ("上亿人受益。", "≥"), ("近5年来，", "="), ("近百家企业。", "~"),
        ("突破 2300 户。", ">"), ("签约49个项目。", "="), ("合格率≥95%。", "≥"), ("误差＜3％。", "<"), ("达15 家 以上。", "≥"),
    ],
)  # fmt: skip
def test_comparator(text, comparator):
    """Words before and after a numeral become its comparator; 通过 and 近五年 hold none."""
    assert one(text)["comparator"] == comparator


@pytest.mark.parametrize(
    ("text", "kind", "sign"),
    [
        ("收入增长7%。", "growth", 1), ("能耗下降3%。", "growth", -1), ("压减一般性支出20%以上。", "growth", -1),
        ("占比达52%。", "share", 1), ("降幅收窄至3%。", "share", 1),
        ("增速达到8%。", "growth", 1), ("提高9.3个百分点。", "growth", 1),
        ("低于全国1.2个百分点。", "growth", -1), ("新增40家。", "level", 1), ("减少200户。", "level", -1),
        ("3个工作日内办结。", "duration", 1), ("两轮排查。", "count in words", 1), ("投资过10亿元的项目。", "threshold", 1),
        ("低收入农户收入增长13%。", "growth", 1), ("同比增长-2%。", "growth", -1), ("增速为-3.5%。", "growth", -1),
        ("浓度降至35微克/立方米。", "level", 1), ("增长两倍。", "growth", 1), ("减少三成。", "growth", -1),
        ("零下5℃。", "level", -1), ("5000亿级产业。", "threshold", 1), ("回落3-5个百分点。", "growth", -1),
    ],
)  # fmt: skip
def test_kind_and_sign(text, kind, sign):
    """Kind and sign follow the words around; what falls has the sign -1 and a positive value."""
    row = one(text)
    assert (row["kind"], row["sign"]) == (kind, sign) and row["value"] > 0


@pytest.mark.parametrize(
    "text",
    [
        "建设“254”现代产业体系。", "推进“3618”攻坚战。",
        "引进36氪等机构。", "全域5A级景区。", "细颗粒物(PM2.5)浓度。", "市第十八届人大。",
        "24小时书店。", "2019年1月9日。", "某路37号院。",
        "3、4号地块。", "地铁2号线。", "十九大精神。", "三次会议。", "世界500强。",
        "坚定“四个自信”。", "千方百计。", "“一带一路”。", "三轮车治理。",
        "144小时过境免签。", "12345热线。", "“1+3”体系。", "居全国第3位。",
        "完善“5分钟政务服务圈”。", "6·13极端天气。", "1－9月。", "九年一贯制学校。", "万元GDP能耗。", "《2030行动》。", "无。",
        "建设254体系。", "推进3618攻坚战。", "第3—5位。", "2020 年 12 月 5 日。", "下午3点30分。",
        "学前三年毛入园率。", "两个一百年。",
        "电子零件。", "2023年上半年。", "2020年内建成。",
        "数十个村庄。", "五类及以下水体。", "实施万人计划。", "PM 2.5 浓度。", "比例为11.8︰48.3︰39.9。",
    ],
)  # fmt: skip
def test_not_a_quantity(text):
    """Dates, ordinals, house numbers, codes and names are no quantities."""
    assert find(text).empty


def test_coordination():
    """Members of a list take sign, kind, comparator and each its own subject from what is said once."""
    table = find("油烟污染、噪音扰民同比分别下降27.2%、19.7%。收入、支出分别增长7%、8%以上。")
    assert table["sign"].tolist() == [-1, -1, 1, 1] and set(table["kind"]) == {"growth"}
    assert table["comparator"].tolist() == ["=", "=", "≥", "≥"]
    assert table["indicator"].tolist() == ["油烟污染", "噪音扰民", "收入", "支出"]


def test_subjects_of_levels_before():
    """同比分别增长 after two levels speaks of these two, in order."""
    table = find("接待游客3500万人(次)、旅游消费总额440亿元,同比分别增长20%、10%。")
    assert table["indicator"].tolist() == ["接待游客", "旅游消费总额"] * 2


def test_comparator_of_a_list():
    """What stands before the first of two values in one unit is said of both; what stands after the last is its own."""
    assert find("跃上3万亿元、4万亿元台阶。")["comparator"].tolist() == [">", ">"]
    assert find("新增20家、30家以上。超过5家、3%。")["comparator"].tolist() == ["=", "≥", ">", "="]


def test_own_subject_is_kept():
    """分别 with one subject of its own does not take those of the clauses before."""
    table = find("出口增长6%，进口增长5%，城乡居民收入分别增长9.5%和11%。")
    assert table["indicator"].tolist() == ["出口", "进口", "城乡居民收入", "城乡居民收入"]


def test_start_and_result():
    """The earlier of two values is told apart from the result."""
    table = find("比例由50%提高到60%。从2012年的10亿元增加到2017年的20亿元。")
    assert table["role"].tolist() == ["start", "result"] * 2


def test_shared_unit():
    """A unit said once holds for the whole list."""
    table = find("占比分别提高6和12个百分点，比目标高4.8、10.4、4.9个百分点。")
    assert table["unit"].tolist() == ["个百分点"] * 5 and table["kind"].tolist() == ["growth"] * 5


def test_carried_subject_and_verb():
    """A clause without subject carries over the one before; an enumeration carries its verb."""
    table = find("完成收入10亿元,同比增长1%。新增注册商标30件、国际商标2件。引进10家银行、5家券商。")
    assert table["indicator"].tolist() == ["完成收入", "完成收入", "新增注册商标", "新增国际商标", "引进银行", "引进券商"]


def test_full_width_page_reads_alike():
    """A page with full-width punctuation gives the same quantities as one with ASCII punctuation."""
    ascii_page = find("收入92.18亿元,同比增长7%,新增40家(次);完成。")
    wide_page = find("收入92.18亿元，同比增长7％，新增40家（次）；完成。")
    columns = ["value", "unit", "comparator", "kind", "indicator", "start", "end"]
    pd.testing.assert_frame_equal(ascii_page[columns], wide_page[columns])


@pytest.mark.parametrize(
    "text",
    [
        "1.2.3亿元。", "九九家。", "三五家。", "5万5万元。", "1百2千元。", "1.2亿3000万元。", "1亿3千多户。", "12 345元。",
        "1,23万元。", "12,34,567元。", ".5亿元。", "5..亿元。", "五百5十万元。", "万5千元。", "叁佰万元。", "廿二项。",
        "一二十家。", "2/0。", "占比2 6.5%。", "由1 995年的。",
    ],
)  # fmt: skip
def test_malformed_is_unknown(text):
    """A malformed numeral, or the end of one, keeps its place, without a value and with the class unknown."""
    table = find("投资" + text)
    assert len(table) == 1 and table["value"].isna().all() and set(table["unit_class"]) == {"unknown"}


def test_unknown_unit():
    """A number whose unit is not listed, or missing, is kept with the class unknown; a unit is not cut out of a word."""
    table = find("指数达到105.2。新增10万个体工商户。增长7。")
    assert table["unit_class"].tolist() == ["unknown"] * 3 and table["value"].tolist() == [105.2, 100_000, 7]
    named = find("引进羊驼1200锅。", names=True)
    assert named["kind"].tolist() == ["name"] and named["value"].isna().all()


def test_too_long_a_numeral_is_unknown():
    """A numeral beyond what a float holds is listed without a value, not as infinity."""
    row = one("9" * 400 + "家。")
    assert math.isnan(row["value"]) and row["unit_class"] == "unknown"


def test_names_lists_the_rest():
    """With names=True every digit of the text stands in some row."""
    text = "2019年建设“254”体系，新增40家，PM2.5下降3%。"
    table = find(text, names=True)
    covered = {at for row in table.itertuples() for at in range(row.start, row.end)}
    assert {at for at, sign in enumerate(text) if sign.isdigit()} <= covered
    assert table["kind"].tolist().count("name") == 3


def test_no_text():
    """No sentences give an empty table with all columns."""
    assert list(find("无。").columns) == list(COLUMNS) and find("无。").empty
    assert quantities(outline([], witness=True)).empty


ALPHABET = "增长下降至到由从第个家万亿千百十余多一二两三九零〇元%％、，。,.()（）“”12.3 -—/年月日号以上分之点半A+\n"


@given(st.text(alphabet=ALPHABET, min_size=1, max_size=60))
def test_hostile_text(text):
    """On arbitrary text offsets are in order, surfaces stand in the text, and no value is negative or wrong in form."""
    table = find(text)
    assert table["start"].is_monotonic_increasing
    for row in table.itertuples():
        assert text[row.start : row.end].replace("\n", " ") == row.surface
        assert row.kind in KINDS and (math.isnan(row.value) or 0 <= row.value <= row.value_high)
    assert (table["end"].to_numpy()[:-1] <= table["start"].to_numpy()[1:]).all()


def test_read_words():
    """Numerals in words: powers, zeros, and what is none."""
    words = ("十", "二十三", "一百零五", "三千", "两万", "一万亿")
    assert [read_words(word) for word in words] == [10, 23, 105, 3000, 20_000, 1e12]
    assert all(math.isnan(read_words(word)) for word in ("九九", "二百五", "三万五", "百十百", "零"))


def written(number: int) -> str:
    """Return a whole number below 10¹² in words, an independent writing: 30050 is 三万零五十."""
    words, gap = "", False
    for power, sign in ((10**8, "亿"), (10**4, "万"), (1, "")):
        part = number // power % 10**4
        for place, step in zip((1000, 100, 10, 1), "千百十 ", strict=True):
            digit = part // place % 10
            words += ("零" if digit and gap and words else "") + ("零一二三四五六七八九"[digit] + step.strip() if digit else "")
            gap = not digit
        words += sign if part else ""
    return words


@given(st.integers(1, 10**12 - 1))
def test_numbers_in_words_are_read_back(number):
    """Every whole number below a million million, written in words by other means, is read as itself."""
    assert read_words(written(number)) == number


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.lists(st.sampled_from("千百十"), unique=True, max_size=3))
def test_mixed_numbers_are_read_back(digits, signs):
    """Figures with falling 千, 百, 十 before 亿 and 万 are the sum of their products."""
    steps = [step for step in "千百十" if step in signs]
    head = "".join(f"{digit}{step}" for digit, step in zip(digits, steps, strict=False))
    value = sum(digit * {"千": 1000, "百": 100, "十": 10}[step] for digit, step in zip(digits, steps, strict=False))
    assert read_numeral(f"{head or 7}万") == ((value or 7) * 1e4,) * 2
    assert read_numeral(f"3亿{head or 7}万") == (3e8 + (value or 7) * 1e4,) * 2
    assert read_numeral(f"{digits[0]}亿2{'千' if steps else '百'}多万")[1] == digits[0] * 1e8 + (3e7 if steps else 3e6)


def test_read_numeral():
    """The open step is that of the last figure that is not zero."""
    assert [read_numeral(text) for text in ("280多", "2.6万余", "10多亿")] == [(280, 290), (26_000, 27_000), (1e9, 2e9)]


def test_fold_keeps_length():
    """Folding changes signs one to one."""
    text = "增长７％（１，２３４户）—５～６"
    assert len(fold(text)) == len(text) and fold(text) == "增长7%(1_234户)-5~6"


def test_gold_of_the_study():
    """On the two reports of this repository extraction agrees with the reviewed sample: F1 of span and value at least 0.99."""
    study = open_study(ROOT)
    reports = {report.id: report for report in restore(study.reports(), study.emendations)}
    table = quantities(outline(reports.values(), headings=study.headings))
    gold = pd.read_csv(ROOT / "tests/benchmarks/gold_quantities.csv")
    expected = {(row.report, row.start, row.end, round(row.value, 6), row.comparator, row.sign) for row in gold.itertuples()}
    places = [reports[row.report].to_witness(row.start) for row in table.itertuples()]
    found = {
        (row.report, place, place + row.end - row.start, round(row.value, 6), row.comparator, row.sign)
        for row, place in zip(table.itertuples(), places, strict=True)
    }
    assert 2 * len(found & expected) / (len(found) + len(expected)) >= 0.99
