"""The one training loop: phases of an objective, over addressed batches, resumable to the bit.

Supervised work has one phase, a GAN two; a warm-up is an earlier objective. The loop knows no task, no clock and no
file: steps are fixed by the plan, checkpoints go through a store, and a brake that the caller owns may end it early.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from hounsfield.core.errors import PlanError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import AnyArray, Json
from hounsfield.learn.batch import Batch
from hounsfield.learn.losses.base import Loss
from hounsfield.learn.ranks import ALONE, Ranks


class Optimisation(BaseModel):
    """The plan's section ``optimisation``.

    Attributes
    ----------
    steps : int
        Optimisation steps in all; 0 is not allowed once a run begins.
    batch : int
        Samples per step, over all processes.
    optimiser : str
        ``adamw`` (decoupled weight decay) or ``adam``.
    learning_rate : float
        Peak.
    schedule : str
        ``cosine``: linear warm-up over `warmup` of the steps, then half a cosine to zero; ``constant``.
    warmup : float
        Share of the steps, 0 to 1.
    weight_decay : float
        Not applied to biases and norm parameters.
    clip : float
        Largest gradient norm; 0 leaves it alone.
    averaging : float
        Decay of the exponential moving average of weights per step; 0 uses the last weights.
    precision : str
        ``float32`` or ``bfloat16`` (autocast; weights stay float32).
    validate_every : int
        Steps between looks at the validation part; 0: at the end only.
    selection : str
        ``last``, or ``best``: the weights with the lowest validation loss.
    smoothing : float
        Label smoothing, 0 to 1.
    class_weights : list of float
        One per class of the primary target, average 1 over training samples; empty for none.
    low_until : float
        Share of the steps, from the first on, that see smaller images; 0: none.
    low_scale : float
        Edge of those smaller images as a share of the full edge.
    plain_norms : bool
        Whether batch norms end with the statistics of training images that were not augmented.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: int = Field(ge=0)
    batch: int = Field(ge=1)
    optimiser: Literal["adamw", "adam"] = "adamw"
    learning_rate: float = Field(default=1e-3, gt=0)
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, le=1)
    weight_decay: float = Field(default=0.0, ge=0)
    clip: float = Field(default=0.0, ge=0)
    averaging: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["float32", "bfloat16"] = "float32"
    validate_every: int = Field(default=0, ge=0)
    selection: Literal["last", "best"] = "last"
    smoothing: float = Field(default=0.0, ge=0, lt=1)
    class_weights: list[float] = []
    low_until: float = Field(default=0.0, ge=0, lt=1)
    low_scale: float = Field(default=0.6, gt=0, le=1)
    plain_norms: bool = False

    @property
    def low_steps(self) -> int:
        """Number of steps, from the first on, that see smaller images."""
        return round(self.low_until * self.steps) if self.low_scale < 1.0 else 0


@dataclass(frozen=True)
class Slow:
    """Parameters that learn more slowly than the rest, as weights do that come from elsewhere.

    Parameters
    ----------
    prefix : str
        How their names begin.
    factor : float
        On the learning rate.
    frozen : int
        First steps in which they do not move at all.
    """

    prefix: str
    factor: float = 1.0
    frozen: int = 0

    def at(self, step: int) -> float:
        """Return the factor at a step, counted from 0."""
        return 0.0 if step < self.frozen else self.factor


@dataclass(frozen=True)
class Phase:
    """One kind of update: which networks it trains, how often before the next phase, and what learns slowly."""

    name: str
    trains: tuple[str, ...]
    repeats: int = 1
    slow: Slow | None = None


class Objective(Protocol):
    """What is to be minimised."""

    def networks(self) -> Mapping[str, nn.Module]:
        """Return all networks by name."""

    def phases(self) -> tuple[Phase, ...]:
        """Return the updates of one step, in order."""

    def loss(self, phase: Phase, networks: Mapping[str, nn.Module], batch: Batch, ranks: Ranks) -> Loss:
        """Return the loss of one phase on one batch."""


class Store(Protocol):
    """Where checkpoints go."""

    def load(self) -> tuple[Mapping[str, AnyArray], Json] | None:
        """Return the last whole checkpoint, or None."""

    def save(self, arrays: Mapping[str, AnyArray], facts: Json) -> None:
        """Write a checkpoint, atomically."""

    def due(self) -> bool:
        """Whether it is time for another checkpoint."""


