"""The two layers of a text: what is inserted and taken out, the way back, and what an apparatus may not say."""

import csv
import itertools
from dataclasses import fields, replace

import pandas as pd
import pytest

from shinan_research.collate import collate
from shinan_research.errors import ApparatusError
from shinan_research.reports import Emendation, Report
from shinan_research.restore import agreement, apparatus, proposal_rows, read_emendations, restore, variants

WITNESS = "全面贯彻十九届 二、三全会精神。坚持稳有进,党央领导。 二、工作安排"
TEXT = "全面贯彻十九届二中、三中全会精神。坚持稳中有进,党中央领导。 二、工作安排"
SPACE = WITNESS.index(" ")
NOTHING = pd.DataFrame(columns=[field.name for field in fields(Emendation)])
HEADER = "report,offset,char,left,right,certainty,decision,decided_by,evidence"


def report(text: str = WITNESS, name: str = "a") -> Report:
    """Return a report of this text that has not been restored."""
    return Report(name, "甲区", 2019, text, text)


def insertion(left: str, right: str, char: str = "中", witness: str = WITNESS, **options: object) -> Emendation:
    """Return an accepted emendation where `left` and `right` meet in the witness."""
    assert witness.count(left + right) == 1
    offset = witness.index(left + right) + len(left)
    values: dict[str, object] = {"decision": "accept", "decided_by": "person", **options}
    return Emendation("a", offset, char, left, right, **values)  # type: ignore[arg-type]


ROWS = (insertion("二", "、三"), insertion("三", "全会"), insertion("稳", "有进"), insertion("党", "央"))


def restored(*rows: Emendation, text: str = WITNESS) -> Report:
    """Return the report of this text with these emendations."""
    return restore([report(text)], pd.DataFrame(rows) if rows else NOTHING)[0]


def slow_text(witness: str, rows: list[tuple[int, str]], spaces: list[int]) -> str:
    """Insert and remove characters one at a time, from the end of a list to its beginning."""
    characters = list(witness)
    for place, char in sorted([*rows, *((space, "") for space in spaces)], reverse=True):
        if char:
            characters.insert(place, char)
        else:
            assert characters.pop(place) in " \u3000"
    return "".join(characters)


def check_maps(report: Report) -> None:
    """Walk along witness and text with two fingers and compare every position with the maps of the report."""
    put_in: dict[int, str] = {}
    for row in report.emendations:
        put_in[row.offset] = put_in.get(row.offset, "") + row.char
    taken_out = {row.offset + i for row in report.normalisations for i in range(len(row.removed))}
    position, inserted = 0, []
    for offset in range(len(report.witness) + 1):
        assert report.to_text(offset, insertion=True) == position
        for char in put_in.get(offset, ""):
            assert (report.text[position], report.to_witness(position)) == (char, offset)
            inserted.append(position)
            position += 1
        assert report.to_text(offset) == position
        if offset == len(report.witness):
            break
        if offset not in taken_out:
            assert report.text[position] == report.witness[offset]
            assert report.to_witness(position) == offset
            assert report.to_page(position) == report.page_start + offset
            position += 1
    assert position == len(report.text)
    assert report.to_witness(position) == len(report.witness)
    assert report.inserted.tolist() == inserted


@pytest.fixture
def apparatus_file(tmp_path):
    """Return a function that writes rows beneath a header into a.csv and reads the folder."""

    def read(*lines, header=HEADER, name="a.csv", newline="\n", encoding="utf-8"):
        (tmp_path / name).write_bytes((newline.join([header, *lines]) + newline).encode(encoding))
        return read_emendations(tmp_path)

    return read


# Reading the apparatus


def test_an_apparatus_is_read_sorted_with_every_column(apparatus_file):
    """Rows come in the order of the text, missing optional columns are empty, and the file is on record."""
    table = apparatus_file("a,12,中,左,右,certain,accept,person,because", "a,3,这,左,右,probable,open,machine reader,")
    assert table["offset"].tolist() == [3, 12]
    assert table["evidence"].tolist() == ["", "because"]
    assert set(NOTHING.columns) <= set(table.columns)
    assert table["source"].tolist() == ["", ""]
    assert table.attrs["reports"] == ("a",)


