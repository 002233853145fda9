"""Finds text that is burned into a picture: lines of marks that look like letters, whatever they say."""

import numpy as np

from hounsfield.core.types import AnyArray, BoolArray, Float32Array, Float64Array, IntArray
from hounsfield.privacy._generated.letter_lines import INTERCEPT, LINEAR, MEAN, PRODUCTS, SCALE
from hounsfield.privacy.glyphs import Marks, lines_of, marks_of

SURE, LIKELY = 0.5, 0.15
"""A line of at least the first probability is text; one of the second is, beside or under such a line."""

LEAST_LETTERS = 1.3
"""Base-2 logarithm of the fewest letters that make a line by themselves: two and a half."""

FINER, FINEST = 400, 1600
"""Pictures with a longer side are looked at in half size too, in a quarter too: letters of any size are found."""

FEATURES = (
    "marks", "core", "contrast", "peak", "sharpness", "flatness", "stroke", "fill", "upright", "level",
    "peak spread", "height spread", "stroke spread", "base spread", "top spread", "length", "height",
)  # fmt: skip
"""What is measured of a line, in the order of `describe`."""


def describe(marks: Marks, line: IntArray) -> Float64Array:
    """Return what is measured of a line of marks, see `FEATURES`."""
    height = float(np.median(marks.height[line]))

    def spread(values: AnyArray) -> float:
        numbers = values.astype(np.float64)
        return float(np.median(np.abs(numbers - np.median(numbers))))

    left, right = marks.left[line].min(), marks.right[line].max()
    letters = float(np.maximum(1.0, marks.width[line] / (0.8 * marks.height[line])).sum())
    return np.array(
        [
            np.log2(letters),
            marks.core[line].mean(),
            np.log2(marks.contrast[line].mean()) - 6,
            marks.peak[line].mean() / 255,
            marks.sharpness[line].mean(),
            np.log2(1 + marks.flatness[line].mean()) - 4,
            (marks.stroke[line] / marks.height[line]).mean(),
            marks.fill[line].mean(),
            marks.upright[line].mean(),
            marks.level[line].mean(),
            float(marks.peak[line].std()) / 16,
            float(marks.height[line].std()) / height,
            float(marks.stroke[line].std()) / float(marks.stroke[line].mean()),
            min(spread(marks.bottom[line]), spread(marks.top[line])) / height,
            max(spread(marks.bottom[line]), spread(marks.top[line])) / height,
            np.log2((right - left) / height),
            np.log2(height) - 3,
        ]
    )


def probability(features: Float64Array) -> float:
    """Return how likely a line is text: a logistic regression on the features, their squares and products."""
    scaled = (features - MEAN) / SCALE
    score = INTERCEPT + scaled @ LINEAR + scaled @ PRODUCTS @ scaled
    return float(1.0 / (1.0 + np.exp(-np.clip(score, -50.0, 50.0))))


def text_mask(picture: AnyArray) -> BoolArray:
    """Return which pixels belong to text drawn into a picture, with a margin.

    Parameters
    ----------
    picture : numpy.ndarray
        ``y x`` or ``y x c``, any integer or floating dtype; for indices of a palette give the colours.

    Returns
    -------
    numpy.ndarray
        ``y x``, bool; all False where nothing looks like text.

    Notes
    -----
    Letters are looked for as thin marks of one grey value with sharp borders, bright or dark, that stand in a line.
    What they say is not read, so any script with separate marks counts. It misses some: single letters, letters
    with little contrast, handwriting, lines that are not level. `benchmarks/accuracy/pixel_text.py` measures how many.
    """
    bright, dark = both_ways(picture)
    covered: BoolArray = np.zeros(bright.shape, dtype=bool)
    longest = max(bright.shape)
    for step in (1, 2, 4):
        if step > 1 and longest <= (FINER if step == 2 else FINEST):
            continue
        for grey in (bright, dark):
            found = _found(_reduced(grey, step))
            if found.any():
                large: BoolArray = found.repeat(step, axis=0).repeat(step, axis=1)
                rows, columns = large.shape  # a row or column that does not fill a tile is looked at in full size only
                covered[:rows, :columns] |= large
    return covered


def both_ways(picture: AnyArray) -> tuple[Float32Array, Float32Array]:
    """Return the picture so that bright letters are bright, and so that dark letters are, 0 to 255."""
    values = np.asarray(picture, dtype=np.float32)
    if values.ndim == 3:
        highest, mean = values[..., :3].max(axis=-1), values[..., :3].mean(axis=-1)
    else:
        highest = mean = values
    low, high = (float(v) for v in np.percentile(highest, [0.1, 99.9]))
    if high <= low:
        low, high = float(highest.min()), max(float(highest.max()), float(highest.min()) + 1.0)
    stretch = 255.0 / (high - low)
    bright = np.clip((highest - low) * stretch, 0, 255).astype(np.float32)
    dark = np.clip(255.0 - (mean - low) * stretch, 0, 255).astype(np.float32)
    return bright, dark


def _reduced(grey: Float32Array, step: int) -> Float32Array:
    if step == 1:
        return grey
    rows, columns = grey.shape[0] // step * step, grey.shape[1] // step * step
    tiles = grey[:rows, :columns].reshape(rows // step, step, columns // step, step)
    reduced: Float32Array = tiles.mean(axis=(1, 3), dtype=np.float32)
    return reduced


def _found(grey: Float32Array) -> BoolArray:
    """Return the boxes of lines that are text, of bright letters."""
    covered = np.zeros(grey.shape, dtype=bool)
    marks = marks_of(grey)
    lines = lines_of(marks)
    chances = [_chance(marks, line) for line in lines]
    for line, chance in zip(lines, chances, strict=True):
        if chance >= SURE:
            _cover(covered, marks, line, 1.0)
    if not covered.any():
        return covered
    near = np.zeros_like(covered)
    for line, chance in zip(lines, chances, strict=True):
        if chance >= SURE:
            _cover(near, marks, line, 4.0)
    for line, chance in zip(lines, chances, strict=True):
        if LIKELY <= chance < SURE and near[marks.top[line].min(), marks.left[line].min()]:
            _cover(covered, marks, line, 1.0)
    return covered


def _chance(marks: Marks, line: IntArray) -> float:
    features = describe(marks, line)
    chance = probability(features)
    return chance if features[0] >= LEAST_LETTERS else min(chance, SURE - 1e-6)


def _cover(covered: BoolArray, marks: Marks, line: IntArray, margins: float) -> None:
    """Cover the box of a line with a margin of a part of its height: for dots, accents and blurred borders."""
    height = int(np.median(marks.height[line]))
    up, aside = int(margins * max(3, 0.35 * height)), int(margins * max(3, 0.6 * height))
    top, bottom = max(0, int(marks.top[line].min()) - up), int(marks.bottom[line].max()) + up
    left, right = max(0, int(marks.left[line].min()) - aside), int(marks.right[line].max()) + aside
    covered[top:bottom, left:right] = True