@dataclass(frozen=True)
class Watch:
    """Who looks on while the loop runs.

    Parameters
    ----------
    store : Store or None
        Checkpoints; None keeps none.
    brake : callable
        ``brake(step) -> bool``: True ends the loop after that step, and is recorded.
    end : callable
        ``end(step, planned) -> int``: at which step to end, if the time does not reach for all that were planned; the
        schedule is shortened to it, so that the learning rate still comes down. Recorded, as a brake is.
    validate : callable or None
        ``validate(networks) -> figures`` with the key ``loss``; called on averaged weights.
    progress : Progress
    ranks : Ranks
        This process among its siblings.
    observe : callable
        ``observe(step, figures)``: told of every look at the validation part.
    title : str
        What the progress line says.
    """

    store: Store | None = None
    brake: Callable[[int], bool] = field(default=lambda _step: False)
    end: Callable[[int, int], int] = field(default=lambda _step, planned: planned)
    validate: Callable[[Mapping[str, nn.Module]], Mapping[str, float]] | None = None
    progress: Progress = SILENT
    ranks: Ranks = ALONE
    observe: Callable[[int, Mapping[str, float]], None] = field(default=lambda _step, _figures: None)
    title: str = "Training"


@dataclass(frozen=True)
class Trained:
    """What the loop leaves.

    Parameters
    ----------
    weights : mapping of str to mapping of str to Tensor
        Network name to its selected state.
    steps : int
        Steps made.
    stopped_by_brake : bool
    history : mapping of str to list of float
        ``step``, ``loss`` and validation figures; for a picture, never for a figure.
    """

    weights: Mapping[str, Mapping[str, Tensor]]
    steps: int
    stopped_by_brake: bool
    history: Mapping[str, list[float]]


def rate(step: float, settings: Optimisation) -> float:
    """Return the learning rate of a step, counted from 0; a fraction lies between two steps of the plan."""
    if settings.schedule == "constant":
        return settings.learning_rate
    warm = max(1, round(settings.warmup * settings.steps)) if settings.warmup > 0 else 0
    if step < warm:
        return settings.learning_rate * (step + 1) / warm
    through = (step - warm) / max(1, settings.steps - warm)
    return settings.learning_rate * 0.5 * (1.0 + float(np.cos(np.pi * through)))


@contextmanager
def precision(settings: Optimisation, device: str) -> Iterator[None]:
    """Run what is inside in the plan's precision."""
    with torch.autocast(device, dtype=torch.bfloat16, enabled=settings.precision == "bfloat16"):
        yield


