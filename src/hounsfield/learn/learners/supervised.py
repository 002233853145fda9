"""A network fitted to answers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.core.errors import BundleError, PlanError
from hounsfield.core.streams import address, stream, uniforms
from hounsfield.core.tables import Table
from hounsfield.core.types import AnyArray, IntArray
from hounsfield.learn.augment.apply import apply_
from hounsfield.learn.augment.draw import draw
from hounsfield.learn.augment.mix import MixParams, apply_mix, draw_mix, mix_targets
from hounsfield.learn.batch import Batch
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.network_runner import RUN_BATCH, NetworkRunner, Normalised, Viewed
from hounsfield.learn.learners.prevalence import label_shares
from hounsfield.learn.learners.protocol import HeadSpec, Job, State
from hounsfield.learn.loop import Loop, Optimisation, Phase, Slow, Watch, precision, run
from hounsfield.learn.losses import categorical
from hounsfield.learn.losses.base import Loss, combine, labelled_mass
from hounsfield.learn.nn.network import Network
from hounsfield.learn.nn.norms import measure_norms
from hounsfield.learn.nn.table import build
from hounsfield.learn.prepare.image import ImagePreparation
from hounsfield.learn.ranks import Ranks
from hounsfield.learn.threads import device

LOSSES = Table(
    "loss",
    {
        "categorical": "hounsfield.learn.losses.categorical",
        "multilabel": "hounsfield.learn.losses.multilabel",
        "ordinal": "hounsfield.learn.losses.ordinal",
        "number": "hounsfield.learn.losses.number",
    },
)
"""Losses by the name that a target kind gives; each is a module with `loss` and `labelled`."""


def loss_module(name: str) -> ModuleType:
    """Return the module of a loss."""
    return cast(ModuleType, LOSSES.resolve(name))


PLAIN = 1024
"""Training images that settle the statistics of batch norms."""


class Answers:
    """Objective: the sum of the heads' losses.

    Parameters
    ----------
    network : Network
    job : Job
    """

    def __init__(self, network: Network, job: Job) -> None:
        self._network = network
        self._heads = job.heads
        self._settings = job.optimisation
        warm = job.warmup
        self._slow = None
        if warm.encoder_rate < 1.0 or warm.frozen:
            self._slow = Slow("encoders.", warm.encoder_rate, round(warm.frozen * job.optimisation.steps))

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the one network."""
        return {"network": self._network}

    def phases(self) -> tuple[Phase, ...]:
        """Return the one phase."""
        return (Phase("fit", ("network",), slow=self._slow),)

    def loss(self, phase: Phase, networks: Mapping[str, nn.Module], batch: Batch, ranks: Ranks) -> Loss:
        """Return the loss of one batch, over all processes where there are several."""
        del phase
        outputs = networks["network"](batch.inputs, batch.context)
        return head_losses(self._heads, outputs, batch, settings=self._settings, ranks=ranks)


def head_losses(
    heads: tuple[HeadSpec, ...], outputs: Mapping[str, Tensor], batch: Batch, *, settings: Optimisation, ranks: Ranks
) -> Loss:
    """Sum the losses of all heads on one batch."""
    terms: dict[str, Tensor] = {}
    for place, head in enumerate(heads):
        module, name = loss_module(head.loss), head.target.name
        target = batch.targets[name]
        options: dict[str, object] = {}
        if head.loss != "number":
            options["smoothing"] = settings.smoothing
        if place == 0 and settings.class_weights and head.loss in ("categorical", "ordinal"):
            options["class_weight"] = torch.tensor(settings.class_weights, device=target.device)
        if ranks.world > 1:
            mass = labelled_mass(module.labelled(target), batch.weight)
            ranks.add([mass])
            options["mass"] = mass
        terms[name] = module.loss(outputs[name], target, batch.weight, **options)
    return combine(terms)


