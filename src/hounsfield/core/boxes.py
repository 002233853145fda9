"""Boxes around findings in pictures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A box in a picture.

    Parameters
    ----------
    x, y : float
        Left and upper edge, pixels from the left and upper edge of the picture.
    width, height : float
        Pixels, above 0.
    cls : int
        Place of its class, from 0.
    score : float
        How surely there is something, 0 to 1; 1 for what a person drew.
    """

    x: float
    y: float
    width: float
    height: float
    cls: int = 0
    score: float = 1.0

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height
