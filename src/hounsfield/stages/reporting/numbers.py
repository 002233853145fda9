"""How a figure is written: value, interval, unit, or why there is none."""

import math

from hounsfield.core.report import Figure
from hounsfield.stages.reporting.words import Both, MetricWords

ABSENT = "–"


def written(value: float | None, how: str = "decimal") -> str:
    """Write one number.

    Parameters
    ----------
    value : float or None
        The number; None or not finite gives a dash.
    how : str
        ``decimal``, ``signed``, ``percent``, ``number`` or ``count``.
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    if how == "percent":
        text = f"{100 * value:.1f}%"
    elif how == "signed":
        text = f"{value:+.3f}"
    elif how == "count":
        text = f"{value:.0f}"
    elif how == "number":
        text = significant(value)
    else:
        text = f"{value:.3f}"
    return text.replace("-", "\N{MINUS SIGN}")


def significant(value: float) -> str:
    """Write a number with three significant digits and no exponent for ordinary sizes."""
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e7:
        return f"{value:.2e}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"


def interval(figure: Figure, how: str = "decimal") -> str:
    """Write the interval of a figure, ``""`` where it has none."""
    if figure.low is None or figure.high is None:
        return ""
    low, high = written(figure.low, how), written(figure.high, how)
    if how == "percent":
        low = low.removesuffix("%")
    return f"{low}\N{EN DASH}{high}" if "\N{MINUS SIGN}" not in low + high else f"{low} … {high}"


def with_interval(figure: Figure | None, how: str = "decimal") -> str:
    """Write a figure with its interval in brackets."""
    if figure is None:
        return ABSENT
    bounds = interval(figure, how)
    return f"{written(figure.value, how)} ({bounds})" if bounds else written(figure.value, how)


def change(figure: Figure, words: MetricWords) -> str:
    """Write a difference of two figures with its interval, always signed; of shares in percentage points."""
    scale, places = (100.0, 1) if words.format == "percent" else (1.0, 3)

    def one(value: float | None) -> str:
        if value is None or not math.isfinite(value):
            return ABSENT
        return f"{scale * value:+.{places}f}".replace("-", "\N{MINUS SIGN}")

    bounds = f" ({one(figure.low)} … {one(figure.high)})" if figure.low is not None else ""
    return one(figure.value) + bounds


def in_unit(text: str, unit: str) -> Both:
    """Append a unit where there is one."""
    return Both.same(f"{text} {unit}" if unit else text)


def minutes(seconds: float | None) -> str:
    """Write a duration as a person says it."""
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min"
