"""Colours of classes: told apart on grey, the same in every file."""

import colorsys

FIRST = ((255, 99, 71), (70, 200, 255), (255, 214, 10), (80, 220, 100), (230, 120, 255), (255, 160, 60))
"""Also told apart by most people who see colours differently."""
_GOLDEN = 0.6180339887498949


def colour(index: int) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of a class by its place among the classes, from 0.

    Notes
    -----
    After the first six, hues step by the golden ratio, so that neighbours in the list are never alike.
    """
    if index < len(FIRST):
        return FIRST[index]
    light = (0.62, 0.72, 0.55)[index % 3]
    red, green, blue = colorsys.hls_to_rgb((index * _GOLDEN) % 1.0, light, 0.8)
    return round(255 * red), round(255 * green), round(255 * blue)