class Batches:
    """Batches of a feed by number; the same number gives the same batch in every process and after every restart.

    Parameters
    ----------
    feed : Feed
    job : Job
    ranks : Ranks
        Which share of each batch is wanted.
    """

    def __init__(self, feed: Feed, job: Job, *, ranks: Ranks) -> None:
        self._feed = feed
        self._job = job
        self._ranks = ranks
        self._size = min(job.optimisation.batch, len(feed.train))
        self._per_epoch = max(1, len(feed.train) // self._size)
        self._epoch = -1
        self._order: IntArray = feed.train

    def __call__(self, number: int) -> Batch:
        """Return a batch by its number."""
        epoch, place = divmod(number, self._per_epoch)
        if epoch != self._epoch:
            self._order = self._feed.train[stream(self._job.seed, "order", epoch).permutation(len(self._feed.train))]
            self._epoch = epoch
        rows = self._order[place * self._size : (place + 1) * self._size]
        mixing = self._job.augmentation.mixes
        mine = slice(0, len(rows)) if mixing else self._ranks.share(len(rows))
        batch = self._augmented(rows[mine], epoch)
        if number < self._job.optimisation.low_steps:
            batch = replace(
                batch,
                inputs={
                    k: shrink(v, self._job.optimisation.low_scale) if v.ndim >= 4 else v
                    for k, v in batch.inputs.items()
                },
            )
        if not mixing:
            return batch
        return _sliced(self._mixed(batch, number), self._ranks.share(len(rows)))

    def _augmented(self, rows: IntArray, epoch: int) -> Batch:
        inputs = {}
        for name, stored in self._feed.inputs.items():
            preparation = self._job.preparation[name]
            if not isinstance(preparation, ImagePreparation):  # augmentation is of images
                inputs[name] = torch.from_numpy(preparation.normalised(stored[rows]))
                continue
            numbers = partial(uniforms, self._job.seed, f"augment {name}", epoch, rows.tolist())
            images = torch.from_numpy(as_unit(stored[rows]))
            apply_(images, draw(self._job.augmentation, numbers, ndim=preparation.ndim))
            inputs[name] = images.sub_(preparation.mean).mul_(1.0 / preparation.std)
        targets = {h.target.name: _answer(self._feed.targets[h.target.name][rows], h) for h in self._job.heads}
        keys = [address(self._job.seed, "drop", epoch, int(r)) & (2**62 - 1) for r in rows]
        return Batch(
            index=torch.from_numpy(rows.copy()),
            inputs=inputs,
            targets=targets,
            weight=torch.ones(len(rows)),
            context={"keys": torch.tensor(keys, dtype=torch.int64)},
        )

    def _mixed(self, batch: Batch, number: int) -> Batch:
        first = next(iter(batch.inputs.values()))
        generator = stream(self._job.seed, "mix", number)
        mix = draw_mix(self._job.augmentation, generator, count=len(batch), size=first.shape[2:])
        if mix is None:
            return batch
        targets = {h.target.name: _mixed_answer(batch.targets[h.target.name], h, mix) for h in self._job.heads}
        inputs = {name: apply_mix(images, mix) for name, images in batch.inputs.items()}
        return Batch(batch.index, inputs, targets, batch.weight, context=batch.context)


def as_unit(stored: AnyArray) -> np.typing.NDArray[np.float32]:
    """Return stored values on the scale 0 to 1, float32."""
    values = np.ascontiguousarray(stored).astype(np.float32)
    if stored.dtype == np.uint8:
        values /= np.float32(255.0)
    return values


def shrink(images: Tensor, scale: float) -> Tensor:
    """Return images at a smaller size: less to compute while the network learns what is coarse.

    Parameters
    ----------
    images : Tensor
        (b c y x) or (b c z y x), float32.
    scale : float
        New edge as a share of the old, 0 to 1; no axis becomes shorter than 8 pixels.

    Returns
    -------
    Tensor
        Anti-aliased linear interpolation in 2D, means over areas in 3D.
    """
    size = [min(edge, max(8, round(edge * scale))) for edge in images.shape[2:]]
    if images.ndim == 4:
        return functional.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)
    return functional.adaptive_avg_pool3d(images, (size[0], size[1], size[2]))


