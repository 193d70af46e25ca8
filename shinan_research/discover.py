"""Find terms that the dictionary does not know: what the text itself marks first, statistics after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .dictionary import resource
from .reports import HAN

SOURCES = ("annex", "quoted", "quoted+head", "statistical")
COLUMNS = ("term", "source", "count", "reports", "chapters", "known", "npmi", "left_entropy", "right_entropy")
LONGEST = 5
LONGEST_QUOTE = 12
LONGEST_BETWEEN = 4
MIN_ENTROPY = 1.5
QUOTED = re.compile(rf"[“「\"](?P<inner>[{HAN}A-Za-z0-9+\-·、.%]{{2,{LONGEST_QUOTE}}})[”」\"]")
BOUNDARY = "的和与及等为是在以并"
COPULAS = ("是", "指", "是指", "为", "分别是", "包括")
NUMBERING = re.compile(r"^[\s\d一二三四五六七八九十]*[.．、）)]\s*")

Codes = NDArray[np.int64]


class Stream(NamedTuple):
    """The tokens of all sentences in one row, each sentence between two edges (code 0).

    `beside` is the code of a token as a neighbour: every edge and every mark of punctuation has one of its own, because
    each of them sets a term off. `lexical` says which tokens may stand in a term.
    """

    words: list[str]
    codes: Codes
    beside: Codes
    lexical: NDArray[np.bool_]


class Runs(NamedTuple):
    """The runs of one length: at each place of the stream the number of the run that begins there, or −1.

    `total` and `first` are, by number, how often the run stands and its first place.
    """

    at: Codes
    total: Codes
    first: Codes


def find_terms(sentences: pd.DataFrame, tokens: pd.DataFrame, *, min_count: int = 2) -> pd.DataFrame:
    """Suggest terms for the lexicon: a table for the analyst to accept from, never merged silently.

    Four sources in this order; a string is listed under the first that yields it: headwords of the annex (名词解释);
    strings in quotation marks; a quoted string with the head noun that follows (“…”攻坚战; `resources/head_nouns.txt`);
    and, by statistics, runs of two to five tokens without words that no name holds (`resources/edge_words.txt`) whose neighbours
    vary on both sides (every mark of punctuation counts as another neighbour). What the text itself marks is listed even
    if it stands once. Pass all reports of a study together: a term found in one report alone would become a false shift.

    Parameters
    ----------
    sentences, tokens
        The tables of :func:`~shinan_research.outline.outline` and :func:`~shinan_research.tokens.tokenize`, of the same
        reports.
    min_count
        Fewest occurrences of a statistical suggestion.

    Returns
    -------
    pandas.DataFrame
        `term, source, count` (occurrences as a string, annex included), `reports` and `chapters` that hold it, `known`
        (already one token somewhere), `npmi` (the smallest over all ways to split the run in two, −1 to 1) and
        `left_entropy, right_entropy` (bits, of the tokens beside it; both at least 1.5); the last three are missing
        where the text itself marks the term. By source, then by falling `npmi` or `count`, then by term.

    Notes
    -----
    Normalised pointwise mutual information: Bouma (2009). Boundary entropy: Jin and Tanaka-Ishii (2006).

    Examples
    --------
    >>> from shinan_research.reports import Report
    >>> from shinan_research.outline import outline
    >>> from shinan_research.tokens import tokenize
    >>> text = "打响“甲乙”攻坚战。推进“甲乙”产业体系。"
    >>> sentences = outline([Report("a", "A", 2010, text, text)], witness=True)
    >>> find_terms(sentences, tokenize(sentences))[["term", "source", "count"]]
              term       source  count
    0           甲乙       quoted      2
    1   “甲乙”产业体系  quoted+head      1
    2    “甲乙”攻坚战  quoted+head      1
    """
    marked = _marked(sentences)
    statistics = _statistical(tokens, min_count)
    table = pd.DataFrame([*marked, *statistics], columns=["term", "source", "npmi", "left_entropy", "right_entropy"])
    table = table.drop_duplicates("term", ignore_index=True)
    table[["count", "reports", "chapters"]] = _places(sentences, table["term"].tolist())
    table["known"] = table["term"].isin(set(tokens["term"].astype(str)))
    table["source"] = pd.Categorical(table["source"], categories=SOURCES, ordered=True)
    table = table.astype({"npmi": float, "left_entropy": float, "right_entropy": float})
    order = table.assign(value=(-table["npmi"]).fillna(-table["count"]).round(9)).sort_values(["source", "value", "term"])
    return table.loc[order.index, list(COLUMNS)].reset_index(drop=True)


@cache
def listed_words(name: str) -> tuple[str, ...]:
    """Return the words of a resource, longest first; what follows a tab is a remark."""
    lines = (line.split("\t")[0].strip() for line in resource(name).decode("utf-8").splitlines() if not line.startswith("#"))
    return tuple(sorted({line for line in lines if line}, key=lambda word: (-len(word), word)))


def _marked(sentences: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return what the text itself marks as a term, source by source; the measures of statistics are missing."""
    heads = sentences[(sentences["part"] == "annex") & sentences["heading"].astype(bool)]["text"]
    found = [(head, "annex") for text in heads if (head := headword(text))]
    texts = sentences["text"].tolist()
    found += [(term, "quoted") for text in texts for term in quoted(text)]
    found += [(term, "quoted+head") for text in texts for term in quoted_with_head(text)]
    return [(*pair, np.nan, np.nan, np.nan) for pair in dict.fromkeys(found)]


