"""The warm-up itself: the one loop on an objective without answers, before the fit, in the fit's own checkpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from hounsfield.core.streams import address
from hounsfield.core.types import AnyArray, Json
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import Job
from hounsfield.learn.loop import Optimisation, Store, Watch, run
from hounsfield.learn.warmup.objective import Projector, TwoViews
from hounsfield.learn.warmup.views import ViewBatches

STAGE, WARMUP, FIT = "stage", "warm-up", "fit"
FEWEST = 8
"""Fewest images of a batch that say anything about spread."""


@dataclass(frozen=True)
class StageStore:
    """One stage's view of a store that two stages share, one after the other.

    Parameters
    ----------
    store : Store
    stage : str
        A checkpoint of another stage is not loaded.
    """

    store: Store
    stage: str

    def load(self) -> tuple[Mapping[str, AnyArray], Json] | None:
        """Return the last whole checkpoint of this stage, or None."""
        found = self.store.load()
        if found is None:
            return None
        arrays, facts = found
        stage = facts.get(STAGE, FIT) if isinstance(facts, dict) else FIT
        if stage != self.stage:
            return None
        return arrays, facts["facts"] if isinstance(facts, dict) and self.stage != FIT else facts

    def save(self, arrays: Mapping[str, AnyArray], facts: Json) -> None:
        """Write a checkpoint; those of the fit look as they would without a warm-up."""
        self.store.save(arrays, facts if self.stage == FIT else {STAGE: self.stage, "facts": facts})

    def due(self) -> bool:
        """Whether it is time for another checkpoint."""
        return self.store.due()


def warmed(network: nn.Module, feed: Feed, job: Job, *, watch: Watch) -> Watch:
    """Warm a network up in place, if the job says so, and return how the fit is to be watched.

    Parameters
    ----------
    network : nn.Module
        A `Network` with its first weights; its heads are left as they are.
    feed : Feed
    job : Job
    watch : Watch
        Its store keeps the warm-up first and then the fit.

    Returns
    -------
    Watch
        The same, with a store that does not take a checkpoint of the warm-up for one of the fit.

    Notes
    -----
    A run that is killed in the warm-up goes on in it; one that is killed in the fit does not repeat it.
    """
    if not job.warmup.on:
        return watch
    fitting = replace(watch, store=StageStore(watch.store, FIT) if watch.store else None)
    if fitting.store is not None and fitting.store.load() is not None:
        return fitting
    batches = ViewBatches(feed, job, ranks=watch.ranks)
    if len(batches.pool) < FEWEST:
        return fitting
    looking = Watch(
        store=StageStore(watch.store, WARMUP) if watch.store else None,
        brake=watch.brake,
        progress=watch.progress,
        ranks=watch.ranks,
        title="Warming up",
    )
    done = run(objective(network, batches(0).inputs, job), batches, settings(job), watch=looking)
    network.load_state_dict(dict(done.weights["network"]))
    return fitting


def settings(job: Job) -> Optimisation:
    """Return how the warm-up optimises: as the fit, with its own steps and rate, and the last weights."""
    return job.optimisation.model_copy(
        update={
            "steps": job.warmup.steps,
            "learning_rate": job.warmup.learning_rate,
            "averaging": 0.0,
            "validate_every": 0,
            "selection": "last",
        }
    )


def objective(network: nn.Module, inputs: Mapping[str, torch.Tensor], job: Job) -> TwoViews:
    """Return the objective with a fresh projector of the right width.

    Parameters
    ----------
    network : nn.Module
    inputs : mapping of str to Tensor
        A batch, to learn the width of the embedding from.
    job : Job
    """
    place = next(network.parameters()).device
    network.eval()
    with torch.inference_mode():
        seen = network({name: images[:1].to(place) for name, images in inputs.items()}, {})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(address(job.seed, "projector") % 2**31)
        projector = Projector(int(seen["embedding"].shape[1]))
    return TwoViews(network, projector.to(place))
