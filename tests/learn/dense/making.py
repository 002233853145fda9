"""A feed of small cases and a job that fits it."""

from pathlib import Path

import numpy as np

from hounsfield.core.structures import Structures
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.dense.cases import DenseFeed, Prepared, fill_cases
from hounsfield.learn.dense.job import INPUT, DenseJob, Patches
from hounsfield.learn.dense.preparing import DensePreparation
from hounsfield.learn.loop import Optimisation
from hounsfield.learn.nn.spec import InputShape, NetworkSpec
from tests.workflow.dense.making import ball, disc

ONE = {"mask": Structures(classes=("mask",), layout="one")}
TWO = {"mask": Structures(classes=("near", "far"), layout="exclusive", values=(1, 2))}


def flat_feed(folder: Path, *, count: int = 10) -> DenseFeed:
    """Pictures of different sizes with one disc."""
    rows = []
    for n in range(count):
        picture, mask = disc(n, size=(40 + n, 50))
        image = ((picture[None].astype(np.float32) - 80) / 25).astype(np.float32)
        labels = np.stack([mask, np.ones_like(mask)]).astype(np.uint8)
        rows.append(Prepared(image, labels))
    cases = fill_cases(folder, "flat", rows, seed=0, layouts=(1, 0))
    every = np.arange(count)
    return DenseFeed(cases, every[: count - 2], every[count - 2 :], every)


def deep_feed(folder: Path, *, count: int = 6) -> DenseFeed:
    """Volumes with two balls."""
    rows = []
    for n in range(count):
        volume, labels = ball(n)
        image = ((volume[None].astype(np.float32) - 100) / 40).astype(np.float32)
        rows.append(Prepared(image, np.stack([labels, np.ones_like(labels)])))
    cases = fill_cases(folder, "deep", rows, seed=0, layouts=(2, 0))
    every = np.arange(count)
    return DenseFeed(cases, every[: count - 1], every[count - 1 :], every)


def flat_job(**changes: object) -> DenseJob:
    """A job for `flat_feed`."""
    job = DenseJob(
        seed=3,
        network=NetworkSpec(
            family="unet",
            inputs={INPUT: InputShape(channels=1, ndim=2, size=(32, 32))},
            heads={"mask": 1},
            options={"width": 8, "depths": [1, 1, 1], "deep": 1},
        ),
        preparation=DensePreparation(ndim=2, channels={"image": 1}),
        structures=ONE,
        patches=Patches(size=[32, 32], marked=0.5, low_resolution=0.3),
        augmentation=AugmentSpec(
            flips=("x",), rotation_deg=30, scale=(0.8, 1.2), elastic=0.01, noise=0.1, gamma=(0.8, 1.2)
        ),
        optimisation=Optimisation(steps=60, batch=4, learning_rate=5e-3, averaging=0.9, plain_norms=True),
    )
    return job.model_copy(update=changes)


def deep_job() -> DenseJob:
    """A job for `deep_feed`."""
    return flat_job(
        network=NetworkSpec(
            family="unet",
            inputs={INPUT: InputShape(channels=1, ndim=3, size=(16, 24, 16))},
            heads={"mask": 3},
            options={"width": 8, "depths": [1, 1, 1], "strides": [1, 1, 1, 1, 2, 2, 2, 2, 2], "deep": 1},
        ),
        preparation=DensePreparation(ndim=3, channels={"image": 1}),
        structures=TWO,
        patches=Patches(size=[16, 24, 16]),
        augmentation=AugmentSpec(flips=("x",), rotation_deg=20, tilt_deg=10),
    )
