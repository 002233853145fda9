"""How many cases stand behind a share: of few, a count is told, not a share of a hundred."""

from dataclasses import dataclass

from hounsfield.core.report import Figure, PartFigures

FEW = 20
"""Below so many cases a share is told as a count."""
VAIN = "false_positive_rate"
_WHOLE = 1e-6


@dataclass(frozen=True)
class Share:
    """A share of cases that were counted.

    Parameters
    ----------
    value : float
        0 to 1.
    of : int
        Cases in the denominator; 0 where that is not known, and the share then has no count.
    """

    value: float
    of: int = 0

    @property
    def counted(self) -> bool:
        """Whether `of` is known and the share is a whole number of these cases."""
        return self.of > 0 and abs(self.value * self.of - self.hits) < _WHOLE

    @property
    def hits(self) -> int:
        """Cases in the numerator, where `counted`."""
        return round(self.value * self.of)

    @property
    def misses(self) -> int:
        """Cases of the denominator that are not in the numerator, where `counted`."""
        return self.of - self.hits

    @property
    def few(self) -> bool:
        """Whether there are so few cases that the count is to be told."""
        return self.counted and self.of < FEW

    @property
    def hidden(self) -> bool:
        """Whether rounding to a hundredth would tell of none or of all where it is neither."""
        return 0.0 < self.value < 1.0 and round(100 * self.value) in (0, 100)


def share_of(figure: Figure | None, of: int) -> Share | None:
    """Return a figure that is a share of `of` cases; None where it is undefined.

    Parameters
    ----------
    figure : Figure or None
    of : int
        Cases in its denominator, 0 if unknown.
    """
    return None if figure is None or figure.value is None else Share(figure.value, max(0, of))


def vain_marks(figures: PartFigures) -> dict[str, Share]:
    """Return the share of the images without a structure in which it is marked, for each structure with such images.

    Parameters
    ----------
    figures : PartFigures
        Of a mask or of boxes; its `classes` count the images that hold each structure.

    Returns
    -------
    dict of str to Share
        Structure to share, the largest share first; ``""`` where only the mean over structures is known.
    """
    each = {name.partition(":")[2]: figure for name, figure in figures.metrics.items() if name.startswith(f"{VAIN}:")}
    only = next(iter(figures.classes), "") if len(figures.classes) == 1 else ""
    named = each or ({only: figures.metrics[VAIN]} if VAIN in figures.metrics else {})
    found = {}
    for name, figure in named.items():
        share = share_of(figure, figures.samples - figures.classes[name] if name in figures.classes else 0)
        if share is not None:
            found[name] = share
    return dict(sorted(found.items(), key=lambda item: -item[1].value))
