"""Pictures in which a bright disc at a random place decides the class, and networks that learned it."""

from collections.abc import Mapping
from typing import cast

import numpy as np

from hounsfield.bundle.sealed import Member
from hounsfield.core.cohort import TargetSpec
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, BoolArray
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.explain.question import Question
from hounsfield.learn.explain.view import View, Voice, view_of, voices_of
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import HeadSpec, Job
from hounsfield.learn.learners.supervised import SUPERVISED
from hounsfield.learn.loop import Optimisation, Watch
from hounsfield.learn.model import member_json
from hounsfield.learn.nn.spec import InputShape, NetworkSpec
from hounsfield.learn.prepare.image import ImagePreparation

SIZE = 32
TARGET = TargetSpec(name="disc", kind="categorical", classes=("no", "yes"), positive="yes")


def blobs(count: int, *, seed: int, size: int = SIZE, ndim: int = 2) -> tuple[AnyArray, BoolArray]:
    """Pictures ``n 1 ...``, uint8, odd ones with a disc, and where the disc is (or would be), ``n ...``."""
    from scipy.ndimage import gaussian_filter

    rng = stream(seed, "blobs")
    axes = np.meshgrid(*[np.arange(size)] * ndim, indexing="ij")
    pictures, places = [], []
    for number in range(count):
        ground = gaussian_filter(rng.standard_normal((size,) * ndim), 1.5)
        centre = rng.uniform(0.18 * size, 0.82 * size, ndim)
        inside = np.sqrt(sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True))) < 0.11 * size
        pictures.append(110 + 18 * ground / ground.std() + 70 * inside * (number % 2))
        places.append(inside)
    return np.clip(np.stack(pictures)[:, None], 0, 255).astype(np.uint8), np.stack(places)


def job(
    *, size: int = SIZE, ndim: int = 2, seed: int = 0, steps: int = 90, heads: Mapping[str, HeadSpec] | None = None
) -> Job:
    """A narrow residual network of three stages."""
    asked = heads or {"disc": HeadSpec(target=TARGET, loss="categorical", width=2)}
    shape = InputShape(channels=1, ndim=2 if ndim == 2 else 3, size=(size,) * ndim)
    return Job(
        seed=seed,
        network=NetworkSpec(
            family="residual",
            inputs={"image": shape},
            heads={name: head.width for name, head in asked.items()},
            options={"width": 8, "depths": [1, 1, 1], "stem": "small", "pooling": "mean+max"},
        ),
        preparation={"image": ImagePreparation(ndim=2 if ndim == 2 else 3, size=(size,) * ndim, mean=0.45, std=0.1)},
        augmentation=AugmentSpec(),
        optimisation=Optimisation(steps=steps, batch=16),
        heads=tuple(asked.values()),
    )


def fitted(*, seed: int = 0, steps: int = 90) -> Member:
    """A network that tells pictures with a disc from those without."""
    pictures, _ = blobs(160, seed=1)
    rows = np.arange(160, dtype=np.int64)
    feed = Feed({"image": pictures}, {"disc": rows % 2}, rows[:144], rows[144:], rows)
    own = job(seed=seed, steps=steps)
    state = SUPERVISED.fit(feed, own, watch=Watch())
    return Member("supervised", state.arrays, member_json(own, state.json))


def fresh(own: Job, *, seed: int = 5) -> Member:
    """A network with the weights that training starts from."""
    from hounsfield.learn.nn.table import build

    arrays = {k: cast(AnyArray, v.contiguous().numpy()) for k, v in build(own.network, seed=seed).state_dict().items()}
    return Member("supervised", arrays, member_json(own, None))


def view(voices: tuple[Voice, ...], picture: AnyArray, *, place: int = 1) -> View:
    """A view of one picture, asking for one class."""
    return view_of(voices, {"image": picture}, Question(TARGET, place))


def heard(*members: Member) -> tuple[Voice, ...]:
    """Members that weigh the same."""
    return voices_of(members, [1 / len(members)] * len(members))
