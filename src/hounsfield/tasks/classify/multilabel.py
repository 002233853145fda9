"""Labels of which any number may be present."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.fingerprint import TargetFacts
from hounsfield.core.prediction import TargetPrediction
from hounsfield.core.protocols import Decoding
from hounsfield.core.types import AnyArray, Float64Array, TargetValue
from hounsfield.science.statistics.calibration import Link, apply_temperature
from hounsfield.tasks.classify.temperature import careful_temperature


class Multilabel:
    """One sigmoid per label, calibrated by one temperature."""

    name = "multilabel"
    loss = "multilabel"

    def width(self, target: TargetSpec) -> int:
        """Return the number of labels."""
        return len(target.classes)

    def encode(self, target: TargetSpec, values: Sequence[TargetValue]) -> AnyArray:
        """Return 0 / 1 per label, ``n k`` float32, a row of NaN where missing."""
        encoded = np.full((len(values), len(target.classes)), np.nan, dtype=np.float32)
        for row, value in enumerate(values):
            if value is not None:
                present = set(value) if isinstance(value, tuple) else {str(value)}
                encoded[row] = [name in present for name in target.classes]
        return encoded

    def start(self, target: TargetSpec, facts: TargetFacts) -> Decoding:
        """Return temperature 1 and threshold one half."""
        del target, facts
        return Decoding()

    def calibrate(self, target: TargetSpec, outputs: Float64Array, truth: AnyArray, decoding: Decoding) -> Decoding:
        """Fit the temperature on validation outputs."""
        del target
        return decoding.model_copy(update={"temperature": careful_temperature(outputs, truth)})

    def decode(self, target: TargetSpec, outputs: Float64Array, decoding: Decoding) -> Float64Array:
        """Return label probabilities, ``n k``."""
        del target
        return apply_temperature(outputs, decoding.temperature, link=Link.SIGMOID)

    def say(self, target: TargetSpec, row: Float64Array, decoding: Decoding) -> TargetPrediction:
        """Return the labels at or above the threshold."""
        pairs = list(zip(target.classes, (float(p) for p in row), strict=True))
        return TargetPrediction(value=tuple(n for n, p in pairs if p >= decoding.threshold), probabilities=dict(pairs))


MULTILABEL = Multilabel()
