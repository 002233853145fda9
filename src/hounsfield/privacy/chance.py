"""Whether a few bytes that spell a word may stand among pixels or samples by chance.

A patient number of four digits is four dark pixels. In text every hit counts. Where the bytes around it are samples, it
counts unless so many bytes with that distribution would spell one of so many words anyway.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

WINDOW_BYTES = 192
"""Looked at on either side."""
TOLERATED = 1e-4
"""Expected number of hits by chance in the whole content, from which on a hit among samples is taken for chance."""

_CONTROL = frozenset(range(32)) - {9, 10, 13} | {127}
_RARE = frozenset(b"!\"#$%&'*+;<=>?[]`{|}~")
_ALNUM = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LEAST_SIDE = 32
_BETWEEN = frozenset(b" \t\r\nabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") | frozenset(range(128, 256))
_LEAST_BETWEEN = 4
_HEADER_RATIO = 0.08
_ALIKE = 0.4
"""Chance that a sample is as its neighbour is."""
_LEAST_LETTERS = 3
"""Of a header: zeros alone lie before a picture as well."""
_TEXT_STEP = 16.0
_LEAST_MARKS = 6
_FEW_MARKS, _NUMBER_STEP = 3, 2.0
"""Kinds of marks in a list of numbers, and the mean step in one: digits that follow one another differ by 3.3."""
_PIXEL_STEP = 3.0
"""Mean step from byte to byte: neighbours in a smooth picture differ by less, those in a text by more."""


def by_chance(content: bytes, start: int, end: int, *, words: int, size: int = 0) -> bool:
    """Tell whether a hit is taken for chance.

    Parameters
    ----------
    content : bytes
        Folded content.
    start, end : int
        Where the word lies.
    words : int
        How many words of this length are searched for.
    size : int
        Bytes that were searched in all, where they are more than the content.
    """
    before, after = content[max(0, start - WINDOW_BYTES) : start], content[end : end + WINDOW_BYTES]
    around = before + after
    sides = [side for side in (before, after) if len(side) >= _LEAST_SIDE]
    if not sides or any(_is_text(side) or _is_header(side) for side in sides):
        return False
    counts = Counter(around)
    expected = float(max(len(content), size)) * max(words, 1)
    word = content[start:end]
    for number, byte in enumerate(word):
        share = (counts[byte] + 0.5) / (len(around) + 128.0)
        # neighbours in a picture are alike
        expected *= max(share, _ALIKE) if number and byte == word[number - 1] and counts[byte] else share
    return expected > TOLERATED


def _is_text(around: Sequence[int]) -> bool:
    """Tell text and markup: no control characters, letters or spaces, no run of near values as pixels have."""
    if any(b in _CONTROL for b in around):
        return False
    steps = sum(abs(a - b) for a, b in pairwise(around)) / (len(around) - 1)
    marks = set(around) - _ALNUM
    if len(marks) <= _FEW_MARKS and steps >= _NUMBER_STEP and max(around) < 127:  # a list of numbers
        return True
    if sum(b in _BETWEEN for b in around) < _LEAST_BETWEEN:
        return False
    if sum(b >= 128 for b in around) * 2 > len(around):  # another alphabet has words between spaces, bright pixels none
        return sum(b in b" \n" for b in around) * 40 >= len(around)
    rare = sum(b in _RARE for b in around)
    if rare * 12 <= len(around):
        # numbers between dots have small steps, too, but only a few kinds of marks between them
        return steps > _PIXEL_STEP or (steps >= _NUMBER_STEP and len(marks) < _LEAST_MARKS)
    return steps > _TEXT_STEP


def _is_header(around: Sequence[int]) -> bool:
    """Tell a header of fields: letters, digits and zeros, with hardly a rare mark between them."""
    letters = sum(b in _ALNUM for b in around)
    zeros = sum(b == 0 for b in around)
    rare = sum(b in _RARE for b in around)
    high = sum(b >= 128 for b in around)
    plain = letters + zeros
    return (
        letters >= _LEAST_LETTERS
        and plain * 2 > len(around)
        and zeros * 50 >= len(around)
        and rare <= max(2.0, _HEADER_RATIO * letters)
        and high * 8 < len(around)
    )
