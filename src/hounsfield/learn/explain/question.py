"""Which one number of a head is explained, on a scale where evidence adds up."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import unknown_name
from hounsfield.core.prediction import TargetPrediction
from hounsfield.core.types import Float64Array
from hounsfield.learn.losses.ordinal import cumulative_logits


@dataclass(frozen=True)
class Question:
    """One number of one target's head.

    Parameters
    ----------
    target : TargetSpec
    place : int
        Class, label or level that is explained; 0 for a number.
    sign : float
        1; -1 where a number below the average is explained.
    temperature : float
        Raw outputs are divided by it.
    """

    target: TargetSpec
    place: int
    sign: float = 1.0
    temperature: float = 1.0

    @property
    def answer(self) -> str:
        """What is explained, in words: a class, ``at least <level>``, ``above average``."""
        kind = self.target.kind
        if kind == "number":
            return "above average" if self.sign > 0 else "below average"
        name = self.target.classes[self.place]
        if kind != "ordinal":
            return name
        return f"at least {name}" if self.place else name

    def score(self, raw: Tensor) -> Tensor:
        """Return log-odds of the answer, or a number in standard deviations from the average.

        Parameters
        ----------
        raw : Tensor
            Merged raw output of the target's head, ``b w``.

        Returns
        -------
        Tensor
            ``b``. One of k classes: ``z_k - log sum_(j != k) exp z_j``; a label: its logit; a level k > 0: the logit
            of "at least k", level 0: of "not above 0"; a number: the standardised value times the sign.
        """
        if self.target.kind == "number":
            return self.sign * raw[:, 0]
        if self.target.kind == "ordinal":
            above = cumulative_logits(raw) / self.temperature
            return above[:, self.place - 1] if self.place else -above[:, 0]
        values = raw / self.temperature
        if self.target.kind == "multilabel":
            return values[:, self.place]
        others = [k for k in range(values.shape[1]) if k != self.place]
        return values[:, self.place] - torch.logsumexp(values[:, others], dim=1)

    def linked(self, scores: Float64Array) -> Float64Array:
        """Return probabilities of the answer, or numbers as they are, for scores ``n``."""
        if self.target.kind == "number":
            return scores
        shares: Float64Array = 0.5 * (1.0 + np.tanh(0.5 * scores))
        return shares


def question_of(
    target: TargetSpec, said: TargetPrediction, raw: Float64Array, *, temperature: float, wanted: str | None = None
) -> Question:
    """Return the question that explains what was said, or the class that was asked for.

    Parameters
    ----------
    target : TargetSpec
    said : TargetPrediction
        What the model says of the image.
    raw : numpy.ndarray
        Merged raw output ``w``.
    temperature : float
    wanted : str or None
        A class, label or level by name.

    Returns
    -------
    Question
        Of several labels, the likeliest one.

    Raises
    ------
    UnknownNameError
        If the target has no such class.
    """
    if target.kind == "number":
        return Question(target, 0, 1.0 if raw[0] >= 0 else -1.0)
    name = wanted
    if name is None:
        likeliest = max(said.probabilities, key=lambda c: said.probabilities[c])
        name = likeliest if isinstance(said.value, tuple) else str(said.at_operating_point or said.value)
    if name not in target.classes:
        raise unknown_name("class", name, target.classes)
    return Question(target, target.classes.index(name), temperature=temperature)
