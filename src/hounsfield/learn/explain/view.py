"""One case before a bundle's members: what they say of it and of altered copies, with gradients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from hounsfield.bundle.sealed import Member
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.learn.explain import HIDING
from hounsfield.learn.explain.hiding import Hiding, hiding_of
from hounsfield.learn.explain.question import Question
from hounsfield.learn.learners.network_runner import Viewed
from hounsfield.learn.learners.protocol import Job, Runner
from hounsfield.learn.learners.supervised import as_unit
from hounsfield.learn.model import member_job, runner
from hounsfield.learn.nn.network import Network
from hounsfield.learn.nn.table import build
from hounsfield.learn.prepare.protocol import Preparation
from hounsfield.learn.threads import device

CHUNK = 16
"""Altered copies in one call."""


@dataclass(frozen=True)
class Voice:
    """One member of the ensemble.

    Parameters
    ----------
    weight : float
        Of its raw output in the merged one.
    job : Job
    network : Network or None
        Where the member is one; in evaluation mode.
    runner : Runner or None
        Where it is not: it is heard, but gives no gradient.
    """

    weight: float
    job: Job
    network: Network | None = field(repr=False)
    runner: Runner | None = field(default=None, repr=False)


def voices_of(members: Sequence[Member], weights: Sequence[float]) -> tuple[Voice, ...]:
    """Return a bundle's members ready to be explained.

    Parameters
    ----------
    members : sequence of Member
    weights : sequence of float
        Of each member in the merged raw output of the target; a member of weight 0 is left out.
    """
    found = []
    for member, weight in zip(members, weights, strict=True):
        if weight:
            job = member_job(member)
            network = network_of(member, job) if member.learner == "supervised" else None
            found.append(Voice(weight, job, network, None if network is not None else runner(member)))
    return tuple(found)


def network_of(member: Member, job: Job) -> Network:
    """Return the network of a member of learner ``supervised`` with its weights, in evaluation mode."""
    network = build(job.network, seed=0)
    network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in member.arrays.items()})
    return network.to(device()).eval()


@dataclass(frozen=True)
class View:
    """One case, the members that look at it, and the question.

    Parameters
    ----------
    voices : tuple of Voice
    case : mapping of str to numpy.ndarray
        Prepared inputs ``c ...``, float32, images on the scale 0 to 1.
    question : Question
    name : str
        The input that is explained; others stay as they are.
    """

    voices: tuple[Voice, ...]
    case: Mapping[str, Float32Array] = field(repr=False)
    question: Question
    name: str

    @property
    def preparation(self) -> Preparation:
        """How the explained input was prepared."""
        return self.voices[0].job.preparation[self.name]

    @property
    def hiding(self) -> Hiding:
        """How places of the explained input are hidden."""
        return hiding_of(self.preparation)

    @property
    def image(self) -> Float32Array:
        """The explained input, ``c ...``."""
        return self.case[self.name]

    @property
    def size(self) -> tuple[int, ...]:
        """Axes of its maps: space of an image, time of a signal."""
        return self.hiding.size(self.image)

    def asked(self, question: Question) -> "View":
        """Return the view with another question."""
        return replace(self, question=question)

    def heard(self, voices: tuple[Voice, ...]) -> "View":
        """Return the view with other members."""
        return replace(self, voices=voices)

    def tensor(self, image: Float32Array) -> Tensor:
        """Return one image as a batch on the members' device, ``1 c ...``."""
        return torch.from_numpy(np.ascontiguousarray(image))[None].to(device())

    def inputs(self, images: Tensor, voice: Voice) -> dict[str, Tensor]:
        """Return what a network takes for altered copies ``b c ...`` of the explained input."""
        found = {}
        for name, spec in voice.job.preparation.items():
            values = images
            if name != self.name:
                other = self.tensor(self.case[name])
                values = other.expand(len(images), *other.shape[1:])
            found[name] = spec.on_tensors(values)
        return found

    def raw(self, images: Tensor) -> Tensor:
        """Return merged raw outputs ``b w`` of the target for altered copies ``b c ...``; differentiable."""
        target = self.question.target.name
        total: Tensor | None = None
        for voice in self.voices:
            if voice.network is not None:
                said = Viewed(voice.network, voice.job.views)(self.inputs(images, voice))[target]
            else:
                said = self._told(images, voice)[:, : voice.job.network.heads[target]]
            total = voice.weight * said if total is None else total + voice.weight * said
        if total is None:
            raise ValueError("no member has a weight")
        return total

    def score(self, images: Tensor) -> Tensor:
        """Return the explained number for altered copies, ``b``; differentiable."""
        return self.question.score(self.raw(images))

    def scores(self, images: Sequence[Float32Array]) -> Float64Array:
        """Return the explained number for altered copies, ``n``, a few at a time."""
        found: list[Float64Array] = []
        with torch.no_grad():
            for start in range(0, len(images), CHUNK):
                part = torch.from_numpy(np.stack(images[start : start + CHUNK])).to(device())
                found.append(self.score(part).double().cpu().numpy())
        return np.concatenate(found)

    def _told(self, images: Tensor, voice: Voice) -> Tensor:
        if voice.runner is None:
            raise ValueError("a member has neither network nor runner")
        stored: dict[str, AnyArray] = {}
        for name, spec in voice.job.preparation.items():
            values = (
                images.detach().cpu().numpy() if name == self.name else self.case[name][None].repeat(len(images), 0)
            )
            stored[name] = (
                np.rint(values * 255.0).clip(0, 255).astype(np.uint8)
                if spec.dtype == "uint8"
                else values.astype(spec.dtype)
            )
        said = voice.runner.run(stored)[self.question.target.name]
        return torch.from_numpy(said.astype(np.float32)).to(images.device)


def view_of(
    voices: tuple[Voice, ...], stored: Mapping[str, AnyArray], question: Question, *, name: str | None = None
) -> View:
    """Return a view of one prepared case.

    Parameters
    ----------
    voices : tuple of Voice
    stored : mapping of str to numpy.ndarray
        Prepared inputs ``c ...``, as `hounsfield.learn.prepare.protocol.Preparation.prepared` returns them.
    question : Question
    name : str or None
        The input to explain; if None, as `explained_input` says.
    """
    case = {key: as_unit(values) for key, values in stored.items()}
    return View(voices, case, question, name if name is not None else explained_input(voices[0].job.preparation))


def explained_input(preparation: Mapping[str, Preparation]) -> str:
    """Return the input that is explained: the first one that has places which a map could mark.

    Parameters
    ----------
    preparation : mapping of str to Preparation
        By input name.

    Raises
    ------
    BundleError
        If no input has any.
    """
    found = next((name for name, spec in preparation.items() if spec.kind_name in HIDING), next(iter(preparation)))
    hiding_of(preparation[found])
    return found
