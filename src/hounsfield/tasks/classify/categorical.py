"""Classes that exclude each other."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.fingerprint import TargetFacts
from hounsfield.core.prediction import TargetPrediction
from hounsfield.core.protocols import Decoding
from hounsfield.core.types import AnyArray, Float64Array, TargetValue
from hounsfield.science.statistics.calibration import Link, apply_temperature
from hounsfield.science.statistics.logit_adjustment import called
from hounsfield.tasks.classify.temperature import careful_temperature


class Categorical:
    """Softmax over the classes, calibrated by one temperature."""

    name = "categorical"
    loss = "categorical"

    def width(self, target: TargetSpec) -> int:
        """Return the number of classes."""
        return len(target.classes)

    def encode(self, target: TargetSpec, values: Sequence[TargetValue]) -> AnyArray:
        """Return class indices, ``n`` int64, -1 where missing."""
        index = {name: i for i, name in enumerate(target.classes)}
        return np.array([index.get(str(v), -1) if v is not None else -1 for v in values], dtype=np.int64)

    def start(self, target: TargetSpec, facts: TargetFacts) -> Decoding:
        """Return temperature 1 and threshold one half."""
        del target, facts
        return Decoding()

    def calibrate(self, target: TargetSpec, outputs: Float64Array, truth: AnyArray, decoding: Decoding) -> Decoding:
        """Fit the temperature on validation outputs."""
        del target
        return decoding.model_copy(update={"temperature": careful_temperature(outputs, truth)})

    def decode(self, target: TargetSpec, outputs: Float64Array, decoding: Decoding) -> Float64Array:
        """Return class probabilities, ``n k``."""
        del target
        return apply_temperature(outputs, decoding.temperature, link=Link.SOFTMAX)

    def say(self, target: TargetSpec, row: Float64Array, decoding: Decoding) -> TargetPrediction:
        """Return the most probable class, and the call: at the threshold of two classes, else times class factors."""
        names = target.classes
        call = None
        if len(names) > 2:
            factors = np.array([decoding.class_factors.get(name, 1.0) for name in names])
            call = names[int(called(row, factors))]
        elif len(names) == 2 and target.positive in names:
            positive = names.index(str(target.positive))
            call = names[positive] if row[positive] >= decoding.threshold else names[1 - positive]
        return TargetPrediction(
            value=names[int(np.argmax(row))],
            probabilities={n: float(p) for n, p in zip(names, row, strict=True)},
            at_operating_point=call,
        )


CATEGORICAL = Categorical()
