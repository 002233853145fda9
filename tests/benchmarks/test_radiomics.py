"""The page of features is the one that the kept result and the catalogue give; names of PyRadiomics are of features."""

from benchmarks.accuracy import ibsi1
from benchmarks.record import read_result
from benchmarks.speed import radiomics
from benchmarks.speed.radiomics_names import NAMES

from hounsfield.science.radiomics.catalogue import feature


def test_the_page_of_features_is_up_to_date() -> None:
    result = read_result(ibsi1.NAME)
    assert result is not None
    assert ibsi1.PAGE.read_text(encoding="utf-8") == ibsi1.page(result)
    assert "**2104 of 2104 values agree.**" in ibsi1.page(result)


def test_every_name_stands_for_a_feature() -> None:
    assert len(NAMES) == len(set(NAMES.values())) == 102
    assert all(feature(tag).code for tag in NAMES.values())


def test_agreement_says_what_is_not_alike() -> None:
    values = {"stat_mean": 2.0, "stat_kurt": 1.0, "morph_pca_maj_axis": 8.0}
    other = {
        "firstorder_Mean": 2.0 + 1e-9,
        "firstorder_Kurtosis": 4.0,
        "shape_MajorAxisLength": 7.9,
        "glcm_MCC": 0.5,
    }
    found = radiomics.agreement(values, other)
    assert found["alike_to_1e-6"] == 2
    assert found["not_in_ibsi"] == ["glcm_MCC"]
    apart = found["not_alike"]
    assert isinstance(apart, dict)
    assert "n - 1" in apart["shape_MajorAxisLength"]["why"]
