"""A dictionary as arrays: its words at all places of a text at once, and the likeliest division of the text into them.

The tokens are those of jieba and rjieba, which the tests hold; the module is here because arrays of places are what the
package needs, and a string for each token costs more than finding it: thousands of reports take half the time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .characters import CHARACTERS, Ids, code_points

Flags = NDArray[np.bool_]

SCALE = 2**20  # of logarithms, which are rounded to whole numbers so that sums are exact
LINE = 6  # bits of the number of a bit in a word of 64
ROOM = 4  # slots for each branch
WIDE = (64, 16, 4, 1)  # nodes are placed in this order of their branches


class Trie(NamedTuple):
    """Words as a tree of arrays. A node is a beginning of words; those of one character have the character's number.

    `number` (length `CHARACTERS`) numbers the characters that occur in words, 0 being all others. The branches of the first
    characters are bits, `width` words of 64 to a character, with the node of each word's first bit in `rank`. All further ones
    share one table: the branch of a node by a character stands at `base` of the node plus the number of the character, where
    `parent` says whose it is and `child` where it leads. Of each node `score` is the logarithm of the frequency of the word
    that ends there (0: none does), `mark` what the caller gave to it, `name` the number of that word (−1: none), `length` how
    long it or the marked word is; `apart` says whether a word of two characters is less likely than these alone. `singles` says
    whether a word of one character is marked; `longest` is the length of the longest word.
    """

    number: NDArray[np.int32]
    width: int
    bits: NDArray[np.uint64]
    rank: NDArray[np.int32]
    base: NDArray[np.int32]
    parent: NDArray[np.int32]
    child: NDArray[np.int32]
    score: NDArray[np.int32]
    mark: NDArray[np.int8]
    name: NDArray[np.int32]
    length: NDArray[np.int32]
    apart: NDArray[np.bool_]
    singles: bool
    unseen: int
    longest: int


class Arcs(NamedTuple):
    """Words that stand in a text, and where: arrays of one length."""

    start: Ids
    end: Ids
    node: NDArray[np.integer]


def plant(words: Mapping[str, int], marks: Mapping[str, int]) -> Trie:
    """Return the tree of words with their frequencies, and of marked words, which need not be among them."""
    names = [*words, *(name for name in marks if name not in words)]
    length = np.fromiter(map(len, names), np.int64, len(names))
    first = np.cumsum(length) - length
    codes = code_points("".join(names))
    frequency = np.zeros(len(names), np.int64)
    frequency[: len(words)] = list(words.values())
    number, kinds = _numbers(codes, np.repeat(frequency, length))
    branch = number[codes].astype(np.int64)
    node = branch[first] if len(names) else np.zeros(0, np.int64)
    size, levels = kinds, []
    for depth in range(1, int(length.max(initial=0))):
        longer = np.flatnonzero(length > depth)
        keys, which = np.unique(node[longer] * kinds + branch[first[longer] + depth], return_inverse=True)
        levels.append((*np.divmod(keys, kinds), size + np.arange(len(keys))))
        node[longer], size = size + which, size + len(keys)
    score, mark = np.zeros(size, np.int32), np.zeros(size, np.int8)
    name, reach = np.full(size, -1, np.int32), np.zeros(size, np.int32)
    total = math.log(max(sum(words.values()), 1))
    known = frequency > 0
    score[node[known]] = np.minimum(np.rint((np.log(frequency[known]) - total) * SCALE), -1)
    unseen = min(round(-total * SCALE), -1)
    place = {name: index for index, name in enumerate(names)} if marks else {}
    mark[node[[place[name] for name in marks]]] = list(marks.values())
    name[node[: len(words)]], reach[node] = np.arange(len(words)), length
    return Trie(
        number, (kinds >> LINE) + 1, *_bits(levels[:1], kinds), *_placed(levels[1:], size, kinds), score, mark, name, reach,
        apart=_apart(levels[:1], score, unseen), singles=any(len(name) == 1 for name in marks),
        unseen=unseen, longest=int(length.max(initial=0)),
    )  # fmt: skip


Level = tuple[Ids, Ids, Ids]  # of each branch, whose it is, by which character, and where it leads


def _bits(level: list[Level], kinds: int) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Return `bits` and `rank` of the branches of the first characters."""
    width = (kinds >> LINE) + 1
    bits = np.zeros(kinds * width, np.uint64)
    for parents, by, _ in level:
        np.bitwise_or.at(bits, parents * width + (by >> LINE), np.uint64(1) << (by & 63).astype(np.uint64))
    count = np.bitwise_count(bits).astype(np.int64)
    return bits, (kinds + np.cumsum(count) - count).astype(np.int32)


