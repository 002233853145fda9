"""Quantities: a diameter, a volume, a score."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.fingerprint import TargetFacts
from hounsfield.core.prediction import TargetPrediction
from hounsfield.core.protocols import Decoding
from hounsfield.core.types import AnyArray, Float64Array, TargetValue


class Number:
    """One output, standardised by mean and deviation of the training part."""

    name = "number"
    loss = "number"

    def width(self, target: TargetSpec) -> int:
        """Return 1."""
        del target
        return 1

    def encode(self, target: TargetSpec, values: Sequence[TargetValue]) -> AnyArray:
        """Return the numbers in their own unit, ``n 1`` float32, NaN where missing."""
        del target
        numbers = [float(v) if isinstance(v, int | float) else np.nan for v in values]
        return np.array(numbers, dtype=np.float32)[:, None]

    def start(self, target: TargetSpec, facts: TargetFacts) -> Decoding:
        """Return mean and deviation of the training part."""
        del target
        return Decoding(mean=facts.mean or 0.0, std=facts.std or 1.0)

    def calibrate(self, target: TargetSpec, outputs: Float64Array, truth: AnyArray, decoding: Decoding) -> Decoding:
        """Return the decoding as it is: a number has no temperature."""
        del target, outputs, truth
        return decoding

    def decode(self, target: TargetSpec, outputs: Float64Array, decoding: Decoding) -> Float64Array:
        """Return numbers in their own unit, ``n 1``."""
        del target
        return outputs * decoding.std + decoding.mean

    def say(self, target: TargetSpec, row: Float64Array, decoding: Decoding) -> TargetPrediction:
        """Return the number."""
        del target, decoding
        return TargetPrediction(value=float(row[0]))


NUMBER = Number()