def test_a_header_without_rows_states_that_nothing_is_lost(apparatus_file, tmp_path):
    """An apparatus may be empty and is still on record; a missing folder has none; restoring then changes nothing."""
    table = apparatus_file()
    assert (len(table), table.attrs["reports"]) == (0, ("a",))
    assert read_emendations(tmp_path / "none").attrs["reports"] == ()
    done = restore([report("甲乙。")], table)[0]
    assert (done.text, done.restored, done.emendations) == ("甲乙。", True, ())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("b,3,中,左,右,certain,accept,person,", r"a\.csv, row 2: belongs to 'b', but the file is that of 'a'"),
        ("a,3,中,左,右,sure,accept,person,", r"row 2: certainty is 'sure'; allowed: attested, certain, probable, possible"),
        ("a,3,中,左,右,certain,yes,person,", r"row 2: decision is 'yes'; allowed: open, accept, reject"),
        ("a,3,中,左,右,certain,accept,me,", r"row 2: decided_by is 'me'; allowed: algorithm, machine reader, person"),
        ("a,-3,中,左,右,certain,accept,person,", r"row 2: offset '-3' and char '中'; expected a whole number"),
        (f"a,{'9' * 5000},中,左,右,certain,accept,person,", "row 2: offset '999.* expected a whole number"),
        ("a,3.0,中,左,右,certain,accept,person,", r"row 2: offset '3\.0'"),
        ("a,,中,左,右,certain,accept,person,", r"row 2: offset ''"),
        ("a,3,,左,右,certain,accept,person,", r"row 2: .*char ''; expected a whole number and a character"),
    ],
)
def test_a_row_outside_the_vocabulary_is_named(apparatus_file, line, message):
    """File, row, what stands there and what may stand there are all in the message."""
    with pytest.raises(ApparatusError, match=message):
        apparatus_file(line)


# Restoring


def test_accepted_rows_are_inserted_and_stray_spaces_removed():
    """Four characters are put in and the space inside a sentence is taken out; the one before a heading stays."""
    done = restored(*ROWS)
    assert done.text == TEXT
    assert (done.witness, done.restored) == (WITNESS, True)
    assert [(row.offset, row.removed, row.rule) for row in done.normalisations] == [(SPACE, " ", "stray space")]
    assert len(done.text) == len(WITNESS) + 4 - 1
    check_maps(done)


def test_the_order_of_rows_does_not_matter():
    """All 24 orders of four rows give one report, and restoring it again changes nothing."""
    assert {restored(*rows).text for rows in itertools.permutations(ROWS)} == {TEXT}
    assert {restored(*rows).emendations for rows in itertools.permutations(ROWS)} == {restored(*ROWS).emendations}
    assert restore([restored(*ROWS)], pd.DataFrame(ROWS)) == [restored(*ROWS)]


@pytest.mark.parametrize(
    ("weakest", "applied"), [("attested", "甲"), ("certain", "甲乙"), ("probable", "甲乙丙"), ("possible", "甲乙丙丁")]
)
def test_certainty_sets_how_far_restoring_goes(weakest, applied):
    """Each step down the scale of certainty applies one more of four rows."""
    scale = zip("甲乙丙丁", ("attested", "certain", "probable", "possible"), strict=True)
    rows = [replace(row, char=char, certainty=name) for row, (char, name) in zip(ROWS, scale, strict=True)]
    done = restore([report()], pd.DataFrame(rows), certainty=weakest)[0]
    assert "".join(row.char for row in done.emendations) == applied
    assert [char for char in "甲乙丙丁" if char in done.text] == list(applied)


def test_open_and_rejected_rows_stay_on_record_only():
    """Only accepted rows are applied, even if a rejected one would not fit."""
    rows = [replace(ROWS[2], decision="open"), replace(ROWS[3], decision="reject", left="不在"), ROWS[1]]
    assert restored(*rows).text == WITNESS.replace(" 二、三", "二、三中")


def test_an_unknown_certainty_is_refused():
    """The scale of certainty is named in full."""
    with pytest.raises(ApparatusError, match="certainty is 'sure'; allowed: attested, certain, probable, possible"):
        restore([report()], NOTHING, certainty="sure")


def test_rows_of_other_reports_are_passed_over():
    """Each report takes its own rows; another one keeps its text."""
    mine, other = restore([report(), report("党央", "b")], pd.DataFrame(ROWS))
    assert (mine.text, other.text) == (TEXT, "党央")