def _apart(level: list[Level], score: NDArray[np.int32], unseen: int) -> Flags:
    """Return which nodes of two characters are less likely than their characters alone, where the first may stand alone."""
    apart = np.zeros(len(score), dtype=bool)
    for first, second, node in level:
        alone = score[first].astype(np.int64) + np.where(score[second] < 0, score[second], unseen)
        apart[node] = (score[first] < 0) & (alone > score[node])
    return apart


def _numbers(codes: Ids, frequency: Ids) -> tuple[NDArray[np.int32], int]:
    """Return a number for each character that occurs, the commonest first, as they lie close together then; and how many."""
    found = np.unique(codes)
    weight = np.bincount(codes, frequency, CHARACTERS)[found] if len(codes) else np.zeros(0)
    number = np.zeros(CHARACTERS, np.int32)
    number[found[np.argsort(-weight, kind="stable")]] = np.arange(1, len(found) + 1)
    return number, len(found) + 1


def _placed(levels: list[Level], size: int, kinds: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return `base`, `parent` and `child`: each node gets a place in the table where its branches meet no others.

    Places are drawn at random and drawn again for the nodes that met others, those with most branches first.
    """
    parents, by, to = (np.concatenate([each[part] for each in levels] or [np.zeros(0, np.int64)]) for part in range(3))
    count = np.bincount(parents, minlength=size)
    first = np.cumsum(count) - count
    table = ROOM * len(parents) + kinds
    rng = np.random.default_rng(0)
    base, owner = np.zeros(size, np.int64), np.full(table + kinds, -1, np.int64)
    for least, most in zip(WIDE, (kinds + 1, *WIDE), strict=False):
        left = np.flatnonzero((count >= least) & (count < most))
        while len(left):
            base[left] = rng.integers(1, table, len(left))
            who, branches = np.repeat(left, count[left]), spread(first[left], count[left])
            place = base[who] + by[branches]
            free = owner[place] < 0
            owner[place[free]] = who[free]
            met = np.zeros(size, dtype=bool)
            met[who[owner[place] != who]] = True
            owner[place[met[who] & (owner[place] == who)]] = -1
            left = left[met[left]]
    child = np.zeros(len(owner), np.int32)
    child[base[parents] + by] = to
    return base.astype(np.int32), owner.astype(np.int32), child


def spread(starts: Ids, sizes: Ids) -> Ids:
    """Return the whole numbers of all stretches that begin at `starts` and are `sizes` long, one after the other."""
    return np.repeat(starts - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))


def find_words(trie: Trie, codes: Ids) -> tuple[Arcs, Arcs]:
    """Return the words of two or more characters and the marked words that stand in a text, each sorted by length, then place.

    All places go down the tree together, one character at a time, and those where no branch goes on drop out.
    """
    size = len(codes)
    number = np.zeros(size + trie.longest + 1, np.int64)
    number[:size] = trie.number[codes]
    first, second = number[:size], number[1 : size + 1]
    line, bit = first * trie.width + (second >> LINE), (second & 63).view(np.uint64)
    word = trie.bits[line]
    start = np.flatnonzero(word >> bit & np.uint64(1) > 0)
    below = word[start] & ((np.uint64(1) << bit[start]) - np.uint64(1))
    node, length = trie.rank[line[start]] + np.bitwise_count(below), 2
    alone = np.flatnonzero(trie.mark[first] > 0) if trie.singles else start[:0]
    starts: list[Ids] = [alone, start]
    nodes: list[NDArray[np.integer]] = [first[alone], node]
    while len(start):
        base = trie.base[node]
        onward = np.flatnonzero(base > 0)
        start = start[onward]
        place = base[onward] + number[start + length]
        kept = np.flatnonzero(trie.parent[place] == node[onward])
        start, node, length = start[kept], trie.child[place[kept]], length + 1
        starts.append(start)
        nodes.append(node)
    start, node = np.concatenate(starts), np.concatenate(nodes)
    both = Arcs(start, start + trie.length[node], node)
    whole = trie.score[node] < 0
    whole[: len(alone)] = False
    return _taken(both, np.flatnonzero(whole)), _taken(both, np.flatnonzero(trie.mark[node] > 0))


def _taken(arcs: Arcs, chosen: Ids) -> Arcs:
    return Arcs(arcs.start[chosen], arcs.end[chosen], arcs.node[chosen])


def divide(trie: Trie, codes: Ids, words: Arcs) -> tuple[Flags, Ids]:
    """Return where the likeliest division of a text into words has its edges, and which word begins at each place.

    The division whose words have the greatest product of frequencies; of equal ones that with the longer first word. A character
    that begins no word stands alone with frequency 1. `words` are those of :func:`find_words`. Places that no word crosses cut
    the text into pieces that can be divided each by itself. Six in seven of the longer pieces are one word of two characters,
    known to be likelier than its characters or not; the others are divided together, from their ends to their beginnings.

    Returns
    -------
    edge
        For each place of the text, its end included, whether there is an edge.
    node
        For each place a node whose word stands there: at edges that of the division's word, but where a word is divided into
        its characters it is still that of the word.
    """
    size, length = len(codes), words.end - words.start
    node = trie.number[codes].astype(np.int64)
    inside = np.zeros(size + 1, dtype=bool)
    for crossed in range(1, int(length.max(initial=0))):
        inside[words.start[np.searchsorted(length, crossed, side="right") :] + crossed] = True
    edge: Flags = ~inside
    cuts = np.flatnonzero(edge)
    gap = np.diff(cuts)
    pairs = np.searchsorted(length, 2, side="right")
    node[words.start[:pairs]] = words.node[:pairs]
    begin = cuts[np.flatnonzero(gap == 2)]
    edge[begin[np.flatnonzero(trie.apart[node[begin]])] + 1] = True
    long = np.flatnonzero(gap > 2)
    begin, gap = cuts[long], gap[long]
    if not len(begin):
        return edge, node
    place = spread(begin, gap)
    left = np.repeat(begin + gap, gap) - place
    order = np.argsort(left if gap.max() >= 2**16 else left.astype(np.uint16), kind="stable")
    among = np.zeros(size, dtype=bool)
    among[place] = True
    mine = _taken(words, np.flatnonzero(among[words.start]))
    onward = _best_ends(trie, codes, mine, inside, place[order], np.cumsum(np.bincount(left))[1:].tolist(), node)
    while len(begin):
        begin = onward[begin]
        begin = begin[inside[begin]]
        edge[begin] = True
    return edge, node


def _best_ends(trie: Trie, codes: Ids, words: Arcs, inside: Flags, place: Ids, steps: list[int], node: Ids) -> Ids:
    """Return for each place the end of the first word of its best division up to the end of the piece, and set its node.

    `place` are the places within pieces, those before the ends first; `steps` how many are as near as 1, 2, … characters. A
    score and the number of the arc share one integer, so that the greatest of them tells both.
    """
    size, letter = len(codes), trie.number[codes[place]]
    alone = trie.score[letter].astype(np.int64)
    more = np.bincount(words.start, minlength=size)[place]
    single = (alone < 0) | (more == 0)
    first = np.cumsum(more + single) - more - single
    total = int(more.sum() + single.sum())
    score, end, to, free = (np.empty(each, np.int64) for each in (total, total, total, size))
    free[place] = first + single
    which = np.flatnonzero(single)
    at = first[which]
    score[at], end[at], to[at] = np.where(alone < 0, alone, trie.unseen)[which], place[which] + 1, letter[which]
    worth, sizes = trie.score[words.node], words.end - words.start
    for low, high in pairwise([0, *(np.flatnonzero(np.diff(sizes)) + 1).tolist(), len(sizes)]):
        begin = words.start[low:high]
        at = free[begin]
        score[at], end[at], to[at] = worth[low:high], words.end[low:high], words.node[low:high]
        free[begin] = at + 1
    bits = total.bit_length()
    score >>= max((len(steps) * -trie.unseen).bit_length() + bits - 62, 0)
    score = score << bits | np.arange(total)
    target = np.where(inside[end], end, size + 1)
    best, done, low = np.zeros(size + 2, np.int64), 0, 0
    for until, high in zip(steps, [*first[steps[:-1]].tolist(), total], strict=True):
        places = place[done:until]
        free[places] = chosen = np.maximum.reduceat(score[low:high] + best[target[low:high]], first[done:until] - low)
        best[places] = chosen >> bits << bits
        done, low = until, high
    arc = free[place] & (1 << bits) - 1
    free[place], node[place] = end[arc], to[arc]
    return free
