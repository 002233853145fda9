"""A network fitted to masks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from hounsfield.core.errors import BundleError, PlanError
from hounsfield.core.streams import address
from hounsfield.learn.batch import Batch
from hounsfield.learn.dense.cases import DenseFeed, open_cases
from hounsfield.learn.dense.job import INPUT, DenseJob
from hounsfield.learn.dense.patches import LABELS, DenseBatches, plain_patches, seen
from hounsfield.learn.learners.protocol import State
from hounsfield.learn.loop import Loop, Phase, Watch, precision, run
from hounsfield.learn.losses.base import Loss
from hounsfield.learn.losses.outline import Weights, coarser, outline_loss
from hounsfield.learn.nn.network import Network
from hounsfield.learn.nn.norms import measure_norms
from hounsfield.learn.nn.table import DENSE_NETWORKS, build
from hounsfield.learn.nn.unet import DEEP
from hounsfield.learn.ranks import ALONE, Ranks
from hounsfield.learn.threads import device

PLAIN = 32
"""Batches of patches that settle the statistics of batch norms."""
LOOKS = 8
"""Batches of patches at which the validation part is looked at while training; for a picture, not for a figure."""
RAREST = 1e-3


class Outlines:
    """Objective: soft Dice and cross-entropy of all targets, at full size and at coarser ones.

    Parameters
    ----------
    network : Network
    job : DenseJob
    """

    def __init__(self, network: Network, job: DenseJob) -> None:
        self._network = network
        self._job = job

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the one network."""
        return {"network": self._network}

    def phases(self) -> tuple[Phase, ...]:
        """Return the one phase."""
        return (Phase("fit", ("network",)),)

    def loss(self, phase: Phase, networks: Mapping[str, nn.Module], batch: Batch, ranks: Ranks) -> Loss:
        """Return the loss of one batch, weighted by the share of it that this process has."""
        del phase, ranks
        share = batch.context.get("share", 1.0)
        outputs = networks["network"](batch.inputs, {})
        found = all_losses(self._job, outputs, batch.targets[LABELS])
        factor = share if isinstance(share, float) else 1.0
        return Loss(found * factor, {"loss": found.detach()})


def weights_of(job: DenseJob, level: int) -> Weights:
    """Return what the loss of one output is made of; of coarser ones Dice and cross-entropy alone.

    Parameters
    ----------
    job : DenseJob
    level : int
        0: the finest.
    """
    terms = job.terms
    if level:
        return Weights(terms.dice, terms.entropy, terms.focal)
    steps = tuple(job.augmentation.spacing)
    return Weights(terms.dice, terms.entropy, terms.focal, terms.boundary, terms.skeleton, steps)


def all_losses(job: DenseJob, outputs: Mapping[str, Tensor], labels: Tensor) -> Tensor:
    """Return the loss of all targets and levels on a batch: scalar, float32.

    Parameters
    ----------
    job : DenseJob
    outputs : mapping of str to Tensor
        As a dense network gives them, with coarser ones or without.
    labels : Tensor
        (b p ...), uint8: planes of all targets in the job's order, then the region.
    """
    device_type = labels.device.type
    levels = sorted({int(n.split("/")[1]) for n in outputs if n.startswith(f"{DEEP}/")})
    with torch.autocast(device_type, enabled=False):
        total = torch.zeros((), device=labels.device)
        mass = 0.0
        for level in (0, *levels):
            weight = 0.5**level
            mass += weight
            first = 0
            for name, structures in job.structures.items():
                raw = outputs[name if level == 0 else f"{DEEP}/{level}/{name}"].float()
                size = raw.shape[2:]
                own = coarser(labels[:, first : first + structures.planes], size)
                region = coarser(labels[:, -1:], size)
                first += structures.planes
                loss = outline_loss(
                    raw,
                    own,
                    region,
                    exclusive=structures.layout == "exclusive",
                    weights=weights_of(job, level),
                )
                total = total + weight * loss / len(job.structures)
        return total / mass


class Dense:
    """Fits the plan's network to patches."""

    name = "dense"

    def read_job(self, stored: object) -> DenseJob:
        """Return the job that was written as JSON."""
        return DenseJob.model_validate(stored)

    def read_feed(self, folder: Path) -> DenseFeed:
        """Return the cases that lie in a work folder, without parts."""
        none = np.zeros(0, dtype=np.int64)
        return DenseFeed(open_cases(folder), none, none, none)

    def probe(
        self, feed: DenseFeed, job: DenseJob, *, steps: int, seconds: float, clock: Callable[[], float]
    ) -> list[float]:
        """Make real steps on a network that is thrown away, and return what each took."""
        return probe(feed, job, steps=steps, seconds=seconds, clock=clock)

    def fit(self, feed: DenseFeed, job: DenseJob, *, watch: Watch) -> State:
        """Train from fresh weights, or on from a checkpoint."""
        settings = job.optimisation
        if not settings.steps:
            raise PlanError(
                "The plan has 0 steps.", expected="optimisation.steps of at least 1", next_step="plan again"
            )
        network = start(feed, job, on=device())
        look = None
        if len(feed.val):
            seen = plain_patches(feed, job, rows=feed.val, count=LOOKS * settings.batch)

            def look(networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
                return {"loss": looked(networks["network"], job, seen)}

        batches = DenseBatches(feed, job, ranks=watch.ranks)
        done = run(Outlines(network, job), batches, settings, watch=replace(watch, validate=look))
        network.load_state_dict(done.weights["network"])
        if settings.plain_norms:
            measure_norms(network, _plain(feed, job, on=device()))
        arrays = {k: v.contiguous().cpu().numpy() for k, v in network.state_dict().items()}
        return State(arrays, None, done.history, done.stopped_by_brake, done.steps)

    def module(self, state: State, job: DenseJob) -> Network:
        """Return the network with its weights, in evaluation mode.

        Raises
        ------
        BundleError
            If the weights are not those of the network.
        """
        network = build(job.network, seed=0, table=DENSE_NETWORKS)
        try:
            network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in state.arrays.items()})
        except RuntimeError as error:
            raise BundleError(
                "The weights do not fit the network of the plan.",
                expected="weights and plan of the same bundle",
                next_step="copy the bundle again, whole",
            ) from error
        return network.eval()


