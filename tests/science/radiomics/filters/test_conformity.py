"""The walk over all reference maps and values of IBSI 2."""

import pytest
from benchmarks.accuracy import filters as conformity

NEEDED = ("ibsi2_digital_phantoms", "ibsi2_reference_response_maps", "ibsi2_reference_values", "ibsi1_ct_phantom")
pytestmark = pytest.mark.skipif(
    not all((conformity.folder() / name).is_dir() for name in NEEDED),
    reason="the folder ibsi is not in the folder that HOUNSFIELD_DATA names",
)


@pytest.mark.parametrize("case", conformity.MAPS, ids=lambda case: case.name)
def test_every_voxel_of_a_response_map_agrees(case: conformity.Map) -> None:
    assert conformity.deviation(case) <= conformity.TOLERANCE


def test_every_reference_map_is_walked() -> None:
    there = {p.name.split(".")[0] for p in (conformity.folder() / "ibsi2_reference_response_maps").glob("*.nii.gz")}
    assert {case.name for case in conformity.MAPS} == there
    assert len(there) == 33


@pytest.mark.parametrize("name", conformity.FEATURES)
def test_every_feature_of_a_filtered_ct_agrees(name: str) -> None:
    found = conformity.feature_deviations(name)
    assert {tag: away for tag, away in found.items() if away > 1} == {}


def test_every_reference_value_is_walked() -> None:
    assert set(conformity.references()) == set(conformity.FEATURES)
    # one of the 324 has no consensus
    assert sum(len(of) for of in conformity.references().values()) == 323


def test_the_page_says_how_many_agree() -> None:
    text = conformity.PAGE.read_text(encoding="utf-8")
    assert "| **all** | 33 | 33 |" in text
    assert "| **all** | 323 | 323 |" in text
