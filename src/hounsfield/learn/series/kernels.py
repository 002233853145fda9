"""Random dilated kernels over series, and four numbers of what each of them answers.

The kernels are those of MiniRocket: all 84 ways to give three of nine taps the weight 2 and the others -1, so that they
sum to 0 and the level of a series does not matter. Each stands at several dilations, over a few channels, with several
biases. Of an answer ``z`` = convolution - bias four numbers are kept, as in MultiRocket: the share of time above 0, the
mean of what is above 0, the mean place of it, and its longest stretch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, Float64Array, IntArray
from hounsfield.science.compiled import compiled

TAPS = 9
TRIPLES = np.array(list(combinations(range(TAPS), 3)), dtype=np.int64)
"""``84 3``: the taps of weight 2."""
POOLS = 4
MOST_DILATIONS = 32
"""Dilations that biases are shared out to; short series have fewer distinct ones."""
MOST_CHANNELS = 9
"""Channels that one kernel looks at, at most."""
GOLDEN = (5.0**0.5 + 1.0) / 2.0
"""Quantiles for biases follow its multiples modulo 1, which fill the unit interval evenly."""


@dataclass(frozen=True)
class Kernels:
    """Kernels at their dilations; the combination ``84 d + k`` is triple `k` at dilation `d`.

    Parameters
    ----------
    dilations : numpy.ndarray
        ``d`` int64.
    starts, channels : numpy.ndarray
        ``84 d + 1`` and flat, int64: the channels of combination `j` are ``channels[starts[j] : starts[j + 1]]``.
    places, biases : numpy.ndarray
        ``84 d + 1`` int64 and flat float32, in the same way.

    References
    ----------
    Dempster, Schmidt, Webb: "MiniRocket", KDD 2021. Tan et al.: "MultiRocket", Data Min Knowl Disc 36, 2022.
    """

    dilations: IntArray
    starts: IntArray
    channels: IntArray
    places: IntArray
    biases: Float32Array

    @property
    def features(self) -> int:
        """Numbers per series."""
        return POOLS * len(self.biases)

    def arrays(self, prefix: str) -> dict[str, AnyArray]:
        """Return everything by name, each behind a prefix."""
        return {f"{prefix}/{name}": getattr(self, name) for name in _NAMES}

    @classmethod
    def of(cls, arrays: Mapping[str, AnyArray], prefix: str) -> "Kernels":
        """Return what `arrays` gave."""
        whole = {name: np.asarray(arrays[f"{prefix}/{name}"], dtype=np.int64) for name in _NAMES[:-1]}
        return cls(**whole, biases=np.asarray(arrays[f"{prefix}/biases"], dtype=np.float32))

    def __call__(self, series: Float32Array, ends: IntArray) -> Float32Array:
        """Describe series without gaps.

        Parameters
        ----------
        series : numpy.ndarray
            ``n c t`` float32.
        ends : numpy.ndarray
            ``n`` int64, the length of each.

        Returns
        -------
        numpy.ndarray
            ``n f`` float32: for each bias the share above 0, the mean above 0, its mean place (0 to 1, -1 for none)
            and its longest stretch (0 to 1).
        """
        out = np.zeros((len(series), self.features), dtype=np.float32)
        for row in range(len(series)):
            _describe(
                np.ascontiguousarray(series[row, :, : ends[row]]),
                self.dilations,
                (self.starts, self.channels),
                (self.places, self.biases),
                out[row],
            )
        return out


_NAMES = ("dilations", "starts", "channels", "places", "biases")


def fit_kernels(series: Float32Array, ends: IntArray, *, biases: int, rng: np.random.Generator) -> Kernels:
    """Choose dilations, channels and biases for series such as these.

    Parameters
    ----------
    series : numpy.ndarray
        ``n c t`` float32, without gaps; training rows alone.
    ends : numpy.ndarray
        ``n`` int64.
    biases : int
        How many are wanted; every combination has at least one, and there are fewer dilations where that is more.
    rng : numpy.random.Generator

    Notes
    -----
    Dilations run from 1 to where the kernel covers a series of median length. A bias is a quantile of what its
    kernel answers to one series drawn at random.
    """
    dilations, weights = _dilations(int(np.median(ends)), most=biases // len(TRIPLES))
    each = np.maximum(1, np.round(weights * biases / len(TRIPLES)).astype(np.int64))
    counts = np.repeat(each, len(TRIPLES))
    starts, channels = _channels(len(counts), series.shape[1], rng)
    places = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    quantiles = (np.arange(1, places[-1] + 1) * GOLDEN) % 1.0
    drawn = rng.integers(len(series), size=len(counts))
    found = np.empty(places[-1], dtype=np.float32)
    for at, row in enumerate(drawn):
        answer = answered(
            series[row, channels[starts[at] : starts[at + 1]], : ends[row]],
            TRIPLES[at % len(TRIPLES)],
            int(dilations[at // len(TRIPLES)]),
        )
        low, high = judged(at, answer.size, int(dilations[at // len(TRIPLES)]))
        own = slice(places[at], places[at + 1])
        found[own] = np.quantile(answer[low:high], quantiles[own])
    return Kernels(dilations, starts, channels, places, found)


def answered(series: Float32Array, triple: IntArray, dilation: int) -> Float64Array:
    """Return the convolution ``t`` of one kernel with channels ``c t``, summed over them; 0 beyond the ends."""
    steps = series.shape[1]
    weights = np.full(TAPS, -1.0)
    weights[triple] = 2.0
    reach = (TAPS // 2) * dilation
    padded = np.pad(series.astype(np.float64).sum(axis=0), reach)
    answer: Float64Array = sum(w * padded[i * dilation : i * dilation + steps] for i, w in enumerate(weights))
    return answer


def judged(combination: int, steps: int, dilation: int) -> tuple[int, int]:
    """Return the stretch of an answer that counts: every other combination leaves out what the padding touches."""
    reach = (TAPS // 2) * dilation
    if combination % 2 and steps > 2 * reach:
        return reach, steps - reach
    return 0, steps


def _dilations(steps: int, *, most: int) -> tuple[IntArray, Float64Array]:
    """Return distinct dilations, as many as there are biases for each triple, and the share of the biases of each."""
    largest = max(1.0, (steps - 1) / (TAPS - 1))
    exponents = np.linspace(0.0, np.log2(largest), int(np.clip(most, 1, MOST_DILATIONS)))
    dilations, counts = np.unique((2.0**exponents + 1e-9).astype(np.int64), return_counts=True)
    return dilations, counts / counts.sum()


def _channels(count: int, channels: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Draw the channels of each combination: 1, 2, ... of them, few being as likely as many on a logarithmic scale."""
    most = min(channels, MOST_CHANNELS)
    counts = (2.0 ** rng.uniform(0.0, np.log2(most + 1.0), count)).astype(np.int64)
    counts = np.minimum(counts, most)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    drawn = [np.sort(rng.choice(channels, own, replace=False)) for own in counts]
    return starts, np.concatenate(drawn).astype(np.int64)