def looked(
    network: nn.Module, job: DenseJob, seen: tuple[np.typing.NDArray[np.float32], np.typing.NDArray[np.generic]]
) -> float:
    """Return the mean loss on patches that are not augmented."""
    network.eval()
    where = next(network.parameters()).device
    images, labels = seen
    total, count = 0.0, 0
    with torch.inference_mode(), precision(job.optimisation, where.type):
        for first in range(0, len(images), job.optimisation.batch):
            part = slice(first, first + job.optimisation.batch)
            outputs = network({INPUT: torch.from_numpy(images[part]).to(where)}, {})
            truth = torch.from_numpy(np.ascontiguousarray(labels[part])).to(where)
            total += float(all_losses(job, outputs, truth)) * len(truth)
            count += len(truth)
    return total / max(count, 1)


def start(feed: DenseFeed, job: DenseJob, *, on: str = "cpu") -> Network:
    """Build the network with fresh weights, its outputs beginning at how often each class is met."""
    network = build(job.network, seed=address(job.seed, "weights") % 2**31, table=DENSE_NETWORKS)
    bias = getattr(network, "set_bias", None)
    if bias is not None:
        bias(_base_rates(feed, job))
    return network.to(on)


def _base_rates(feed: DenseFeed, job: DenseJob) -> Tensor:
    """Return the log odds, or log shares, of each output over some training cases."""
    rows = feed.train[:: max(1, len(feed.train) // 64)]
    planes = [np.asarray(feed.cases.label(int(row))) for row in rows]
    total = float(sum(p[0].size for p in planes))
    found: list[float] = []
    first = 0
    for structures in job.structures.values():
        own = [p[first : first + structures.planes] for p in planes]
        first += structures.planes
        if structures.layout == "exclusive":
            counts = [sum(int((p[0] == n).sum()) for p in own) / total for n in range(1, len(structures.classes) + 1)]
            shares = [max(1.0 - sum(counts), RAREST), *(max(c, RAREST) for c in counts)]
            found += [float(np.log(s)) for s in shares]
        else:
            for place in range(structures.planes):
                share = min(max(sum(int((p[place] > 0).sum()) for p in own) / total, RAREST), 1 - RAREST)
                found.append(float(np.log(share) - np.log1p(-share)))
    return torch.tensor(found)


def _plain(feed: DenseFeed, job: DenseJob, *, on: str) -> Iterator[dict[str, Tensor]]:
    """Yield batches of training patches as they will be judged."""
    size = job.optimisation.batch
    batches = DenseBatches(feed, job)
    images = (batches.place(n) for n in range(PLAIN * size))
    held: list[np.typing.NDArray[np.float32]] = []
    for place in images:
        image = feed.cases.image(place.row)
        held.append(seen(image, place.start, job.patches.size, depth=job.preparation.depth).astype(np.float32))
        if len(held) == size:
            yield {INPUT: torch.from_numpy(np.stack(held)).to(on)}
            held = []


WARM = 2
"""First steps, which warm up caches and are not counted."""
MOST_PROBES = 40


def probe(feed: DenseFeed, job: DenseJob, *, steps: int, seconds: float, clock: Callable[[], float]) -> list[float]:
    """Make real steps on a network that is thrown away, and return what each took.

    Parameters
    ----------
    feed : DenseFeed
    job : DenseJob
    steps : int
        Steps to time at least.
    seconds : float
        For so long steps are made, but at most `MOST_PROBES` of them.
    clock : callable
        Seconds.
    """
    network = start(feed, job, on=device())
    loop = Loop(Outlines(network, job), job.optimisation.model_copy(update={"steps": WARM + MOST_PROBES}))
    batches = DenseBatches(feed, job, ranks=ALONE)
    taken: list[float] = []
    while len(taken) < WARM + steps or (sum(taken[WARM:]) < seconds and len(taken) < WARM + MOST_PROBES):
        began = clock()
        loop.step(batches)
        taken.append(clock() - began)
    return taken[WARM:]


DENSE = Dense()
