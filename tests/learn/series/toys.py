"""Small series that differ in their waves, stays at irregular times, and jobs for learners on them."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float32Array, IntArray
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import Job
from hounsfield.learn.loop import Optimisation
from hounsfield.learn.nn.spec import InputShape, NetworkSpec
from hounsfield.learn.prepare.signal import SignalPreparation
from hounsfield.learn.series.boosting import Boosting
from tests.learn.toys import HEADS, TARGETS, answers

STEPS = 48
TREES = Boosting(rounds=12, rate=0.2, leaves=4, least=3, penalty=1.0, share=1.0)
"""Trees that are grown in no time."""


def waved(count: int, *, channels: int = 1, seed: int = 0, steps: int = STEPS) -> Float32Array:
    """Series ``n c t``: slow waves where the number is even, fast where it is odd, noise, gaps, several ends."""
    rng = stream(seed, "waved")
    time = np.arange(steps)
    series = np.empty((count, channels, steps), dtype=np.float32)
    for number in range(count):
        period = 16.0 if number % 2 == 0 else 7.0
        for channel in range(channels):
            wave = np.sin(2 * np.pi * (time / period + rng.random()))
            series[number, channel] = wave + 0.3 * rng.standard_normal(steps)
        series[number, :, steps - number % 5 :] = np.nan
        series[number, 0, 10 + number % 3] = np.nan
    return series


def stays(count: int, *, seed: int = 0, steps: int = 20) -> Float32Array:
    """Stays ``n 4 t``: hours, and three variables seldom seen; the second is higher at the end for odd numbers."""
    rng = stream(seed, "stays")
    found = np.full((count, 4, steps), np.nan, dtype=np.float32)
    for number in range(count):
        seen = steps - int(rng.integers(0, 6))
        found[number, 0, :seen] = np.sort(rng.uniform(0, 48, seen))
        found[number, 1:, :seen] = rng.standard_normal((3, seen))
        found[number, 2, :seen] += (number % 2) * found[number, 0, :seen] / 12.0
        found[number, 1:, :seen][rng.random((3, seen)) < 0.4] = np.nan
    return found


def series_feed(inputs: dict[str, AnyArray], kinds: Sequence[str] = ("categorical",), *, missing: bool = False) -> Feed:
    """A feed with a quarter of its rows in the validation part; two rows make a group."""
    count = len(next(iter(inputs.values())))
    rows: IntArray = np.arange(count, dtype=np.int64)
    return Feed(
        inputs, answers(count, kinds, missing=missing), rows[rows % 4 != 3], rows[rows % 4 == 3], groups=rows // 2
    )


def series_job(kinds: Sequence[str] = ("categorical",), *, timed: str = "", seed: int = 0) -> Job:
    """A job whose network nobody builds; `timed` names the input that carries its times."""
    job = Job(
        seed=seed,
        network=NetworkSpec(
            family="recurrent",
            inputs={"signal": InputShape(channels=1, ndim=1, size=(STEPS,))},
            heads={TARGETS[k].name: HEADS[k].width for k in kinds},
        ),
        preparation={},
        augmentation=AugmentSpec(),
        optimisation=Optimisation(steps=1, batch=1),
        heads=tuple(HEADS[k] for k in kinds),
        trees=TREES,
    )
    if not timed:
        return job
    irregular = SignalPreparation(leads=("a",), units=("",), steps=STEPS, times=True, mean=(0.0,), std=(1.0,))
    return job.model_copy(update={"preparation": {timed: irregular}})
