"""The simulated cohort: seeded, balanced, calibrated, without a trivial giveaway."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hounsfield.core.errors import InputError
from hounsfield.science.physics.ct_cohort import CtCohort, CtSlice, simulate_ct_cohort, simulate_ct_slice
from hounsfield.science.physics.lesions import LESION_TYPES


@pytest.fixture(scope="module")
def cohort() -> CtCohort:
    return simulate_ct_cohort(patients=48, slices_per_patient=4, size=48, seed=3)


def _same(one: CtSlice, other: CtSlice) -> bool:
    return (
        np.array_equal(one.hu, other.hu)
        and np.array_equal(one.lesion_mask, other.lesion_mask)
        and (one.patient, one.index, one.targets, one.attributes)
        == (other.patient, other.index, other.targets, other.attributes)
    )


def test_a_slice_does_not_depend_on_the_size_of_the_cohort() -> None:
    large = simulate_ct_cohort(patients=3, slices_per_patient=3, size=48, seed=5)
    small = simulate_ct_cohort(patients=2, slices_per_patient=2, size=48, seed=5)
    assert [(s.patient, s.index) for s in small] == [("P001", 0), ("P001", 1), ("P002", 0), ("P002", 1)]
    assert all(_same(s, large.slices[3 * (int(s.patient[1:]) - 1) + s.index]) for s in small)
    assert _same(large.slices[-1], simulate_ct_slice(2, 2, size=48, seed=5))
    assert not np.array_equal(simulate_ct_slice(0, 0, size=48, seed=6).hu, large.slices[0].hu)


def test_answers_are_consistent(cohort: CtCohort) -> None:
    assert len(cohort) == len(list(cohort)) == 192
    for s in cohort:
        target = s.targets
        assert s.hu.dtype == np.int16
        assert target.lesion_present == bool(target.lesion_types) == (target.grade > 0)
        assert target.lesion_present == (target.diameter_mm is not None)
        assert target.lesion_present or not s.lesion_mask.any()
        assert target.diameter_mm is None or target.diameter_mm < 16.0 or s.lesion_mask.any()
        assert target.diameter_mm is None or 7.0 < target.diameter_mm < 54.0


def test_kinds_and_grades_all_occur_and_half_the_slices_have_a_lesion(cohort: CtCohort) -> None:
    present = np.array([s.targets.lesion_present for s in cohort])
    assert 0.4 < present.mean() < 0.65
    assert all(sum(kind in s.targets.lesion_types for s in cohort) > 20 for kind in LESION_TYPES)
    assert min(np.bincount([s.targets.grade for s in cohort], minlength=4)) > 12
    assert any(len(s.targets.lesion_types) > 1 for s in cohort)


def test_brightness_and_attributes_do_not_give_the_answer_away(cohort: CtCohort) -> None:
    present = np.array([s.targets.lesion_present for s in cohort])

    def auc(values: list[float]) -> float:
        score = float(roc_auc_score(present, values))
        return max(score, 1 - score)

    assert auc([float(s.hu.mean()) for s in cohort]) < 0.7
    assert auc([s.attributes.photons for s in cohort]) < 0.7
    assert auc([s.attributes.age_years for s in cohort]) < 0.7


def test_numbers_are_hounsfield_units() -> None:
    s = simulate_ct_slice(0, 0, size=64, seed=1)
    corner = s.hu[:8, 20:44]
    assert corner.mean() == pytest.approx(-1000.0, abs=25.0)
    assert -110 < np.median(s.hu[s.hu > -300]) < 150


def test_less_dose_is_noisier_and_otherwise_the_same_patient() -> None:
    high, low = (simulate_ct_slice(1, 0, size=64, photons=photons, seed=2) for photons in (1e6, 1e4))
    assert high.targets == low.targets
    assert low.hu[:8].std() > 2 * high.hu[:8].std()


@pytest.mark.parametrize("change", [{"patients": 0}, {"slices_per_patient": 0}, {"size": 8}, {"seed": -1}])
def test_arguments_out_of_range_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(InputError, match="Next: give"):
        simulate_ct_cohort(**{"patients": 1, "slices_per_patient": 1, "size": 32, **change})