class Loop:
    """State of a training run, and the step that moves it on.

    Parameters
    ----------
    objective : Objective
    settings : Optimisation
    ranks : Ranks
    """

    def __init__(self, objective: Objective, settings: Optimisation, *, ranks: Ranks = ALONE) -> None:
        self.objective = objective
        self.settings = settings
        self.ranks = ranks
        self.networks = objective.networks()
        self.device = next(next(iter(self.networks.values())).parameters()).device.type
        slow = {name: p.slow for p in objective.phases() if p.slow for name in p.trains}
        self.optimisers = {
            name: _optimiser(network, settings, slow=slow.get(name)) for name, network in self.networks.items()
        }
        self.parameters = {name: list(network.parameters()) for name, network in self.networks.items()}
        self.averages: dict[str, dict[str, Tensor]] = (
            {name: _copied(network) for name, network in self.networks.items()} if settings.averaging else {}
        )
        self.best: dict[str, dict[str, Tensor]] = {}
        self.best_loss = float("inf")
        self.steps = 0
        self.end = settings.steps
        self.bend = (0, 0.0)
        self.stopped = False
        self.history: dict[str, list[float]] = {}

    def place(self) -> float:
        """Return where the schedule is, in steps of the plan: faster than the steps once the end was moved."""
        first, begun = self.bend
        return begun + (self.settings.steps - begun) * (self.steps - first) / max(1, self.end - first)

    def shorten(self, end: int) -> None:
        """End at an earlier step, with the rest of the schedule in the steps that are left."""
        if self.steps < end < self.end:
            self.bend, self.end = (self.steps, self.place()), end

    def step(self, batches: Callable[[int], Batch]) -> float:
        """Make one step of all phases and return the sum of their losses."""
        learning_rate = rate(self.place(), self.settings)
        total = 0.0
        draw = self.steps * sum(p.repeats for p in self.objective.phases())
        for phase in self.objective.phases():
            for _ in range(phase.repeats):
                total += self._update(phase, batches(draw).to(self.device), learning_rate)
                draw += 1
        self.steps += 1
        self._average()
        return total

    def _update(self, phase: Phase, batch: Batch, learning_rate: float) -> float:
        for network in self.networks.values():
            if not network.training:  # asking every module each time is a hundredth of a small step
                network.train()
        for name in phase.trains:
            self.optimisers[name].zero_grad(set_to_none=True)
        with precision(self.settings, self.device):
            loss = self.objective.loss(phase, self.networks, batch, self.ranks)
        loss.total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        value = float(loss.total.detach())
        if self.ranks.any(not np.isfinite(value)):
            raise PlanError(
                f"The loss is {value} at step {self.steps}.",
                expected="a finite loss",
                next_step="lower optimisation.learning_rate in plan.yaml, or look for odd values with hu inspect",
            )
        for name in phase.trains:
            parameters = [p for p in self.parameters[name] if p.grad is not None]
            self.ranks.add([p.grad for p in parameters if p.grad is not None])
            if self.settings.clip:
                nn.utils.clip_grad_norm_(parameters, self.settings.clip)
            for group in self.optimisers[name].param_groups:
                group["lr"] = learning_rate * (phase.slow.at(self.steps) if phase.slow and group.get("slow") else 1.0)
            self.optimisers[name].step()
        return value

    def _average(self) -> None:
        decay = min(self.settings.averaging, (1.0 + self.steps) / (10.0 + self.steps))
        for name, average in self.averages.items():
            floats, news = [], []
            for key, tensor in self.networks[name].state_dict().items():
                if tensor.is_floating_point():
                    floats.append(average[key])
                    news.append(tensor)
                else:
                    average[key].copy_(tensor)
            torch._foreach_lerp_(floats, news, 1.0 - decay)

    def validate(
        self, figures: Callable[[Mapping[str, nn.Module]], Mapping[str, float]], training: float
    ) -> dict[str, float]:
        """Look at the validation part with the weights that would be kept now, and return what was seen."""
        with self._swapped():
            found = figures(self.networks)
        seen = {"step": float(self.steps), "loss": training, **{f"val_{k}": v for k, v in found.items()}}
        for key, value in seen.items():
            self.history.setdefault(key, []).append(value)
        if self.settings.selection == "best" and found["loss"] < self.best_loss:
            self.best_loss = found["loss"]
            self.best = {name: {k: v.clone() for k, v in w.items()} for name, w in self._kept().items()}
        return seen

    def _kept(self) -> Mapping[str, Mapping[str, Tensor]]:
        return self.averages or {name: network.state_dict() for name, network in self.networks.items()}

    @contextmanager
    def _swapped(self) -> Iterator[None]:
        if not self.averages:
            yield
            return
        raw = {name: _copied(network) for name, network in self.networks.items()}
        for name, network in self.networks.items():
            network.load_state_dict(self.averages[name])
        try:
            yield
        finally:
            for name, network in self.networks.items():
                network.load_state_dict(raw[name])

    def selected(self) -> Mapping[str, Mapping[str, Tensor]]:
        """Return copies of the weights that are kept."""
        chosen = self.best if self.settings.selection == "best" and self.best else self._kept()
        return {name: {k: v.detach().clone() for k, v in w.items()} for name, w in chosen.items()}

    def state(self) -> tuple[dict[str, AnyArray], Json]:
        """Return everything that the next step depends on, as arrays and JSON."""
        arrays: dict[str, AnyArray] = {}
        for name, network in self.networks.items():
            _put(arrays, f"network/{name}", network.state_dict())
            moments = self.optimisers[name].state_dict()["state"]
            for index, values in moments.items():
                _put(arrays, f"optimiser/{name}/{index}", values)
        for name, average in self.averages.items():
            _put(arrays, f"average/{name}", average)
        for name, best in self.best.items():
            _put(arrays, f"best/{name}", best)
        best_loss = self.best_loss if np.isfinite(self.best_loss) else None
        history: dict[str, Json] = {key: list(values) for key, values in self.history.items()}
        return arrays, {
            "step": self.steps,
            "stopped": self.stopped,
            "end": self.end,
            "bend": list(self.bend),
            "best_loss": best_loss,
            "history": history,
        }

    def restore(self, arrays: Mapping[str, AnyArray], facts: Json) -> None:
        """Go back to a state."""
        if not isinstance(facts, dict):
            raise PlanError(
                "A checkpoint does not belong to this run.", next_step="delete the run folder and start again"
            )
        step, best_loss, history = facts["step"], facts["best_loss"], facts["history"]
        self.steps = int(step) if isinstance(step, int) else 0
        self.stopped = facts.get("stopped") is True
        end, bend = facts.get("end"), facts.get("bend")
        if isinstance(end, int) and isinstance(bend, list) and len(bend) == 2:
            first, begun = bend
            self.end = end
            self.bend = (
                (int(first), float(begun)) if isinstance(first, int) and isinstance(begun, int | float) else (0, 0.0)
            )
        self.best_loss = float(best_loss) if isinstance(best_loss, float) else float("inf")
        if isinstance(history, dict):
            self.history = {
                k: [float(x) for x in v if isinstance(x, int | float)]
                for k, v in history.items()
                if isinstance(v, list)
            }
        for name, network in self.networks.items():
            network.load_state_dict(_get(arrays, f"network/{name}"))
            optimiser = self.optimisers[name]
            known = optimiser.state_dict()
            count = sum(len(group["params"]) for group in known["param_groups"])
            moments = {i: _get(arrays, f"optimiser/{name}/{i}") for i in range(count)}
            optimiser.load_state_dict({**known, "state": {i: m for i, m in moments.items() if m}})
        for name, average in self.averages.items():
            for key, value in _get(arrays, f"average/{name}").items():
                average[key].copy_(value)
        self.best = {name: _get(arrays, f"best/{name}") for name in self.networks if _get(arrays, f"best/{name}")}


