"""A trained forecaster: weights, calibration, and what it says of courses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from hounsfield.core.errors import BundleError
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.learn.forecast.network import ForecastNetwork, build
from hounsfield.learn.forecast.preparing import Arrays, clean, expected, prepare
from hounsfield.learn.forecast.spec import ForecastSpec
from hounsfield.learn.forecast.trees import grown_at
from hounsfield.learn.series.trees import Trees
from hounsfield.science.forecasting.course import Course
from hounsfield.science.statistics.quantiles import shifted

BATCH = 64


@dataclass(frozen=True)
class Forecaster:
    """What is applied to new series.

    Parameters
    ----------
    spec : ForecastSpec
    weights : mapping of str to numpy.ndarray
        By parameter name.
    shifts : numpy.ndarray
        ``k q``, in the target's unit: what calibration adds to each quantile.
    trees : tuple of Trees
        Of each question; empty for none.
    share : tuple of float
        k: how far the network's quantiles are moved towards where the trees see the median, 0 to 1.
    """

    spec: ForecastSpec
    weights: Mapping[str, AnyArray]
    shifts: Float64Array
    trees: tuple[Trees, ...] = ()
    share: tuple[float, ...] = ()

    def network(self) -> ForecastNetwork:
        """Return the network with its weights, ready to answer.

        Raises
        ------
        BundleError
            If the weights are of another network.
        """
        network = build(self.spec)
        try:
            network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in self.weights.items()})
        except RuntimeError as error:
            raise BundleError(
                "The weights do not fit the forecaster.",
                expected="weights of the network that the spec describes",
                next_step="use an undamaged copy of the bundle",
            ) from error
        return network.eval()

    def quantiles(self, courses: Sequence[Course]) -> list[Float64Array]:
        """Return calibrated quantiles at each step of each course, ``t k q``, in the target's unit.

        Notes
        -----
        NaN at steps at which the target was not measured. What is said at a step depends on that step and earlier ones
        alone.
        """
        return self.of_clean([clean(course, self.spec) for course in courses])

    def of_clean(self, cleaned: Sequence[Course]) -> list[Float64Array]:
        """Return the same of courses that are clean already, or made of such: every reading is believed."""
        raw = raw_quantiles(self.network(), prepare(cleaned, self.spec))
        found: list[Float64Array] = []
        for course, whole in zip(cleaned, raw, strict=True):
            line = expected(course, self.spec)
            offsets = whole[: len(course.times_h)].astype(np.float64)
            if any(self.share):
                offsets = mixed(offsets, grown_at(self.trees, course, self.spec), self)
            found.append(shifted(placed(offsets, line, self.spec), self.shifts))
        return found


def mixed(offsets: Float64Array, grown: Float64Array, forecaster: Forecaster) -> Float64Array:
    """Return the network's quantiles moved towards what the trees say.

    Parameters
    ----------
    offsets : numpy.ndarray
        ``t k q``, of the network.
    grown : numpy.ndarray
        ``t k``, of the trees, in the same unit.
    forecaster : Forecaster
    """
    away = grown - offsets[..., forecaster.spec.middle]
    return np.asarray(offsets + (np.array(forecaster.share) * away)[..., None], np.float64)


def placed(offsets: Float64Array, line: Float64Array, spec: ForecastSpec) -> Float64Array:
    """Return quantiles in the target's unit from offsets ``t k q`` and what the line says, ``t k``."""
    added = np.array(spec.scale)[:, None] * offsets
    return np.asarray(line[..., None] + added, np.float64)


@torch.inference_mode()
def raw_quantiles(network: ForecastNetwork, arrays: Arrays) -> list[Float32Array]:
    """Return what the network says of prepared series, ``u k q`` each, at least as many steps as the series has."""
    order = np.argsort(arrays.lengths, kind="stable")
    found: list[Float32Array] = [np.zeros((0, 0, 0), np.float32)] * len(arrays)
    on = next(network.parameters()).device
    for first in range(0, len(order), BATCH):
        rows = order[first : first + BATCH]
        longest = int(arrays.lengths[rows].max())
        series = torch.from_numpy(arrays.series[rows, :, :longest]).to(on)
        said = torch.from_numpy(arrays.said[rows, :longest]).to(on)
        answer = network(series, said, {}).cpu().numpy()
        short = longest - answer.shape[1]  # steps at whose end nothing at all was measured
        if short:
            answer = np.pad(answer, ((0, 0), (0, short), (0, 0), (0, 0)), mode="edge")
        for row, one in zip(rows, answer, strict=True):
            found[int(row)] = one[: int(arrays.lengths[row])]
    return found
