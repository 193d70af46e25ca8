"""The word list, the lexicon of the genre and the units: what the package ships is sound, and a study's own list is read."""

import lzma

import pytest

from shinan_research import dictionary
from shinan_research.errors import ReadError


def rows(name: str) -> list[str]:
    """Return the lines of a shipped file that are neither empty nor remarks."""
    return [line for line in dictionary.resource(name).decode("utf-8").split("\n") if line.strip() and not line.startswith("#")]


def test_the_word_list_is_the_one_that_the_docstring_describes():
    """It has 105,157 different words, each of frequency 10 or more, line for line of the shipped file."""
    lines = lzma.decompress(dictionary.resource("dictionary.txt.xz")).decode("utf-8").rstrip("\n").split("\n")
    words = dictionary.words()
    assert len(lines) == len(words) == 105_157
    assert min(words.values()) == 10
    assert all(f"{word} {frequency}" == line for (word, frequency), line in zip(words.items(), lines, strict=True))


def test_common_words_are_in_the_list_and_phrases_are_not():
    """Words of every report are known, a run of two words is not, and no word holds white space."""
    words = dictionary.words()
    assert {"经济", "发展", "项目", "这", "中"} <= set(words)
    assert "经济发展项目" not in words
    assert not any(character.isspace() for word in words for character in word)


def test_the_lexicon_is_sorted_single_and_free_of_space():
    """Every term stands once, in the order of code points, with no white space in it."""
    terms = dictionary.lexicon()
    assert list(terms) == sorted(set(terms)) == sorted(line.split("\t")[0].strip() for line in rows("lexicon.txt"))
    assert not any(map(str.isspace, "".join(terms)))
    assert "招商引资" in terms


def test_every_unit_stands_once_and_has_a_class():
    """The units are the rows of the shipped table, none listed twice, none without a class."""
    lines = rows("units.csv")[1:]
    units = dictionary.units()
    assert len(units) == len(lines)
    assert units == dict(line.split(",")[:2] for line in lines)
    assert all(unit and kind for unit, kind in units.items())
    assert (units["元"], units["亩"], units["公里"], units["个百分点"]) == ("money", "area", "length", "point")


def test_a_study_lexicon_is_read_from_every_text_file(tmp_path):
    """Terms of all files come sorted and once; remarks behind a tab, comment lines and other files are passed over."""
    (tmp_path / "b.txt").write_text("# names\n招商局\tname\n\n53证合一\n", encoding="utf-8-sig")
    (tmp_path / "a.txt").write_bytes("双招双引\tpolicy\r\n招商局\r\n".encode("gb18030"))
    (tmp_path / "c.csv").write_text("不读", encoding="utf-8")
    assert dictionary.read_lexicon(tmp_path) == ("53证合一", "双招双引", "招商局")


def test_a_missing_or_empty_lexicon_folder_gives_no_term(tmp_path):
    """Without files a study simply has no terms of its own."""
    assert dictionary.read_lexicon(tmp_path / "none") == dictionary.read_lexicon(tmp_path) == ()


@pytest.mark.parametrize("line", ["双招 双引 policy", "双招\u3000双引"])
def test_a_term_with_white_space_is_refused(tmp_path, line):
    """A remark behind a space instead of a tab would become part of the term, so the file is named with the fix."""
    (tmp_path / "a.txt").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ReadError, match=r"^a\.txt: the term '双招.*' holds white space\. Put a tab"):
        dictionary.read_lexicon(tmp_path)
