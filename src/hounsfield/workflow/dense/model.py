"""A dense bundle, or one fold of it, ready to answer cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.annotation import Annotation
from hounsfield.core.boxes import Box
from hounsfield.core.errors import BundleError, HounsfieldError, RefusedError
from hounsfield.core.image import Image
from hounsfield.core.structures import Structures
from hounsfield.core.types import AnyArray, BoolArray, Json
from hounsfield.geometry.boxes import boxes_in, filled
from hounsfield.learn.dense.case import Case
from hounsfield.learn.dense.model import case_looks, labels_of
from hounsfield.learn.dense.running import self_test
from hounsfield.learn.guard import GuardLimits, distances, plain_doubts
from hounsfield.learn.model import GUARD, SELF_TEST
from hounsfield.workflow.dense.baselines import apply_baseline, bundled
from hounsfield.workflow.dense.fitting import FOLDS, SETTLED
from hounsfield.workflow.dense.jobs import structures_of
from hounsfield.workflow.dense.planning import runner_of
from hounsfield.workflow.dense.settling import Settled, expected_dice_of, tidied, unsettled
from hounsfield.workflow.fitting import NETWORK

TOLERANCE = 1e-3
"""Largest difference of a self-test probability: other processors sum in another order."""

FLAT = RefusedError(
    "The image shows one grey value only.",
    expected="an image that shows something",
    next_step="export it again, or leave the case out",
)


@dataclass(frozen=True)
class Said:
    """What is said of one target of one case, on the image's own grid.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``k ...``, float16 or float32.
    masks : numpy.ndarray
        Bool, ``k ...``, tidied.
    quality : tuple of float or None
        For each class the Dice to be expected, where it could be learned and something is marked.
    boxes : tuple of Box or None
        Where boxes are asked for: all that the probabilities speak for, those too that are not handed out.
    least : tuple of float
        Score from which a box of each class is handed out.
    """

    probabilities: AnyArray = field(repr=False)
    masks: BoolArray = field(repr=False)
    quality: tuple[float | None, ...] = ()
    boxes: tuple[Box, ...] | None = None
    least: tuple[float, ...] = ()

    @property
    def given(self) -> tuple[Box, ...] | None:
        """The boxes that are handed out; None where masks are asked for."""
        return None if self.boxes is None else tuple(b for b in self.boxes if b.score >= self.least[b.cls])


@dataclass(frozen=True)
class Outcome:
    """What is said of one case.

    Parameters
    ----------
    said : mapping of str to Said
        By target; empty where nothing could be run.
    flags : tuple of str
    refusal : str
    beside : mapping of str to mapping
        Baseline to what it marks by target, bool ``k ...``, where they were asked for.
    """

    said: Mapping[str, Said] = field(repr=False)
    flags: tuple[str, ...] = ()
    refusal: str = ""
    beside: Mapping[str, Mapping[str, BoolArray]] = field(default_factory=dict, repr=False)


class DenseModel:
    """Members of a bundle with everything that was settled.

    Parameters
    ----------
    contents : BundleContents
    fold : int
        -1: the shipped mean of all members; else the members of one fold, with what their fold settled.
    engine : str or None
        Name of an engine; None takes the plan's.

    Raises
    ------
    BundleError
        If the self-test does not give what it gave when the bundle was sealed, or the engine cannot be used.
    """

    def __init__(self, contents: BundleContents, *, fold: int = -1, engine: str | None = None) -> None:
        members = list(contents.members)
        if fold < 0:
            _check(contents)
        else:
            members = [m for m, f in zip(members, folds_of(contents), strict=True) if f == fold]
        self._runner = runner_of(contents.plan, members, engine=engine)
        self.structures: Mapping[str, Structures] = structures_of(contents.plan)
        self.settled = settled_of(contents, fold)
        self._boxes = {t.name for t in contents.plan.targets if t.kind == "boxes"}
        guard = contents.documents.get(GUARD)
        self._limits = GuardLimits.model_validate(guard) if guard is not None else None
        self._seen = contents.arrays.get(GUARD)
        self._baselines = bundled(contents, fold=fold)

    @property
    def engine(self) -> str:
        """Name of the engine that runs it."""
        return self._runner.engine

    @property
    def baselines(self) -> tuple[str, ...]:
        """Names of the baselines that it has."""
        return tuple(self._baselines)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the images that it looks at."""
        return tuple(self._runner.preparation.channels)

    def prepared(self, images: Mapping[str, Image]) -> AnyArray:
        """Return a case as the networks see it, ``c ...`` float32."""
        return self._runner.case(images).whole()

    def outcome(self, images: Mapping[str, Image], *, baselines: Sequence[str] = ()) -> Outcome:
        """Judge one case.

        Parameters
        ----------
        images : mapping of str to Image
            By input name.
        baselines : sequence of str
            Baselines to run beside the network.
        """
        first = images[self.inputs[0]]
        doubts = tuple(plain_doubts(first, self._limits)) if self._limits is not None else ()
        try:
            case = self._runner.case(images)
        except HounsfieldError as error:
            return Outcome({}, doubts, error.line())
        if case.flat():
            return Outcome({}, doubts, FLAT.line())
        said, refusal = self._guarded(case)
        answer = self._runner.answer(case)
        found = {name: self._said(name, probabilities) for name, probabilities in answer.probabilities.items()}
        whole = case.whole() if baselines else np.empty(0, dtype=np.float32)
        beside = {
            name: apply_baseline(
                self._baselines[name],
                whole,
                first,
                preparation=self._runner.preparation,
                structures=self.structures,
            )
            for name in baselines
        }
        return Outcome(found, doubts + said, refusal, beside)

    def _said(self, name: str, probabilities: AnyArray) -> Said:
        one, settled = self.structures[name], self.settled[name]
        if name in self._boxes:
            return _boxed(probabilities, settled)
        thresholds = settled.thresholds_for(probabilities)
        masks = tidied(one.masks(labels_of(probabilities, one, thresholds)), probabilities, settled)
        quality = tuple(
            expected_dice_of(q, p, m, threshold=t)
            for q, p, m, t in zip(settled.quality, probabilities, masks, thresholds, strict=True)
        )
        return Said(probabilities, masks, quality)

    def _guarded(self, case: Case) -> tuple[tuple[str, ...], str]:
        if self._limits is None or self._seen is None:
            return (), ""
        far = float(distances(self._seen, case_looks(case)[None])[0])
        if far > self._limits.refuse:
            return (), (
                f"The image is unlike the training images: distance {far:.2f}, refused above {self._limits.refuse:.2f}."
            )
        if far > self._limits.flag:
            return (f"unusual intensities or texture: distance {far:.2f}, usual up to {self._limits.flag:.2f}",), ""
        return (), ""


