"""Responses of a separable filter pooled over the right-angle rotations (IBSI 2, "Rotation invariance").

There are 24 rotations of a cube onto itself, and 4 of a square. To filter the rotated volume and turn the response back
is to filter the volume with permuted and reversed matrices: nothing is rotated, and what is equal is computed once.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import permutations, product

import numpy as np

from hounsfield.core.types import Float64Array, FloatArray
from hounsfield.science.radiomics.filters.separable import Key, Keys, Matrices, greatest, weighted_sum

_SAME = 1e-12


class Pooling(StrEnum):
    """How the responses to all rotations are made one."""

    NONE = "none"
    AVERAGE = "average"
    MAX = "max"


def pooled(volume: FloatArray, parts: Matrices, letters: tuple[str, ...], pooling: Pooling) -> FloatArray:
    """Return the response of a separable filter, pooled over rotations or as it is.

    Parameters
    ----------
    volume : numpy.ndarray
        ``z y x``, float32 or float64.
    parts : tuple of mapping
        For z, y and x the matrices of all letters; an empty mapping for z where slices are filtered by themselves.
    letters : tuple of str
        The filter's part along z, y, x, or along y, x.
    pooling : Pooling

    Returns
    -------
    numpy.ndarray
        ``z y x``, of the volume's type.
    """
    if pooling == Pooling.NONE:
        return weighted_sum(volume, parts, {_keys(letters): 1.0})
    if pooling == Pooling.AVERAGE:
        return _average(volume, parts, letters)
    return _maximum(volume, parts, letters)


def _average(volume: FloatArray, parts: Matrices, letters: tuple[str, ...]) -> FloatArray:
    """Average over all rotations.

    Notes
    -----
    With ``A = S + T``, ``S`` unchanged and ``T`` negated when the axis is reversed, products that have ``T`` along some
    axes only cancel between rotations. What stays is the mean over permutations of ``S S S``, plus that of ``T T T``
    with the sign of the permutation: 6 products, of which many are equal, in place of 24.
    """
    halves = tuple(_halves(of) for of in parts)
    terms: dict[Keys, float] = {}
    orders = list(permutations(range(len(letters))))
    for order in orders:
        turned = [letters[i] for i in order]
        for half, weight in (("even", 1.0), ("odd", float(_parity(order)))):
            keys = _keys(tuple((letter, half) for letter in turned))
            terms[keys] = terms.get(keys, 0.0) + weight / len(orders)
    first = 3 - len(letters)
    kept = {
        keys: weight
        for keys, weight in terms.items()
        if abs(weight) > _SAME and all(halves[axis][keys[axis]].any() for axis in range(first, 3))
    }
    return weighted_sum(volume, (halves[0], halves[1], halves[2]), kept)


def _maximum(volume: FloatArray, parts: Matrices, letters: tuple[str, ...]) -> FloatArray:
    """Take the greatest over all rotations; a part that is its own reverse, or that negated, is not done twice."""
    reversed_too: list[dict[Key, Float64Array]] = []
    told: list[dict[tuple[str, int], tuple[Key, int]]] = []
    for of in parts:
        keys: dict[tuple[str, int], tuple[Key, int]] = {}
        matrices: dict[Key, Float64Array] = {}
        for letter, matrix in of.items():
            matrices[letter] = matrix
            keys[str(letter), 1] = (letter, 1)
            back = matrix[::-1, ::-1]
            sign = next((s for s in (1, -1) if _close(back, s * matrix)), 0)
            if not sign:
                matrices[str(letter), "reversed"] = back
            keys[str(letter), -1] = (letter, sign) if sign else ((str(letter), "reversed"), 1)
        reversed_too.append(matrices)
        told.append(keys)
    first = 3 - len(letters)
    terms: dict[Keys, frozenset[int]] = {}
    for order in permutations(range(len(letters))):
        for ways in product((1, -1), repeat=len(letters)):
            if _parity(order) * int(np.prod(ways)) != 1:
                continue  # a reflection
            found = [told[first + axis][letters[order[axis]], ways[axis]] for axis in range(len(letters))]
            keys_of = _keys(tuple(key for key, _ in found))
            terms[keys_of] = terms.get(keys_of, frozenset()) | {int(np.prod([sign for _, sign in found]))}
    return greatest(volume, (reversed_too[0], reversed_too[1], reversed_too[2]), terms)


def _keys(of: tuple[Key, ...]) -> Keys:
    return (of[0], of[1], of[2]) if len(of) == 3 else (None, of[0], of[1])


def _parity(order: tuple[int, ...]) -> int:
    swaps = sum(order[i] > order[j] for i in range(len(order)) for j in range(i + 1, len(order)))
    return -1 if swaps % 2 else 1


def _close(one: Float64Array, other: Float64Array) -> bool:
    return bool(np.abs(one - other).max() <= _SAME * np.abs(other).max())


def _halves(of: Mapping[Key, Float64Array]) -> dict[Key, Float64Array]:
    made: dict[Key, Float64Array] = {}
    for letter, matrix in of.items():
        back = matrix[::-1, ::-1]
        for half, part in (("even", (matrix + back) / 2), ("odd", (matrix - back) / 2)):
            nothing = np.abs(part).max() <= _SAME * np.abs(matrix).max()
            made[str(letter), half] = np.zeros_like(part) if nothing else part
    return made
