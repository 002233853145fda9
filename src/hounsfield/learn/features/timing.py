"""How long fixed features take on this machine."""

from collections.abc import Callable

import torch

from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.features import describers
from hounsfield.learn.learners.protocol import Job
from hounsfield.learn.prepare.image import normalise

ROWS = 8


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
                    layer(torch.from_numpy(normalise(feed.inputs[name][rows], job.preparation[name])))
                taken.append(clock() - began)
    finally:
        torch.set_num_threads(threads)
    return min(taken) / len(rows)
