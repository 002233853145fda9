"""The ranks of expected Dice and marked size, against SciPy and plain resampling."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from hounsfield.stages.evaluation.quality import LEAST_RANKED, quality_figures


def made(count: int = 60, *, seed: int = 0) -> tuple[list[float | None], list[dict[str, float]], list[str]]:
    """Cases of which every fifth holds nothing, and a few are missed."""
    rng = np.random.default_rng(seed)
    expected: list[float | None] = []
    figures: list[dict[str, float]] = []
    for n in range(count):
        dice = float(rng.uniform(0.2, 0.95))
        size = float(rng.integers(50, 500))
        if n % 11 == 3:
            expected.append(None)
            figures.append({"dice": 0.0, "tp": 0.0, "fp": 0.0, "fn": size})
        elif n % 5 == 0:
            expected.append(0.9)
            figures.append({"dice": 0.0, "tp": 0.0, "fp": size, "fn": 0.0})
        else:
            expected.append(float(np.clip(dice + rng.normal(0, 0.1), 0, 1)))
            figures.append({"dice": dice, "tp": size * 0.8, "fp": size * 0.2, "fn": 10.0})
    return expected, figures, [f"p{n // 2}" for n in range(count)]


def test_ranks_are_those_of_the_cases_that_hold_the_structure() -> None:
    expected, figures, units = made()
    found = quality_figures(expected, figures, units, seed=1, replicates=600)
    held = [n for n, f in enumerate(figures) if f["tp"] + f["fn"] > 0]
    guess = np.array([e if (e := expected[n]) is not None else 0.0 for n in held])
    true = np.array([figures[n]["dice"] for n in held])
    size = np.array([figures[n]["tp"] + figures[n]["fp"] for n in held])
    rank, plain = (float(spearmanr(v, true).statistic) for v in (guess, size))
    assert found["quality_rank"].value == pytest.approx(rank, abs=1e-9)
    assert found["size_rank"].value == pytest.approx(plain, abs=1e-9)
    assert found["quality_above_size"].value == pytest.approx(rank - plain, abs=1e-9)
    marked = size > 0
    assert found["quality_error"].value == pytest.approx(float(np.abs(guess - true)[marked].mean()))
    # intervals against resampling of patients, row by row
    rng = np.random.default_rng(5)
    people = np.array([units[n] for n in held])
    rows = {p: np.flatnonzero(people == p) for p in set(people)}
    names = sorted(rows)
    drawn = []
    for _ in range(1500):
        index = np.concatenate([rows[names[i]] for i in rng.integers(0, len(names), len(names))])
        drawn.append(spearmanr(guess[index], true[index]).statistic - spearmanr(size[index], true[index]).statistic)
    figure = found["quality_above_size"]
    assert (figure.low, figure.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.05)


def test_nothing_is_said_without_an_estimate_or_with_few_cases() -> None:
    expected, figures, units = made()
    assert quality_figures([None] * len(units), figures, units, seed=0) == {}
    few = LEAST_RANKED - 2
    assert quality_figures(expected[:few], figures[:few], units[:few], seed=0) == {}


def test_a_missed_case_is_ranked_last_and_not_left_out() -> None:
    figures = [{"dice": 0.5 + 0.01 * n, "tp": 50.0 + n, "fp": 5.0, "fn": 3.0} for n in range(20)]
    figures += [{"dice": 0.0, "tp": 0.0, "fp": 0.0, "fn": 9.0}] * 5
    expected: list[float | None] = [0.5 + 0.01 * n for n in range(20)]
    found = quality_figures([*expected, *[None] * 5], figures, [str(n) for n in range(25)], seed=0, replicates=50)
    assert found["quality_rank"].value == pytest.approx(1.0)
    without = quality_figures(expected, figures[:20], [str(n) for n in range(20)], seed=0, replicates=50)
    assert without["quality_rank"].value == pytest.approx(1.0)
