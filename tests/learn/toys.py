"""Small striped pictures, answers of every kind to them, and jobs that a processor does in a blink."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, IntArray
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import HeadSpec, Job
from hounsfield.learn.loop import Optimisation
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, OptionValue
from hounsfield.learn.prepare.image import ImagePreparation

SIZE = 16
TARGETS = {
    "categorical": TargetSpec(name="class", kind="categorical", classes=("a", "b"), positive="b"),
    "multilabel": TargetSpec(name="labels", kind="multilabel", classes=("x", "y", "z")),
    "ordinal": TargetSpec(name="grade", kind="ordinal", classes=("0", "1", "2")),
    "number": TargetSpec(name="width", kind="number", unit="mm"),
}
HEADS = {
    "categorical": HeadSpec(target=TARGETS["categorical"], loss="categorical", width=2),
    "multilabel": HeadSpec(target=TARGETS["multilabel"], loss="multilabel", width=3),
    "ordinal": HeadSpec(target=TARGETS["ordinal"], loss="ordinal", width=2),
    "number": HeadSpec(target=TARGETS["number"], loss="number", width=1, mean=5.0, std=2.0),
}
ALL = tuple(HEADS)
EVERYTHING = AugmentSpec(
    flips=("x",), rotation_deg=15.0, scale=(0.8, 1.25), translation=0.1, gamma=(0.7, 1.4), brightness=0.1, noise=0.05
)


def striped(count: int, *, size: int = SIZE, seed: int = 0) -> AnyArray:
    """Pictures ``n 1 y x``, uint8: broad stripes where the number is even, narrow where it is odd, and noise."""
    rng = stream(seed, "striped")
    x = np.arange(size)
    images = []
    for number in range(count):
        period = 8.0 if number % 2 == 0 else 3.0
        wave = np.sin(2 * np.pi * (x / period + rng.random()))
        images.append(128 + 60 * wave[None, :] + 15 * rng.standard_normal((size, size)))
    return np.clip(np.stack(images)[:, None], 0, 255).astype(np.uint8)


def answers(count: int, kinds: Sequence[str], *, missing: bool = False) -> dict[str, AnyArray]:
    """Encoded answers; with `missing`, every fifth to the first kind, every third to the others is missing."""
    number = np.arange(count)
    found: dict[str, AnyArray] = {}
    for place, kind in enumerate(kinds):
        gone = (number % (5 if place == 0 else 3) == 2) & missing
        name = TARGETS[kind].name
        if kind == "categorical":
            found[name] = np.where(gone, -1, number % 2).astype(np.int64)
        elif kind == "ordinal":
            found[name] = np.where(gone, -1, number % 3).astype(np.int64)
        elif kind == "multilabel":
            values = np.stack([number % 2, number % 3 == 0, number % 4 < 2], axis=1).astype(np.float32)
            found[name] = np.where(gone[:, None], np.float32(np.nan), values)
        else:
            found[name] = np.where(gone, np.float32(np.nan), (number % 7).astype(np.float32))[:, None]
    return found


def make_feed(
    kinds: Sequence[str] = ("categorical",), *, count: int = 40, size: int = SIZE, missing: bool = False
) -> Feed:
    """A feed with a quarter of its rows in the validation part."""
    rows: IntArray = np.arange(count, dtype=np.int64)
    return Feed(
        {"image": striped(count, size=size)},
        answers(count, kinds, missing=missing),
        train=rows[rows % 4 != 3],
        val=rows[rows % 4 == 3],
        groups=rows // 2,
    )


def make_job(
    kinds: Sequence[str] = ("categorical",),
    *,
    optimisation: Optimisation | None = None,
    augmentation: AugmentSpec | None = None,
    options: dict[str, OptionValue] | None = None,
    size: int = SIZE,
    seed: int = 0,
) -> Job:
    """A job for a residual network of two narrow stages."""
    plain: dict[str, OptionValue] = {"width": 8, "depths": [1, 1], "stem": "small"}
    return Job(
        seed=seed,
        network=NetworkSpec(
            family="residual",
            inputs={"image": InputShape(channels=1, ndim=2, size=(size, size))},
            heads={TARGETS[k].name: HEADS[k].width for k in kinds},
            options={**plain, **(options or {})},
        ),
        preparation={"image": ImagePreparation(size=(size, size))},
        augmentation=augmentation or AugmentSpec(),
        optimisation=optimisation or Optimisation(steps=6, batch=8),
        heads=tuple(HEADS[k] for k in kinds),
    )
