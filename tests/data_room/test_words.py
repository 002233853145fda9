"""What names give away."""

import pytest

from hounsfield.data.words import group_strength, is_record, modality_of, polarity, positive_of, target_strength, tokens


@pytest.mark.parametrize(
    "name", ["COVID", "malignant", "abnormal", "Pneumonia", "恶性", "阳性", "yes", "TB", "COVID-19", "diseased", "异常"]
)
def test_positive(name: str) -> None:
    assert polarity(name) == 1


@pytest.mark.parametrize(
    "name",
    [
        "NonCOVID",
        "non-covid",
        "normal",
        "benign",
        "No Finding",
        "negative",
        "良性",
        "阴性",
        "无",
        "unaffected",
        "no_tumor",
        "healthy",
    ],
)
def test_negative(name: str) -> None:
    assert polarity(name) == -1


@pytest.mark.parametrize("name", ["A", "0", "1", "grade 2", "northern"])
def test_neutral(name: str) -> None:
    assert polarity(name) == 0


def test_positive_class() -> None:
    assert positive_of(("NonCOVID", "COVID"), "label") == ("COVID", "name")
    assert positive_of(("normal", "x"), "label") == ("x", "name")
    assert positive_of(("0", "1"), "tb_label") == ("1", "name")
    assert positive_of(("0", "1"), "label") == ("1", "assumed")
    assert positive_of(("a", "b", "c"), "label") == (None, "")


def test_columns() -> None:
    assert (
        target_strength("label")
        > target_strength("tb_label")
        > target_strength("lung_metastasis")
        > target_strength("hue")
    )
    assert group_strength("patient_id") == 2
    assert group_strength("patient_age") == 0
    assert is_record("original_filename")
    assert is_record("src_width")
    assert not is_record("organ")
    assert modality_of("covid-ct") == "CT"
    assert modality_of("covid-chestxray") == "DX"
    assert tokens("lungMask_2") == ("lung", "mask", "2")