def _answer(values: AnyArray, head: HeadSpec) -> Tensor:
    if head.loss == "number":
        return torch.from_numpy((values.astype(np.float32) - np.float32(head.mean)) / np.float32(head.std))
    return torch.from_numpy(np.ascontiguousarray(values))


def _mixed_answer(target: Tensor, head: HeadSpec, mix: MixParams) -> Tensor:
    if head.loss in ("categorical", "ordinal") and target.ndim == 1:
        target = categorical.soft_target(target, len(head.target.classes))
    return mix_targets(target, mix)


def _sliced(batch: Batch, share: slice) -> Batch:
    keys = batch.context["keys"]
    return Batch(
        batch.index[share],
        {k: v[share] for k, v in batch.inputs.items()},
        {k: v[share] for k, v in batch.targets.items()},
        batch.weight[share],
        context={"keys": keys[share]} if isinstance(keys, Tensor) else {},
    )


class Supervised:
    """Fits the plan's network."""

    name = "supervised"

    def fit(self, feed: Feed, job: Job, *, watch: Watch) -> State:
        """Train from fresh or given weights, after the job's warm-up if there is one, or on from a checkpoint."""
        from hounsfield.learn.warmup.warm import warmed

        network = start(feed, job, on=device())
        settings = job.optimisation
        if not settings.steps:
            raise PlanError(
                "The plan has 0 steps.", expected="optimisation.steps of at least 1", next_step="plan again"
            )
        watch = warmed(network, feed, job, watch=watch)
        look = (lambda nets: validation(nets["network"], feed, job)) if len(feed.val) else None
        looked = replace(watch, validate=look)
        done = run(Answers(network, job), Batches(feed, job, ranks=watch.ranks), settings, watch=looked)
        weights = done.weights["network"]
        if settings.plain_norms:
            network.load_state_dict(weights)
            measure_norms(network, plain_batches(feed, job, on=device()))
            weights = network.state_dict()
        arrays = {k: v.contiguous().cpu().numpy() for k, v in weights.items()}
        return State(arrays, None, done.history, done.stopped_by_brake, done.steps)

    def open(self, state: State, job: Job) -> NetworkRunner:
        """Rebuild the network and load its weights.

        Raises
        ------
        BundleError
            If the weights are not those of the network.
        """
        return NetworkRunner(_loaded(state, job).to(device()), job.preparation, views=job.views)

    def module(self, state: State, job: Job) -> nn.Module:
        """Return network, normalisation and views as one module; see `hounsfield.learn.engines.whole.Modular`."""
        return Normalised(Viewed(_loaded(state, job), job.views), job.preparation).eval()


def plain_batches(feed: Feed, job: Job, *, on: str = "cpu") -> Iterator[dict[str, Tensor]]:
    """Yield training images as they will be judged, without augmentation, in an addressed order, at most `PLAIN`."""
    size = min(job.optimisation.batch, len(feed.train))
    order = feed.train[stream(job.seed, "norms").permutation(len(feed.train))]
    for first in range(0, min(len(order), max(PLAIN, size)) - size + 1, size):
        some = order[first : first + size]
        yield {
            name: torch.from_numpy(job.preparation[name].normalised(stored[some])).to(on)
            for name, stored in feed.inputs.items()
        }


def _loaded(state: State, job: Job) -> Network:
    network = build(job.network, seed=0)
    weights = {k: torch.from_numpy(np.array(v)) for k, v in state.arrays.items()}
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise BundleError(
            "The weights do not fit the network of the plan.",
            expected="weights and plan of the same bundle",
            next_step="copy the bundle again, whole",
        ) from error
    return network