@pytest.mark.parametrize(
    "row",
    [
        replace(ROWS[2], left="稳稳"),
        replace(ROWS[2], right="中有"),
        replace(ROWS[2], offset=ROWS[2].offset + 1),
        replace(ROWS[2], offset=len(WITNESS) + 1, left="", right="x"),
        replace(ROWS[2], left="", right=""),
        replace(ROWS[2], left=WITNESS[ROWS[2].offset - 9 : ROWS[2].offset]),
    ],
)
def test_a_row_that_does_not_fit_the_witness_is_refused(row):
    """Wrong neighbours, a place behind the end, no context at all, and more than eight characters are told apart by quotation."""
    message = r"apparatus of a, offset \d+: expected ….*\[中\].*…, found …(?s:.*)nothing was applied"
    with pytest.raises(ApparatusError, match=message):
        restored(ROWS[0], row)


def test_the_same_insertion_twice_is_refused():
    """Two readers who enter one loss give one row, not two characters."""
    with pytest.raises(ApparatusError, match=rf"of a: '中' is inserted twice before offset {ROWS[3].offset}\. Remove one row"):
        restored(ROWS[3], replace(ROWS[3], evidence="another", certainty="attested"), ROWS[0])


def test_a_character_may_be_lost_at_either_end():
    """The places before the first character and behind the last can be named; one further cannot."""
    ends = (insertion("", "全面", char="要"), insertion("工作安排", "", char="表"))
    assert [row.offset for row in ends] == [0, len(WITNESS)]
    done = restored(*ends)
    assert done.text == f"要{WITNESS.replace('届 ', '届')}表"
    check_maps(done)


def test_several_characters_may_be_lost_at_one_place():
    """A row may hold more than one character, and of two rows at one place the order is always the same."""
    done = restored(insertion("党", "央", char="和政府的中"), ROWS[2])
    assert "党和政府的中央" in done.text
    assert len(done.inserted) == 6
    check_maps(done)
    rows = [insertion("党", "央", char="国"), insertion("党", "央", char="中")]
    assert restored(*rows) == restored(*reversed(rows))
    assert "党中国央" in restored(*rows).text


@pytest.mark.parametrize("offset", [3, 4, 5])
def test_a_loss_beside_or_inside_a_stray_space_is_restored(offset):
    """The spaces go and the character comes, wherever in the run of spaces its place was noted."""
    witness = "十九届 \u3000二、三"
    row = Emendation("a", offset, "的", witness[:offset], witness[offset:], decision="accept", decided_by="person")
    done = restored(row, text=witness)
    assert done.text == "十九届的二、三"
    assert done.inserted.tolist() == [3]
    assert apparatus([done])["position"].tolist() == [3]
    assert done.to_text(3, insertion=True) == 3
    assert done.to_text(5) == 4
    assert [done.to_witness(position) for position in (2, 4, 7)] == [2, 5, 8]


@pytest.mark.parametrize(
    ("text", "spaces"),
    [
        ("十九届 二、三全会", [3]), ("十九届\u3000 十二、三", [3]), ("多网合 一、多证合 一、好", [3, 9]), ("第 二 三产业", []),
        ("。 二、工作安排", []), ("\n 二、工作安排", []), (" 二、工作安排", []), ("GDP 二、三产业", []),
    ],
)  # fmt: skip
def test_a_stray_space_stands_between_a_han_character_and_a_numeral_with_its_comma(text, spaces):
    """Spaces where a heading may begin, at the start, after Latin, or before a bare numeral are not touched."""
    assert [row.offset for row in restored(text=text).normalisations] == spaces
    check_maps(restored(text=text))


# The real reports