def headword(heading: str) -> str:
    """Return the term that a glossary entry explains, or "" where its heading is a sentence (it ends in 是 or 指) or a title.

    >>> headword("3.“双随机”："), headword("“四个全面”分别是："), headword("名词解释")
    ('双随机', '', '')
    """
    head = NUMBERING.sub("", heading.strip())
    if not head.endswith((":", "：")):
        return ""
    head = head.rstrip(":： ").strip("【】[]")
    whole = QUOTED.fullmatch(head)
    if head.endswith(COPULAS) or re.search(r"解释|说明|注释|附件", head) or len(head) < 2:
        return ""
    return whole["inner"] if whole else head


def quoted(text: str) -> Iterator[str]:
    """Yield the strings in quotation marks that may be terms: 2 to 12 characters, Han in them, no mark of a clause.

    >>> list(quoted("实施“河长制”，坚持“8337”，说：“好。”"))
    ['河长制']
    """
    return (match["inner"] for match in QUOTED.finditer(text) if re.search(f"[{HAN}]", match["inner"]))


def quoted_with_head(text: str) -> Iterator[str]:
    """Yield quoted strings with the head noun behind them, at most four characters between that end no phrase.

    >>> list(quoted_with_head("“415”现代产业体系和“瞪羚”企业，“好”的企业"))
    ['“415”现代产业体系', '“瞪羚”企业']
    """
    matches = _tail().finditer(text)
    return (match.group() for match in matches if not set(match["between"]) & set(BOUNDARY))


@cache
def _tail() -> re.Pattern[str]:
    """Return the pattern of a quoted string with a head noun behind it."""
    nouns = "|".join(map(re.escape, listed_words("head_nouns.txt")))
    inner = rf"[^“”「」\"，。；：！？\n]{{1,{LONGEST_QUOTE}}}"
    return re.compile(rf"[“「\"]{inner}[”」\"](?P<between>[{HAN}]{{0,{LONGEST_BETWEEN}}}?)(?:{nouns})")


def _places(sentences: pd.DataFrame, terms: list[str]) -> pd.DataFrame:
    """Return per string how often it stands in the sentences, and in how many reports and chapters (integers)."""
    chapters = sentences.groupby(["report", "chapter"], sort=True)["text"].agg("\n".join)
    rows = []
    for term in terms:
        counts = np.array([text.count(term) for text in chapters])
        holders = chapters.index[counts > 0]
        rows.append((int(counts.sum()), holders.get_level_values("report").nunique(), len(holders)))
    return pd.DataFrame(rows, columns=["count", "reports", "chapters"], dtype=int)


