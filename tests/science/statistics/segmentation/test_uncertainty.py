"""Entropy of every voxel against SciPy's, and of a case as a whole."""

import numpy as np
import pytest
from scipy.stats import entropy

from hounsfield.science.statistics.segmentation import uncertainty as module
from hounsfield.science.statistics.segmentation.uncertainty import PROBABLE, uncertainty


def test_exclusive_classes_have_the_entropy_of_their_shares() -> None:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([0.4, 0.3, 0.3], size=(6, 7, 5))
    probabilities = np.moveaxis(shares[..., 1:], -1, 0).astype(np.float32)
    found = uncertainty(probabilities, exclusive=True, keep=True)
    wanted = entropy(shares, axis=-1) / np.log(3)
    assert found.values is not None
    np.testing.assert_allclose(found.values.astype(np.float64), wanted, atol=2e-3)
    asked = probabilities.sum(axis=0) >= PROBABLE
    assert found.mean == pytest.approx(float(wanted[asked].mean()), abs=1e-3)


def test_classes_that_overlap_have_the_largest_of_their_entropies() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.uniform(size=(2, 9, 8)).astype(np.float32)
    probabilities[:, :, 0] = 0.0
    found = uncertainty(probabilities, exclusive=False, keep=True)
    both = np.stack([entropy(np.stack([p, 1 - p]), base=2, axis=0) for p in probabilities.astype(np.float64)])
    assert found.values is not None
    np.testing.assert_allclose(found.values.astype(np.float64), both.max(axis=0), atol=2e-3)
    asked = probabilities.max(axis=0) >= PROBABLE
    assert found.mean == pytest.approx(float(both.max(axis=0)[asked].mean()), abs=1e-3)


def test_slabs_change_nothing_and_the_empty_part_of_an_image_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    probabilities = np.random.default_rng(2).uniform(size=(1, 11, 6, 5)).astype(np.float16)
    whole = uncertainty(probabilities, exclusive=False, keep=True)
    padded = uncertainty(np.pad(probabilities, [(0, 0), (0, 40), (0, 0), (0, 0)]), exclusive=False)
    assert padded.mean == pytest.approx(whole.mean, abs=1e-6)
    assert padded.values is None
    monkeypatch.setattr(module, "AT_ONCE", 60)
    again = uncertainty(probabilities, exclusive=False, keep=True)
    assert whole.values is not None
    assert again.values is not None
    np.testing.assert_array_equal(again.values, whole.values)
    assert again.mean == pytest.approx(whole.mean)


def test_the_ends_of_the_scale() -> None:
    assert uncertainty(np.zeros((1, 4, 4)), exclusive=False).mean == 0.0
    assert uncertainty(np.ones((1, 4, 4)), exclusive=False).mean == pytest.approx(0.0, abs=1e-6)
    assert uncertainty(np.full((1, 4, 4), 0.5), exclusive=False).mean == pytest.approx(1.0)
    assert uncertainty(np.full((3, 4, 4), 0.25), exclusive=True).mean == pytest.approx(1.0)