def start(feed: Feed, job: Job, *, on: str = "cpu") -> Network:
    """Build the network with fresh or given weights, and the training part's base rates in its heads' biases."""
    network = build(job.network, seed=address(job.seed, "weights") % 2**31)
    if feed.encoder:
        from hounsfield.learn.warmup.transfer import load

        load(network, feed.encoder)
    heads = getattr(network, "heads", None)
    if heads is not None and job.network.family != "textbook":
        for head in job.heads:
            bias = _base_rate(feed.targets[head.target.name][feed.train], head)
            if bias is not None:
                heads.set_bias(head.target.name, bias)
    return network.to(on)


def _base_rate(values: AnyArray, head: HeadSpec) -> Tensor | None:
    if head.loss == "categorical":
        known = np.asarray(values, dtype=np.int64)
        counts = np.bincount(known[known >= 0], minlength=head.width).astype(np.float64) + 1.0
        return torch.from_numpy(np.log(counts / counts.sum()))
    if head.loss == "multilabel":
        share = np.clip(label_shares(np.asarray(values, dtype=np.float64)), 0.01, 0.99)
        return torch.from_numpy(np.log(share) - np.log1p(-share))
    return None


def validation(network: nn.Module, feed: Feed, job: Job) -> dict[str, float]:
    """Return the mean loss over labelled validation rows, without augmentation, class weights or smoothing."""
    plain = job.optimisation.model_copy(update={"smoothing": 0.0, "class_weights": []})
    network.eval()
    sums = {h.target.name: 0.0 for h in job.heads}
    masses = dict(sums)
    with torch.inference_mode(), precision(job.optimisation, next(network.parameters()).device.type):
        for first in range(0, len(feed.val), RUN_BATCH):
            rows = feed.val[first : first + RUN_BATCH]
            inputs = {
                name: torch.from_numpy(job.preparation[name].normalised(stored[rows]))
                for name, stored in feed.inputs.items()
            }
            targets = {h.target.name: _answer(feed.targets[h.target.name][rows], h) for h in job.heads}
            device = next(network.parameters()).device
            batch = Batch(torch.from_numpy(rows.copy()), inputs, targets, torch.ones(len(rows))).to(device)
            loss = head_losses(job.heads, network(batch.inputs, {}), batch, settings=plain, ranks=Ranks())
            for head in job.heads:
                name = head.target.name
                mass = float(labelled_mass(loss_module(head.loss).labelled(batch.targets[name]), batch.weight))
                sums[name] += float(loss.terms[name]) * mass
                masses[name] += mass
    means = {name: value / masses[name] if masses[name] else 0.0 for name, value in sums.items()}
    return {"loss": sum(means.values()), **{f"loss of {name}": value for name, value in means.items()}}


MOST_PROBES = 60
WARM = 2
"""First steps that are not counted: they fill caches."""


def probe(feed: Feed, job: Job, *, steps: int, seconds: float, clock: Callable[[], float]) -> list[float]:
    """Make a few real steps on a throw-away network and return the seconds of each.

    Parameters
    ----------
    feed : Feed
    job : Job
    steps : int
        Steps to time at least, at full size.
    seconds : float
        For so long steps are made, but at most `MOST_PROBES` of them.
    clock : callable
        Returns seconds; owned by the caller.
    """
    loop = Loop(
        Answers(start(feed, job, on=device()), job), job.optimisation.model_copy(update={"steps": WARM + MOST_PROBES})
    )
    whole = job.optimisation.model_copy(update={"low_until": 0.0})
    batches = Batches(feed, job.model_copy(update={"optimisation": whole}), ranks=Ranks())
    taken: list[float] = []
    while len(taken) < WARM + steps or (sum(taken[WARM:]) < seconds and len(taken) < WARM + MOST_PROBES):
        begun = clock()
        loop.step(batches)
        taken.append(clock() - begun)
    return taken[WARM:]


SUPERVISED = Supervised()
