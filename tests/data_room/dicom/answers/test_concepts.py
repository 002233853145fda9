import pytest

from hounsfield.data.dicom.answers.composing import short
from hounsfield.data.dicom.answers.concepts import _ABNORMAL, _ANATOMY, concept


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("liver", "Liver"), ("Left_Lung", "Lung"), ("leftLung", "Lung"), ("lungs", "Lung"), ("vessels", "Blood Vessel"),
        ("kidney_left", "Kidney"), ("hippocampus anterior", "Hippocampus"), ("LIVER tumour", "Tumor"),
        ("lesion", "Lesion"), ("malignant", "Lesion"), ("breast cancer", "Lesion"), ("lung nodule 3", "Nodule"),
        ("metastases", "Metastasis"), ("kidney stone", "Tissue"), ("non-liver", "Tissue"), ("fov", "Tissue"),
        ("肝脏", "Tissue"), ("", "Tissue"), ("class 1", "Tissue"), ("liver segment", "Tissue"), ("delivery", "Tissue"),
    ],
)  # fmt: skip
def test_a_code_is_given_only_where_the_name_says_it(name: str, kind: str) -> None:
    assert concept(name).kind.meaning == kind


def test_every_term_is_in_the_dictionary() -> None:
    for phrase in (*_ANATOMY, *_ABNORMAL):
        term = concept(phrase)
        assert term.kind.scheme_designator == "SCT"
        assert term.kind.meaning not in ("Tissue",)
    assert concept("lesion").category.value == "49755003"
    assert concept("liver").category.meaning == "Anatomical Structure"


def test_labels_fit_their_type() -> None:
    assert short("a\\b\nc", 64) == "a b c"
    assert short("病" * 100, 64) == "病" * 64
    assert short(" ", 64) == "unnamed"
