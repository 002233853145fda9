"""The document that an explanation leaves: ``explain.json``."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hounsfield.stages.explaining.faithfulness import Verdict
from hounsfield.stages.explaining.pointing import Pointed, share_with_interval

SAME = 0.5
"""Rank correlation with the maps of wholly randomised weights from which a map counts as the same."""


class MapScores(BaseModel):
    """One map of one image.

    Attributes
    ----------
    method : str
    deletion, insertion, faithfulness : float
        Areas under the curves, and insertion less deletion.
    random_mean, random_std : float
        Faithfulness of random maps of the same coarseness.
    z : float or None
    p : float
        One-sided, against the random maps.
    centre : float
        Faithfulness of a blob in the middle of the image.
    better_than_centre : bool
    randomised : tuple of float
        Rank correlation of the map with those of the same network whose top quarter, upper half and all layers have
        fresh weights.
    stays_the_same : bool
        Whether the last of these is so high that the map shows the image more than the network.
    shown : bool
        Whether the map is shown as an explanation.
    reason : str
        Why not, else ``""``.
    peak : tuple of int
        Highest place, ``y x`` or ``z y x``, at the network's input size; of a signal the step.
    peak_s : float or None
        Of a signal: when in the record that is, seconds.
    in_mask : bool or None
        Whether it lies in the mask, where there is one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    method: str
    deletion: float
    insertion: float
    faithfulness: float
    random_mean: float
    random_std: float
    z: float | None
    p: float
    centre: float
    better_than_centre: bool
    randomised: tuple[float, ...] = ()
    stays_the_same: bool = False
    shown: bool
    reason: Literal["", "no better than random", "answer hardly depends on the image"] = ""
    peak: tuple[int, ...]
    peak_s: float | None = None
    in_mask: bool | None = None


class Explained(BaseModel):
    """One image or signal.

    Attributes
    ----------
    sample : str
    picture : str
        File name of its picture; a number and a hash, no identifier.
    answer : str
        What is explained: a class, ``at least <level>``, ``above average``.
    predicted, truth : str
        What the model says, and the answer where known, else ``""``.
    correct : bool or None
    score : float
        Probability of the explained answer; for a number, standard deviations from the average.
    blank : float
        The same for the strongly blurred image, or for the mean of the signal.
    effect, untrained : float
        Difference of the log-odds (or numbers) of both, and its median over networks with fresh weights.
    p_effect : float
        One-sided, against those networks.
    held_out : bool or None
        True where the members that were explained have not seen the image, False where they were trained on it.
    flags : tuple of str
        Why the answer should be doubted.
    maps : tuple of MapScores
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    sample: str
    picture: str
    answer: str
    predicted: str
    truth: str = ""
    correct: bool | None = None
    score: float
    blank: float
    effect: float
    untrained: float
    p_effect: float
    held_out: bool | None = None
    flags: tuple[str, ...] = ()
    maps: tuple[MapScores, ...]

    @property
    def explained(self) -> bool:
        """Whether any map is shown."""
        return any(m.shown for m in self.maps)


class Pointing(BaseModel):
    """The pointing game of one method over images with a mask that is not empty.

    Attributes
    ----------
    method : str
        A method, ``centre`` (the middle of the image), or ``shown`` behind a method: its shown maps only.
    images : int
    rate, low, high : float
        Share of images whose map is highest inside the mask, with Wilson's 95% interval.
    rate_near, low_near, high_near : float
        The same within the tolerance.
    chance, chance_near : float
        Mean share of the image that the mask covers: what a random place would hit.
    centre, centre_near : float
        Share of images whose middle lies inside.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    method: str
    images: int
    rate: float
    low: float
    high: float
    rate_near: float
    low_near: float
    high_near: float
    chance: float
    chance_near: float
    centre: float
    centre_near: float


class LeftOut(BaseModel):
    """An image that is not explained, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sample: str
    reason: str


class Explanations(BaseModel):
    """All of ``explain.json``.

    Attributes
    ----------
    hounsfield, created, cohort : str
    part : str
        ``test``, ``cv`` (each image by members that have not seen it), ``elsewhere`` or ``files``.
    kind : str
        ``image`` or ``signal``: what is explained.
    target : str
    classes : tuple of str
    methods : tuple of str
    random_maps : int
        Random maps beside each map; by chance alone about ``1 / (random_maps + 1)`` of maps would be shown.
    members : int
        Most members that looked at one image.
    voiceless : int
        Members that are no networks: heard in curves and occlusion, but without gradients.
    images : tuple of Explained
    pointing : tuple of Pointing
    mask : str
        Name of the outlines of the pointing game, ``""`` where there are none.
    tolerance : float
        Of the pointing game, share of the longest edge.
    left_out : tuple of LeftOut
    seconds : float
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    hounsfield: str
    created: str
    cohort: str
    part: Literal["test", "cv", "elsewhere", "files"]
    kind: Literal["image", "signal"] = "image"
    target: str
    classes: tuple[str, ...] = ()
    methods: tuple[str, ...]
    random_maps: int
    members: int
    voiceless: int = 0
    images: tuple[Explained, ...]
    pointing: tuple[Pointing, ...] = ()
    mask: str = ""
    tolerance: float
    left_out: tuple[LeftOut, ...] = ()
    seconds: float = 0.0


def map_scores(
    method: str,
    verdict: Verdict,
    *,
    randomised: Sequence[float],
    depends: bool,
    peak: tuple[int, ...],
    in_mask: bool | None,
) -> MapScores:
    """Return the scores of a map and whether it is shown.

    Parameters
    ----------
    method : str
    verdict : Verdict
    randomised : sequence of float
        Rank correlations, the last with all weights randomised; empty where no member is a network.
    depends : bool
        Whether the answer depends on the image more than an untrained network's.
    peak : tuple of int
    in_mask : bool or None
    """
    better = verdict.better_than_random
    return MapScores(
        method=method,
        deletion=verdict.deletion,
        insertion=verdict.insertion,
        faithfulness=verdict.faithfulness,
        random_mean=verdict.random_mean,
        random_std=verdict.random_std,
        z=verdict.z,
        p=verdict.p,
        centre=verdict.centre,
        better_than_centre=verdict.faithfulness > verdict.centre,
        randomised=tuple(randomised),
        stays_the_same=bool(randomised) and randomised[-1] >= SAME,
        shown=better and depends,
        reason=""
        if better and depends
        else "no better than random"
        if depends
        else "answer hardly depends on the image",
        peak=peak,
        in_mask=in_mask,
    )


def pointing_of(method: str, games: Sequence[Pointed]) -> Pointing:
    """Return the rates of one method over images, at least one."""
    rate, low, high = share_with_interval([g.hit for g in games])
    near, low_near, high_near = share_with_interval([g.near for g in games])
    count = len(games)
    return Pointing(
        method=method,
        images=count,
        rate=rate,
        low=low,
        high=high,
        rate_near=near,
        low_near=low_near,
        high_near=high_near,
        chance=sum(g.share for g in games) / count,
        chance_near=sum(g.share_near for g in games) / count,
        centre=sum(g.middle for g in games) / count,
        centre_near=sum(g.middle_near for g in games) / count,
    )