def _boxed(probabilities: AnyArray, settled: Settled) -> Said:
    """Return boxes, and as masks what those that are handed out fill."""
    least = tuple(settled.scores) or (0.5,) * len(probabilities)
    found = tuple(b for k, p in enumerate(probabilities) for b in boxes_in(p, cls=k))
    said = Said(probabilities, np.zeros(0, dtype=np.bool_), (None,) * len(probabilities), found, least)
    height, width = probabilities.shape[1:]
    return replace(said, masks=filled(said.given or (), (height, width), classes=len(probabilities)))


def annotation(said: Said, structures: Structures, image: Image) -> Annotation:
    """Return what is said of one target as an annotation of its image.

    Parameters
    ----------
    said : Said
    structures : Structures
    image : Image
    """
    classes = structures.classes
    if structures.layout == "overlapping":
        return Annotation(said.masks, classes, image.grid, said.probabilities, boxes=said.given)
    labels = np.zeros(said.masks.shape[1:], dtype=np.uint8)
    for place, mask in enumerate(said.masks, start=1):
        labels[mask] = place
    return Annotation(labels, classes, image.grid, said.probabilities, boxes=said.given)


def folds_of(contents: BundleContents) -> list[int]:
    """Return the fold of each member."""
    found = contents.documents.get(FOLDS)
    return [int(f) for f in found if isinstance(f, int)] if isinstance(found, list) else [0] * len(contents.members)


def settled_of(contents: BundleContents, fold: int) -> dict[str, Settled]:
    """Return what was settled for the shipped model (-1) or one fold, by target."""
    name = f"{SETTLED}_{NETWORK}"
    found: Json = contents.documents.get(f"{name}.{fold}", contents.documents.get(name))
    stored = found if isinstance(found, dict) else {}
    return {
        target: Settled.model_validate(stored[target]) if target in stored else unsettled(one)
        for target, one in structures_of(contents.plan).items()
    }


def _check(contents: BundleContents) -> None:
    stored = contents.arrays.get(SELF_TEST)
    if stored is None:
        return
    found = self_test(contents.members)
    for name, wanted in stored.items():
        if name not in found or not np.allclose(found[name], wanted, rtol=0, atol=TOLERANCE):
            raise BundleError(
                "The self-test of the bundle fails: the model does not say what it said when it was sealed.",
                expected=f"differences below {TOLERANCE:g}",
                next_step="run hu doctor, compare versions with bundle/manifest.json, and copy the bundle again",
            )