def run(objective: Objective, batches: Callable[[int], Batch], settings: Optimisation, *, watch: Watch) -> Trained:
    """Train from the beginning, or on from the last checkpoint, to the last step of the plan.

    Parameters
    ----------
    objective : Objective
    batches : callable
        ``batches(draw) -> Batch``: the batch with that number, the same whenever it is asked for.
    settings : Optimisation
        ``settings.steps`` is the end.
    watch : Watch

    Returns
    -------
    Trained

    Notes
    -----
    A run that was killed and continued makes the same floating-point operations on the same numbers as one left
    alone: batches are addressed, and a checkpoint holds weights, moments, averages and the selected weights.
    """
    loop = Loop(objective, settings, ranks=watch.ranks)
    found = watch.store.load() if watch.store else None
    if found is not None:
        loop.restore(*found)
    loss = float("nan")
    every = settings.validate_every or settings.steps
    with watch.progress.step(watch.title, settings.steps) as shown:
        if loop.steps:
            shown.advance(loop.steps, "continued")
        while loop.steps < loop.end and not loop.stopped:
            loss = loop.step(batches)
            shown.advance(1, f"loss {loss:.3f}")
            if watch.ranks.world == 1:
                loop.shorten(watch.end(loop.steps, loop.end))
            loop.stopped = watch.ranks.any(watch.brake(loop.steps)) and loop.steps < loop.end
            if watch.validate and (loop.steps % every == 0 or loop.steps == loop.end or loop.stopped):
                watch.observe(loop.steps, loop.validate(watch.validate, loss))
            if watch.store and watch.ranks.first and (loop.steps == loop.end or loop.stopped or watch.store.due()):
                watch.store.save(*loop.state())
    early = loop.stopped or loop.end < settings.steps
    return Trained(loop.selected(), loop.steps, early, loop.history)


def _optimiser(network: nn.Module, settings: Optimisation, *, slow: Slow | None) -> torch.optim.Optimizer:
    learning = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    groups: list[dict[str, object]] = []
    for wanted in (False, True) if slow else (False,):
        ours = [p for name, p in learning if (slow is not None and name.startswith(slow.prefix)) == wanted]
        marked = {"slow": True} if wanted else {}
        groups.append({"params": [p for p in ours if p.ndim > 1], "weight_decay": settings.weight_decay, **marked})
        groups.append({"params": [p for p in ours if p.ndim <= 1], "weight_decay": 0.0, **marked})
    if settings.optimiser == "adam":
        return torch.optim.Adam(groups, lr=settings.learning_rate, foreach=True)
    return torch.optim.AdamW(groups, lr=settings.learning_rate, foreach=True)


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {key: tensor.detach().clone() for key, tensor in network.state_dict().items()}


def _put(arrays: dict[str, AnyArray], prefix: str, tensors: Mapping[str, Tensor]) -> None:
    for key, tensor in tensors.items():
        arrays[f"{prefix}/{key}"] = tensor.detach().cpu().contiguous().numpy().copy()


def _get(arrays: Mapping[str, AnyArray], prefix: str) -> dict[str, Tensor]:
    start = prefix + "/"
    return {k[len(start) :]: torch.from_numpy(np.array(v)) for k, v in arrays.items() if k.startswith(start)}
