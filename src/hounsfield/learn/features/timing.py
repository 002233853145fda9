"""How long fixed features take on this machine."""

from collections.abc import Callable

import numpy as np
import torch

from hounsfield.core.streams import stream
from hounsfield.learn.features.ridge import INNER_FOLDS, MOST_DIRECTIONS, MOST_REPEATS, ROWS_JUDGED, newton
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.features import describers
from hounsfield.learn.learners.protocol import Job

ROWS = 8
TIMED_ROWS = 600
FITS = 17
"""Fits from nothing that the choice of a penalty costs in each inner fold: 17 for 539 samples of ten outputs, 20 for
4,698 of two classes. Eight or so are tried, all but the first from where the one before ended."""


def seconds_each(feed: Feed, job: Job, *, clock: Callable[[], float]) -> float:
    """Return the seconds of one thread that the features of one sample take.

    Parameters
    ----------
    feed : Feed
    job : Job
    clock : callable
        Returns seconds; owned by the caller.
    """
    rows, threads = feed.train[:ROWS], torch.get_num_threads()
    layers = describers(job).eval()
    taken = []
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            for _ in range(2):
                began = clock()
                for name, layer in layers.items():
                    layer(torch.from_numpy(job.preparation[name].normalised(feed.inputs[name][rows])))
                taken.append(clock() - began)
    finally:
        torch.set_num_threads(threads)
    return min(taken) / len(rows)


def heads_seconds(rows: int, questions: int, *, clock: Callable[[], float]) -> float:
    """Return about how long linear heads on fixed features take to fit, with as many threads as there are now.

    Parameters
    ----------
    rows : int
        Training samples.
    questions : int
        Yes-no questions or numbers that are asked.
    clock : callable
        Returns seconds; owned by the caller.

    Notes
    -----
    One fit of at most `TIMED_ROWS` generated rows is timed, the best of two; Newton's method costs ``n r^2 + r^3 / 3``
    a step for n rows in a basis of r.
    """
    rank, kept = min(rows, MOST_DIRECTIONS), min(rows, TIMED_ROWS)
    draws = stream(0, "time of heads")
    design = draws.standard_normal((kept, rank)) / np.sqrt(rank)
    truth = (draws.random(kept) < 0.5).astype(np.float64)
    taken = []
    for _ in range(2):
        began = clock()
        newton(design, truth, penalty=1.0, start=None)
        taken.append(clock() - began)
    inside = rows * (1.0 - 1.0 / INNER_FOLDS)
    larger = (inside + rank / 3) / (kept + rank / 3)
    folds = INNER_FOLDS * min(MOST_REPEATS, max(1, ROWS_JUDGED // rows))
    return FITS * questions * folds * larger * min(taken)