@compiled
def _describe(
    series: Float32Array,
    dilations: IntArray,
    looks: tuple[IntArray, IntArray],
    cuts: tuple[IntArray, Float32Array],
    out: Float32Array,
) -> None:
    starts, channels = looks
    places, biases = cuts
    count, steps = series.shape
    taps = np.zeros((count, 9, steps), np.float32)
    total = np.zeros((count, steps), np.float32)
    answer = np.zeros(steps, np.float32)
    combination = 0
    for dilation in dilations:
        for c in range(count):
            total[c] = 0.0
            for tap in range(9):
                shift = (tap - 4) * dilation
                for t in range(steps):
                    at = t + shift
                    value = series[c, at] if 0 <= at < steps else np.float32(0.0)
                    taps[c, tap, t] = value
                    total[c, t] -= value
        reach = 4 * dilation
        for i in range(7):
            for j in range(i + 1, 8):
                for k in range(j + 1, 9):
                    answer[:] = 0.0
                    for place in range(starts[combination], starts[combination + 1]):
                        c = channels[place]
                        for t in range(steps):
                            answer[t] += total[c, t] + np.float32(3.0) * (taps[c, i, t] + taps[c, j, t] + taps[c, k, t])
                    low, high = 0, steps
                    if combination % 2 == 1 and steps > 2 * reach:
                        low, high = reach, steps - reach
                    for place in range(places[combination], places[combination + 1]):
                        _pool(answer[low:high], biases[place], out[4 * place : 4 * place + 4])
                    combination += 1


@compiled
def _pool(answer: Float32Array, bias: float, out: Float32Array) -> None:
    above, place, run, longest = 0, 0, 0, 0
    amount = 0.0
    for t in range(len(answer)):
        if answer[t] > bias:
            above += 1
            amount += answer[t] - bias
            place += t
            run += 1
            longest = max(longest, run)
        else:
            run = 0
    steps = len(answer)
    out[0] = above / steps
    out[1] = amount / above if above > 0 else 0.0
    out[2] = place / above / max(steps - 1, 1) if above > 0 else -1.0
    out[3] = longest / steps
