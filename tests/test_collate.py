"""Another copy beside the witness: every difference is listed once, and nothing else is."""

import pytest

from shinan_research.collate import collate
from shinan_research.errors import ApparatusError
from shinan_research.reports import Report, han_count

BEFORE = "去年区政府团结带领全区人民攻坚克难,各项工作都取得了新的成绩。"
PASSAGE = "坚持以新发展理念引领各项工作,推动经济社会实现更高质量、更有效率的发展。"
AFTER = "今年将继续努力建设人民满意的服务型政府,不断提升依法行政能力!"
WHOLE = BEFORE + PASSAGE + AFTER
LIST = ["offset", "here", "there", "kind"]


def report(text: str) -> Report:
    """Return a report of this text."""
    return Report("a-2019", "a", 2019, text, text)


def differences(here: str, there: str) -> list[list[object]]:
    """Return offset, both readings and kind of every difference."""
    return collate(report(here), there)[LIST].to_numpy().tolist()


def test_a_copy_that_agrees_gives_no_row():
    """Two equal texts have no difference, and all their Han characters were compared."""
    table = collate(report(WHOLE), report(WHOLE))
    assert len(table) == 0
    assert list(table.columns) == ["report", "offset", "here", "there", "kind", "left", "right"]
    assert table.attrs["compared"] == han_count(WHOLE)


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        (("攻坚克难", "攻克难", "坚", ""), "loss here"),
        (("攻坚克难", "攻坚克难题", "", "题"), "loss there"),
        (("攻坚", "功坚", "攻", "功"), "substitution"),
    ],
)
def test_each_kind_of_difference_in_the_middle_of_a_copy(edit, kind):
    """A character lost here, added here or replaced is one row with both readings, its offset and its neighbours."""
    plain, changed, lost, gained = edit
    witness = WHOLE.replace(plain, changed)
    offset = next(place for place, (a, b) in enumerate(zip(WHOLE, witness, strict=False)) if a != b)
    table = collate(report(witness), WHOLE)
    assert table[LIST].to_numpy().tolist() == [[offset, gained, lost, kind]]
    assert table["left"][0] == witness[max(0, offset - 8) : offset]
    assert table["right"][0] == witness[offset : offset + 8]
    assert table["report"][0] == "a-2019"


def test_white_space_and_width_of_punctuation_do_not_count():
    """Line breaks, indents and full-width commas are layout of the other copy and no difference."""
    assert differences(WHOLE, "  " + WHOLE.replace(",", "，\u3000").replace("!", "！") + " ") == []
    assert collate(report(WHOLE), report("\n\n".join([BEFORE, PASSAGE, AFTER]))).empty


def test_offsets_count_the_witness_with_its_spaces():
    """A space before the place of a loss is counted, because offsets are those of the page's paragraph."""
    witness = BEFORE + " " + PASSAGE.replace("更有效率", "更有率") + AFTER
    assert differences(witness, WHOLE) == [[witness.index("更有率") + 2, "", "效", "loss here"]]


def test_another_mark_is_a_matter_of_layout():
    """A comma in place of a full stop is listed, but as layout."""
    assert [row[1:] for row in differences(WHOLE.replace("更高质量、", "更高质量,"), WHOLE)] == [[",", "、", "layout"]]


def test_a_quotation_is_found_and_what_it_leaves_out_is_no_difference():
    """A passage from the middle is aligned alone; the rest of the report is not missing from it."""
    table = collate(report(WHOLE), "\n" + PASSAGE + "\n")
    assert table.empty
    assert table.attrs["compared"] == han_count(PASSAGE)


def test_passages_are_compared_line_by_line_and_strangers_passed_over():
    """Of three lines two stand in the report, in any order, and only their characters are counted as compared."""
    witness = WHOLE.replace("攻坚克难", "攻克难")
    table = collate(report(witness), "\n".join([AFTER, "这一行不在报告里因为它是另一篇文章的开头部分。", BEFORE]))
    assert table[LIST].to_numpy().tolist() == [[witness.index("攻克难") + 1, "", "坚", "loss here"]]
    assert table.attrs["compared"] == han_count(AFTER + BEFORE)


def test_two_witnesses_of_one_loss_give_one_row():
    """The same passage quoted twice does not list its difference twice."""
    witness = WHOLE.replace("攻坚克难", "攻克难")
    assert len(differences(witness, BEFORE + "\n" + BEFORE)) == 1


@pytest.mark.parametrize(
    ("plain", "damaged", "row"),
    [
        ("坚持以新", "坚持新", ["", "以", "loss here"]),
        ("发展理念", "发理念", ["", "展", "loss here"]),
        ("更有效率", "更效率", ["", "有", "loss here"]),
        ("效率的发", "效率发", ["", "的", "loss here"]),
        ("坚持以新", "坚持以更新", ["更", "", "loss there"]),
        ("效率的发", "效率地发", ["地", "的", "substitution"]),
    ],
)
def test_a_difference_near_either_end_of_a_quotation_is_the_only_one(plain, damaged, row):
    """What stands before and behind a quotation is no difference, even if the copies differ near its edge."""
    witness = BEFORE + PASSAGE.replace(plain, damaged, 1) + AFTER
    assert [found[1:] for found in differences(witness, PASSAGE)] == [row]


def test_a_whole_copy_is_compared_from_its_first_to_its_last_character():
    """Of two whole reports what one has more at either end is a difference, unlike what stands around a quotation."""
    longer = "开头" + WHOLE + "结尾。"
    lost = [[0, "", "开头", "loss here"], [len(WHOLE), "", "结尾。", "loss here"]]
    more = [[0, "开头", "", "loss there"], [len(WHOLE) + 2, "结尾。", "", "loss there"]]
    assert collate(report(WHOLE), report(longer))[LIST].to_numpy().tolist() == lost
    assert collate(report(longer), report(WHOLE))[LIST].to_numpy().tolist() == more


@pytest.mark.parametrize("other", ["", "\n \n", "太短的引文", "这是另一篇完全不同的文章,与本报告没有任何共同的句子。"])
def test_a_copy_that_cannot_be_aligned_is_refused(other):
    """Without twelve characters in common the message asks whether it is another report."""
    with pytest.raises(
        ApparatusError, match=r"No passage of the other copy stands in a-2019: not 12 characters .* another report\?"
    ):
        collate(report(WHOLE), other)


def test_a_run_that_occurs_twice_anchors_nothing():
    """A phrase repeated in the report cannot tell where a quotation stands, so it is not aligned by guess."""
    with pytest.raises(ApparatusError, match="No passage"):
        collate(report(PASSAGE + PASSAGE), PASSAGE)
