"""The three terms against NumPy, and what they are for."""

import numpy as np
import pytest
import torch

from hounsfield.learn.warmup.objective import ALIKE, DECORRELATED, SPREAD, Projector, terms
from tests.references import warmup


def test_terms_are_those_of_the_paper() -> None:
    rng = np.random.default_rng(0)
    first, second = 0.5 * rng.standard_normal((2, 7, 5))
    found = {name: float(value) for name, value in terms(torch.from_numpy(first), torch.from_numpy(second)).items()}
    assert found["alike"] == pytest.approx(warmup.alike(first, second))
    assert found["spread"] == pytest.approx((warmup.spread(first) + warmup.spread(second)) / 2)
    assert found["decorrelated"] == pytest.approx(warmup.decorrelated(first) + warmup.decorrelated(second))
    total = ALIKE * found["alike"] + SPREAD * found["spread"] + DECORRELATED * found["decorrelated"]
    assert total == pytest.approx(warmup.vicreg(first, second))


def test_one_and_the_same_answer_to_all_is_the_costliest_spread() -> None:
    same = torch.ones(8, 4)
    assert float(terms(same, same)["alike"]) == 0.0
    assert float(terms(same, same)["spread"]) == pytest.approx(0.99)


def test_projections_are_float32_under_autocast() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert Projector(6, width=4)(torch.randn(8, 6)).dtype == torch.float32
