"""What boxes from maps leave: ``boxes.json``, and what is said of them in a terminal."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from hounsfield.core.report import Figure
from hounsfield.stages.explaining.boxes import USUAL
from hounsfield.stages.explaining.localising import CHOSEN, GREY, LEAST, MIDDLE, RANDOM
from hounsfield.stages.explaining.result import LeftOut
from hounsfield.stages.explaining.words import method_words

Reason = Literal["", "no better than a random box", "map no better than random", "map speaks for no place"]
_NAMES = {
    CHOSEN: "chosen map",
    RANDOM: "random box",
    MIDDLE: "middle box",
    GREY: "brightest or darkest",
}


class ChosenShare(BaseModel):
    """Which map is cut at which share of its highest value, for one group of images.

    Attributes
    ----------
    group : int
        -1: images without an outline of their own.
    method : str
    share : float
    images : int
        Outlined images by which it was chosen; 0: it is the usual share, nothing was there to choose by.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    group: int
    method: str
    share: float
    images: int


class BoxFound(BaseModel):
    """One image in which the model sees a finding.

    Attributes
    ----------
    sample : str
    finding : str
        What is boxed: a class, a label, ``at least <level>``.
    probability : float or None
        Of the finding.
    method : str
    share : float
    low, high : tuple of int
        First voxel, and the one behind the last, on the image's own grid, ``y x`` or ``z y x``; empty where there is
        no box.
    shown : bool
        Whether the box is handed out.
    reason : str
        Why not.
    held_out : bool or None
        Whether the model has not been trained on the image, where that is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    sample: str
    finding: str
    probability: float | None = None
    method: str
    share: float
    low: tuple[int, ...] = ()
    high: tuple[int, ...] = ()
    shown: bool
    reason: Reason = ""
    held_out: bool | None = None


class Boxes(BaseModel):
    """All of ``boxes.json``.

    Attributes
    ----------
    hounsfield, created, cohort, part, target : str
        As in ``explain.json``.
    findings : tuple of str
        Classes that are boxed.
    methods : tuple of str
    mask : str
        Name of the outlines, ``""`` where there are none.
    looked_at : int
        Images that were judged.
    without_finding : int
        Those in which the model sees none.
    outlined : int
        Outlined images among `looked_at`.
    outlined_without_finding : int
        Those in which the model sees no finding; they have no box and no part in the scores.
    scored : int
        Outlined images that boxes were scored on; none of them was trained on.
    chosen_by : str
        ``validation images``, ``images of other folds``, ``images of other patients`` or ``rule``.
    chosen : tuple of ChosenShare
    figures : dict of str to dict of str to Figure
        See `hounsfield.stages.explaining.localising.judge`; empty where fewer than ten outlined images are there.
    differences : dict of str to dict of str to Figure
    shown : bool or None
        Whether boxes passed on outlined images; None where each had to pass by itself.
    images : tuple of BoxFound
    left_out : tuple of LeftOut
    seconds : float
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    hounsfield: str
    created: str
    cohort: str
    part: Literal["test", "cv", "elsewhere", "files"]
    target: str
    findings: tuple[str, ...]
    methods: tuple[str, ...]
    mask: str = ""
    looked_at: int
    without_finding: int
    outlined: int = 0
    outlined_without_finding: int = 0
    scored: int = 0
    chosen_by: Literal["validation images", "images of other folds", "images of other patients", "rule"]
    chosen: tuple[ChosenShare, ...]
    figures: dict[str, dict[str, Figure]] = {}
    differences: dict[str, dict[str, Figure]] = {}
    shown: bool | None = None
    images: tuple[BoxFound, ...]
    left_out: tuple[LeftOut, ...] = ()
    seconds: float = 0.0


def opening(found: Boxes) -> tuple[str, ...]:
    """Return what a reader wants to know first, a sentence each."""
    boxed = sum(i.shown for i in found.images)
    lines = [
        f"{boxed} boxes in {found.looked_at} images; in {found.without_finding} the model sees no finding "
        f"({', '.join(found.findings)})."
    ]
    if found.figures:
        lines.append(_verdict(found))
    else:
        lines.append(
            f"There are {found.scored} outlined images to score boxes on, and {LEAST} are needed: each map had to be "
            "better than random maps by itself; how well a box lies on a finding is not known."
        )
    used = sorted({f"{method_words(c.method).en} at {c.share:.0%}" for c in found.chosen})
    how = (
        f"a rule ({USUAL:.0%} of the highest value; too few outlined images to choose by)"
        if found.chosen_by == "rule"
        else found.chosen_by
    )
    lines.append(f"Cut where a map reaches a share of its highest value: {', '.join(used)}; chosen by {how}.")
    if found.outlined_without_finding:
        lines.append(
            f"In {found.outlined_without_finding} of {found.outlined} outlined images the model sees no finding: "
            "they have no box and no part in the scores."
        )
    if any(i.held_out is False for i in found.images):
        lines.append(
            f"{sum(i.held_out is False for i in found.images)} of the images were trained on, and are not scored."
        )
    lines.append(
        "A box says which places the network uses. It does not say that the disease is there, nor nowhere else."
    )
    return tuple(lines)


def _verdict(found: Boxes) -> str:
    above = found.differences[RANDOM]["box_iou"]
    lead = (
        f"{_number(above.value, signed=True)} ({_number(above.low, signed=True)} to {_number(above.high, signed=True)})"
    )
    if not found.shown:
        return (
            f"No box is shown: on {found.scored} outlined images boxes lie no better than boxes of their size at "
            f"random places (IoU {lead})."
        )
    middle = found.differences[MIDDLE]["box_iou"]
    extra = "" if (middle.low or 0.0) > 0 else " They are not surely better than one box in the middle of every image."
    return f"On {found.scored} outlined images the boxes are better than random ones: IoU {lead}.{extra}"


def rows(found: Boxes) -> list[list[str]]:
    """Return the table of scores: a row for each map and baseline, figures with their 95% interval."""
    order = [CHOSEN, *found.methods, RANDOM, MIDDLE, GREY]
    return [
        [_NAMES.get(name, method_words(name).en), *(_cell(found.figures[name].get(key)) for key in COLUMNS)]
        for name in order
        if name in found.figures
    ]


COLUMNS = {
    "pointing": "highest inside",
    "box_iou": "IoU of box",
    "box_half": "box IoU >= .5",
    "region_iou": "IoU of region",
}
"""Figures of the table and their headings."""


def _cell(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "-"
    inside = "" if figure.low is None else f" ({_number(figure.low)} to {_number(figure.high)})"
    return f"{_number(figure.value)}{inside}"


def _number(value: float | None, *, signed: bool = False) -> str:
    return "-" if value is None else f"{value:{'+' if signed else ''}.2f}"
