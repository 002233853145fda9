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
_TEXT_STEP = 16.0


def by_chance(content: bytes, start: int, end: int, *, words: int) -> bool:
    """Tell whether a hit is taken for chance.

    Parameters
    ----------
    content : bytes
        Folded content.
    start, end : int
        Where the word lies.
    words : int
        How many words of this length are searched for.
    """
    before, after = content[max(0, start - WINDOW_BYTES) : start], content[end : end + WINDOW_BYTES]
    around = before + after
    sides = [side for side in (before, after) if len(side) >= _LEAST_SIDE]
    if not sides or any(_is_text(side) or _is_header(side) for side in sides):
        return False
    counts = Counter(around)
    expected = float(len(content)) * max(words, 1)
    for byte in content[start:end]:
        expected *= (counts[byte] + 0.5) / (len(around) + 128.0)
    return expected > TOLERATED


def _is_text(around: Sequence[int]) -> bool:
    """Tell text and markup: no control characters, letters or spaces, no run of near values as pixels have."""
    if any(b in _CONTROL for b in around) or sum(b in _BETWEEN for b in around) < _LEAST_BETWEEN:
        return False
    if sum(b >= 128 for b in around) * 2 > len(around):  # another alphabet has words between spaces, bright pixels none
        return sum(b in b" \n" for b in around) * 40 >= len(around)
    rare = sum(b in _RARE for b in around)
    if rare * 12 <= len(around):
        return True
    steps = sum(abs(a - b) for a, b in pairwise(around)) / (len(around) - 1)
    return steps > _TEXT_STEP


def _is_header(around: Sequence[int]) -> bool:
    """Tell a header of fields: letters, digits and zeros, with hardly a rare mark between them."""
    letters = sum(b in _ALNUM for b in around)
    zeros = sum(b == 0 for b in around)
    rare = sum(b in _RARE for b in around)
    high = sum(b >= 128 for b in around)
    plain = letters + zeros
    return (
        plain * 2 > len(around)
        and zeros * 50 >= len(around)
        and rare <= max(2.0, _HEADER_RATIO * letters)
        and high * 8 < len(around)
    )
