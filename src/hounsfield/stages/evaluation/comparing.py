"""Two models on the same samples: paired differences, ties, and which one to recommend."""

from collections.abc import Mapping, Sequence

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.report import LOWER_IS_BETTER, MAIN_METRIC, Baseline, Figure
from hounsfield.core.types import Float64Array
from hounsfield.science.statistics.figures import Resampled, differences_of
from hounsfield.science.statistics.intervals import Difference
from hounsfield.stages.evaluation.preparing import Points, as_figure, figures_of, resampled
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions, gather

DEFAULT = JudgeOptions()
NETWORK = "network"


def compare(
    target: TargetSpec,
    samples: Sequence[JudgedSample],
    *,
    ours: Float64Array,
    theirs: Float64Array,
    points: tuple[Points, Points] = (None, None),
    options: JudgeOptions = DEFAULT,
) -> dict[str, Figure]:
    """Return the difference of every figure, ours minus theirs, with its paired patient-level bootstrap interval.

    Parameters
    ----------
    target : TargetSpec
    samples : sequence of JudgedSample
        Length n.
    ours, theirs : float64 array (n k) or (n,)
        Probabilities or numbers of two models for these samples.
    points : pair of OperatingPoint, PerSample, mapping or None
        Each model's own threshold.
    options : JudgeOptions
        Seed and replicates.

    Returns
    -------
    dict of str to Figure
        Plain differences: above 0 favours ours, except for errors (``mae``, ``rmse``, ``brier``,
        ``calibration_error``), where below 0 does; those carry a note.
    """
    left, right = gather(target, samples, ours), gather(target, samples, theirs)
    return _shown(differences_of(resampled(left, points[0], options), resampled(right, points[1], options)))


def baseline_block(
    target: TargetSpec,
    samples: Sequence[JudgedSample],
    *,
    network: Resampled,
    baseline: Float64Array,
    points: Points = None,
    options: JudgeOptions = DEFAULT,
) -> Baseline:
    """Judge a cheap model on the same samples and compare the network with it.

    Parameters
    ----------
    target : TargetSpec
    samples : sequence of JudgedSample
        Length n.
    network : Resampled
        From `hounsfield.stages.evaluation.preparing.resampled`, of the same samples with the same options.
    baseline : float64 array (n k) or (n,)
        Its probabilities or numbers.
    points : OperatingPoint, PerSample, ClassFactors, mapping or None
        The baseline's own threshold.
    options : JudgeOptions
        Seed and replicates.
    """
    found = resampled(gather(target, samples, baseline), points, options)
    difference = _shown(differences_of(network, found))
    return Baseline(
        metrics=figures_of(found),
        difference=difference,
        ties=ties(difference.get(MAIN_METRIC[target.kind])),
    )


def ties(difference: Figure | None) -> bool:
    """Return whether the interval of a difference includes 0; False where it is undefined."""
    if difference is None or difference.low is None or difference.high is None:
        return False
    return difference.low <= 0.0 <= difference.high


def recommend(target: TargetSpec, baselines: Mapping[str, Baseline]) -> str:
    """Return the model to use: the network only where it is clearly better than every baseline.

    Parameters
    ----------
    target : TargetSpec
    baselines : mapping of str to Baseline
        Simplest first.

    Returns
    -------
    str
        ``network``, or of the baselines that it does not clearly beat the one with the best main figure; ``""``
        where there are baselines, but the difference from none of them has an interval: nothing is decided then.
    """
    main = MAIN_METRIC[target.kind]
    sign = -1.0 if main in LOWER_IS_BETTER else 1.0
    rivals: dict[str, float] = {}
    compared = not baselines
    for name, block in baselines.items():
        figure, difference = block.metrics.get(main), block.difference.get(main)
        if figure is None or figure.value is None or difference is None or difference.low is None:
            continue
        compared = True
        high = difference.low if difference.high is None else difference.high
        if min(sign * difference.low, sign * high) <= 0:
            rivals[name] = sign * figure.value
    if not compared:
        return ""
    return max(rivals, key=lambda name: rivals[name]) if rivals else NETWORK


def _shown(differences: Mapping[str, Difference]) -> dict[str, Figure]:
    return {name: _with_direction(name, as_figure(value)) for name, value in differences.items()}


def _with_direction(name: str, figure: Figure) -> Figure:
    if name.partition(":")[0] not in LOWER_IS_BETTER:
        return figure
    note = "; ".join(part for part in (figure.note, "an error: below 0 favours the first") if part)
    return figure.model_copy(update={"note": note})