def _statistical(tokens: pd.DataFrame, min_count: int) -> list[tuple[object, ...]]:
    """Return the runs of tokens that cohere and whose neighbours vary: term, source, npmi, entropy left and right."""
    stream = _stream(tokens)
    lengths = _runs(stream, max(min_count, 2))
    total = int(tokens["kind"].isin(["word", "term"]).sum())
    rows: list[tuple[object, ...]] = []
    for length, runs in enumerate(lengths[1:], 2):
        npmi = _npmi(lengths, length, total)
        left, right = (_entropy(runs, stream.beside, shift) for shift in (-1, length))
        for run in np.flatnonzero((left >= MIN_ENTROPY) & (right >= MIN_ENTROPY)).tolist():
            words = stream.codes[runs.first[run] : runs.first[run] + length].tolist()
            name = "".join(stream.words[word] for word in words)
            rows.append((name, "statistical", float(npmi[run]), float(left[run]), float(right[run])))
    return sorted(rows, key=lambda row: (row[0], -float(str(row[2]))))


def _stream(tokens: pd.DataFrame) -> Stream:
    """Return the tokens in one row, an edge before and after each sentence."""
    surface = tokens["term"].astype(str).to_numpy(dtype=object)
    number, words = pd.factorize(surface, sort=True)
    key = tokens[["report", "sentence"]].to_numpy(dtype=object)
    opens = np.append(True, (key[1:] != key[:-1]).any(axis=1))[: len(key)]
    place = np.arange(len(key)) + np.cumsum(opens)
    codes = np.zeros(len(key) + int(opens.sum()) + 1, dtype=np.int64)
    codes[place] = number + 1
    lexical = np.zeros(len(codes), dtype=bool)
    lexical[place] = tokens["kind"].isin(["word", "term"]).to_numpy() & ~np.isin(
        surface.astype(str), listed_words("edge_words.txt")
    )
    free = codes == 0
    free[place] = tokens["kind"].to_numpy() == "punct"
    beside = np.where(free, len(words) + np.arange(len(codes)) + 1, codes)
    return Stream(["", *map(str, words)], codes, beside, lexical)


def _runs(stream: Stream, min_count: int) -> list[Runs]:
    """Return the runs of one, two … tokens; from two tokens on only those that stand at least `min_count` times."""
    at = np.where(stream.lexical, stream.codes, -1)
    lengths = [_numbered(at, 1)]
    for length in range(2, LONGEST + 1):
        before, size = lengths[-1].at, len(stream.words)
        last = np.append(np.where(stream.lexical, stream.codes, -1)[length - 1 :], np.full(length - 1, -1))[: len(at)]
        joined = np.where((before >= 0) & (last >= 0), before * size + last, -1)
        lengths.append(_numbered(joined, min_count))
    return lengths


def _numbered(keys: Codes, min_count: int) -> Runs:
    """Return the keys numbered from 0, ascending; −1, and keys that stand less than `min_count` times, get no number."""
    unique, first, inverse, count = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    keep = (unique >= 0) & (count >= min_count)
    number = np.where(keep, np.cumsum(keep) - 1, -1)
    return Runs(number[inverse], count[keep], first[keep])


def _npmi(lengths: list[Runs], length: int, total: int) -> NDArray[np.float64]:
    """Return per run of a length the smallest normalised pointwise mutual information over its splits in two.

    `total` is the number of words and terms in the text.
    """
    runs = lengths[length - 1]
    smallest = np.full(len(runs.total), np.inf)
    joint = runs.total / max(total, 1)
    for cut in range(1, length):
        left, right = lengths[cut - 1], lengths[length - cut - 1]
        parts = left.total[left.at[runs.first]] * right.total[right.at[runs.first + cut]] / max(total, 1) ** 2
        smallest = np.minimum(smallest, np.log(joint / parts) / np.maximum(-np.log(joint), 1e-12))
    return smallest


def _entropy(runs: Runs, beside: Codes, shift: int) -> NDArray[np.float64]:
    """Return per run the entropy in bits of the neighbours that stand `shift` places from its first token."""
    place, size = np.flatnonzero(runs.at >= 0), int(beside.max(initial=0)) + 1
    pairs, count = np.unique(runs.at[place] * size + beside[place + shift], return_counts=True)
    owner = pairs // size
    share = count / runs.total[owner]
    bits = np.bincount(owner, weights=-share * np.log2(share), minlength=len(runs.total))
    return np.asarray(bits, dtype=np.float64)