def test_the_real_texts_are_the_witness_with_the_rows_of_the_files(study, reports):
    """Inserting the accepted rows of the files one by one gives the restored texts, character for character."""
    for done, stray in zip(reports, (4, 0), strict=True):
        with (study.data / f"emendations/{done.id}.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["decision"] == "accept" and row["certainty"] != "possible"]
        spaces = [row.offset for row in done.normalisations]
        assert len(spaces) == stray
        assert done.text == slow_text(done.witness, [(int(row["offset"]), row["char"]) for row in rows], spaces)
        assert len(done.text) == len(done.witness) + sum(len(row["char"]) for row in rows) - stray


def test_the_real_spaces_before_headings_are_kept(reports):
    """Of the spaces before numbers those inside sentences go, and those between a full stop and a heading stay."""
    first, second = reports
    assert [first.witness[row.offset - 3 : row.offset + 3] for row in first.normalisations] == [
        "十九届 二、", "十九届 二、", "多网合 一、", "多证合 一、",
    ]  # fmt: skip
    assert second.witness.count(" ") == second.text.count(" ")
    for done in reports:
        for heading in (f" 一、{done.year - 1}年工作回顾", f" 二、{done.year}年工作安排"):
            assert done.witness.count(heading) == done.text.count(heading) == 1


@pytest.mark.parametrize(
    ("damaged", "whole"),
    [
        ("稳有进", "稳中有进"), ("其澳大利亚", "其中澳大利亚"), ("岛组团", "中岛组团"), ("科院", "中科院"), ("原48)", "原48中)"),
        ("党央", "党中央"), ("医养生", "中医养生"), ("届 二、三全会", "届二中、三中全会"), ("发展历程极不", "发展历程中极不"),
    ],
)  # fmt: skip
def test_the_real_losses_of_2019_are_restored(reports, damaged, whole):
    """Losses that a reader named beforehand are in the damaged witness and whole in the text."""
    first = reports[0]
    assert damaged in first.witness
    assert whole not in first.witness
    assert whole in first.text


def test_the_real_maps_lead_there_and_back(reports):
    """Every position of both reports goes to witness, page and back as two fingers on the strings say."""
    for done in reports:
        check_maps(done)


def test_the_real_apparatus_points_at_what_it_inserted(study, reports, page):
    """Each row's position shows its character in the text, and its page offset its right neighbours on the page."""
    table = apparatus(reports)
    texts = {done.id: done.text for done in reports}
    accepted = study.emendations.query("decision == 'accept' and certainty != 'possible'")
    assert table["offset"].tolist() == accepted["offset"].tolist()
    for row in table.itertuples():
        assert texts[row.report][row.position : row.position + len(row.char)] == row.char
        assert page[row.page : row.page + len(row.right)] == row.right


# Agreement of two readings


def test_agreement_by_hand():
    """Of four places one reader saw three, the other three, both two: half of what either saw; the attested one is apart."""
    seen = [("certain", "certain"), ("probable", "certain"), ("certain", ""), ("", "possible"), ("", "")]
    table = pd.DataFrame([Emendation("a", i, "中", "x", "y", first=one, second=two) for i, (one, two) in enumerate(seen)])
    assert agreement(table).to_numpy().tolist() == [["a", "中", 3, 3, 2, 0.5]]


def test_agreement_is_in_the_order_of_reports_and_characters():
    """However the rows come, the table is sorted by report and character."""
    rows = [
        Emendation(name, 0, char, "x", "y", first="certain")
        for name, char in (("b", "这"), ("a", "中"), ("a", "这"), ("b", "中"))
    ]
    table = agreement(pd.DataFrame(rows))
    assert table[["report", "char"]].to_numpy().tolist() == [["a", "中"], ["a", "这"], ["b", "中"], ["b", "这"]]


def test_proposals_become_open_rows_that_a_spreadsheet_reads():
    """Every tier has its certainty, nothing is accepted, and the file begins with the mark by which Excel knows UTF-8."""
    found = pd.DataFrame(
        [("a", 6, "中", "二", "、三", 3.5, "high confidence", "x"), ("a", 16, "中", "稳", "有进", 0.5, "please look", "y")],
        columns=["report", "offset", "char", "left", "right", "score", "tier", "evidence"],
    )
    data = proposal_rows(found)
    assert data.startswith(b"\xef\xbb\xbfreport,offset,char,left,right,")
    rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    assert [(row["offset"], row["certainty"], row["decision"], row["decided_by"]) for row in rows] == [
        ("6", "certain", "open", "algorithm"),
        ("16", "possible", "open", "algorithm"),
    ]


def test_the_real_agreement_is_that_of_the_files(study):
    """Counting the two columns of the files by hand gives the same table, report by report and character by character."""
    counted: dict[tuple[str, str], list[int]] = {}
    for name in ("shinan-2019", "shinan-2020"):
        with (study.data / f"emendations/{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                if row["first"] or row["second"]:
                    cell = counted.setdefault((name, row["char"]), [0, 0, 0])
                    cell[0] += bool(row["first"])
                    cell[1] += bool(row["second"])
                    cell[2] += bool(row["first"]) and bool(row["second"])
    table = agreement(study.emendations)
    assert {(row.report, row.char): [row.first, row.second, row.both] for row in table.itertuples()} == counted
    for row in table.itertuples():
        one, two, both = counted[row.report, row.char]
        assert row.share == pytest.approx(both / (one + two - both))


# Variants


def test_variants_by_hand():
    """Each reading of a small apparatus gives the text that one would write down for it."""
    grades = ("attested", "probable", "possible")
    rows = [replace(row, certainty=grade) for row, grade in zip((ROWS[2], ROWS[3], ROWS[1]), grades, strict=True)]
    bare = WITNESS.replace("届 ", "届")
    answer = variants([report(), report("这中间", "b")], pd.DataFrame(rows))
    assert {name: texts[0].text for name, texts in answer.items()} == {
        "witness": bare,
        "certain": bare.replace("稳有", "稳中有"),
        "probable": bare.replace("稳有", "稳中有").replace("党央", "党中央"),
        "all": bare.replace("稳有", "稳中有").replace("党央", "党中央").replace("三全", "三中全"),
        "masked": bare,
    }
    assert [texts[1].text for texts in answer.values()] == ["这中间"] * 4 + ["这间"]
    assert all(done.restored for texts in answer.values() for done in texts)


def test_the_real_masked_variant_holds_none_of_the_suspects(study):
    """Every character that any accepted row inserts is gone from both reports, and only those and four spaces are."""
    raw = study.reports()
    suspects = set("".join(study.emendations.query("decision == 'accept'")["char"]))
    assert {"中", "这"} <= suspects
    for before, masked, stray in zip(raw, variants(raw, study.emendations)["masked"], (4, 0), strict=True):
        assert not suspects & set(masked.text)
        assert len(before.witness) - len(masked.text) == stray + sum(char in suspects for char in before.witness)
        check_maps(masked)


def test_another_copy_is_a_variant():
    """Where the copy was compared its words stand, against the apparatus if need be; elsewhere the probable reading does."""
    opening = "去年我们团结带领全区人民攻坚克难各项事业"
    witness = f"{opening}稳有进成绩显著。" + WITNESS
    rows = [insertion("稳", "有进成", "步", witness), insertion("党", "央", witness=witness)]
    copy = collate(report(witness), f"{opening}稳中有进成绩显著。")
    answer = variants([report(witness), report("这中间", "b")], pd.DataFrame(rows), copies=[copy])
    assert list(answer) == ["witness", "certain", "probable", "all", "masked", "copy"]
    rest = WITNESS.replace("届 ", "届").replace("党央", "党中央")
    assert [done.text for done in answer["copy"]] == [f"{opening}稳中有进成绩显著。{rest}", "这中间"]
    assert answer["copy"][1] is answer["probable"][1]
    check_maps(answer["copy"][0])


def test_a_copy_that_agrees_refutes_every_conjecture():
    """A whole copy without a difference gives the witness back, without its stray space, from the first character on."""
    rows = [*ROWS, insertion("", "全面", char="要")]
    done = variants([report()], pd.DataFrame(rows), copies=[collate(report(), report())])["copy"][0]
    assert done.text == WITNESS.replace("届 ", "届")
    assert done.emendations == ()


def test_a_copy_may_lack_and_replace_words_across_spaces():
    """What the copy lacks is taken out, though white space stands in the middle of it, and the maps hold."""
    text = "各位代表现在我代表区人民政府向大会报 告工作请予审议。去年成绩显著各项事业全面进步人民生活改善。"
    read = text.replace("大会报 告工作", "大会").replace("显著", "突出")
    done = variants([report(text)], NOTHING, copies=[collate(report(text), report(read))])["copy"][0]
    assert "".join(done.text.split()) == read
    check_maps(done)


def test_a_copy_collated_with_another_text_is_refused():
    """Differences whose neighbours do not stand in the witness name the place."""
    table = collate(report(), report(WITNESS + "完"))
    with pytest.raises(ApparatusError, match=r"apparatus of a, offset \d+: expected"):
        variants([report(WITNESS[2:])], NOTHING, copies=[table])
