"""Which series of a study is used, and the reason that is told."""

from dataclasses import replace

import pytest

from hounsfield.data.dicom.choosing import choose, plane, softness
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.groups import Study, series_of, studies_of
from hounsfield.data.dicom.query import parse_query

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
BASE = Entry(
    "", study_uid="1", patient_id="p", modality="CT", rows=8, columns=8, frames=1, orientation_lps=AXIAL,
    image_type=("ORIGINAL", "PRIMARY", "AXIAL"), thickness_mm=2.0, kernel="B30f",
)  # fmt: skip


def _series(uid: str, count: int = 10, **facts: object) -> list[Entry]:
    made = replace(BASE, series_uid=uid, **facts)  # type: ignore[arg-type]  # fields by name
    return [replace(made, path=f"{uid}/{n}", sop_uid=f"{uid}.{n}") for n in range(count)]


def _studies(*series: list[Entry]) -> tuple[Study, ...]:
    return studies_of(series_of([e for s in series for e in s]))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, "a localizer (scout)"),
        ({"series_description": "3-plane scout"}, "a localizer (scout)"),
        ({"image_type": ("DERIVED", "SECONDARY", "MPR")}, "derived from other images"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.7"}, "a secondary capture"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.88.67", "frames": 0}, "a dose report"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.88.33", "frames": 0}, "a structured report"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.66.4"}, "a segmentation: a mask of other images"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.481.3", "frames": 0}, "a structure set: contours on other images"),
        ({"frames": 0}, "no pixels"),
        ({"series_description": "Dose Report"}, "a dose report"),
        ({"image_type": ("DERIVED", "PRIMARY", "AXIAL")}, "derived from other images"),
        ({"orientation_lps": (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)}, "sagittal orientation"),
        ({"orientation_lps": None}, "unknown orientation"),
        ({"kernel": "B70f"}, "kernel B70f is not as soft"),
        ({"thickness_mm": 5.0}, "thicker slices"),
        ({"series_number": 3}, "alike; the first by UID is used"),
    ],
)
def test_what_is_worse_and_why(facts: dict[str, object], reason: str) -> None:
    (choice,) = choose(_studies(_series("a", 20, **facts), _series("b", 20)))
    if reason.startswith("alike"):
        (choice,) = choose(_studies(_series("b", 20), _series("c", 20)))
    assert choice.chosen is not None
    assert choice.chosen.uid == "b"
    assert [r for _, r in choice.apart] == [reason]


def test_complete_series_win_over_thin_ones_and_small_differences_do_not_count() -> None:
    (choice,) = choose(_studies(_series("few", 10, thickness_mm=0.5), _series("most", 100)))
    assert choice.chosen is not None
    assert choice.chosen.uid == "most"
    (choice,) = choose(_studies(_series("soft", 95), _series("sharp", 100, kernel="LUNG")))
    assert choice.chosen is not None
    assert choice.chosen.uid == "soft"
    assert choice.reason == "the best; CT, axial, 95 images, 2 mm, soft kernel B30f"


def test_the_modality_that_most_studies_have_is_preferred() -> None:
    made = [_series(f"ct{n}", 5, study_uid=str(n), patient_id=str(n)) for n in range(3)]
    made.append(_series("mr2", 50, study_uid="2", patient_id="2", modality="MR"))
    made.append(_series("mr9", 50, study_uid="9", patient_id="9", modality="MR"))
    chosen = [c.chosen.uid for c in choose(_studies(*made)) if c.chosen is not None]
    assert chosen == ["ct0", "ct1", "ct2", "mr9"]
    told = {s.uid: reason for c in choose(_studies(*made)) for s, reason in c.apart}
    assert told == {"mr2": "MR, most studies have CT"}


def test_the_order_of_the_files_does_not_matter() -> None:
    made = [_series(u, 5, kernel=k) for u, k in (("x", "B30f"), ("y", "STANDARD"), ("z", "odd"))]
    uids = {c.chosen.uid for c in (*choose(_studies(*made)), *choose(_studies(*made[::-1]))) if c.chosen is not None}
    assert uids == {"x"}


def test_a_query_may_choose_what_the_rules_set_apart() -> None:
    studies = _studies(_series("a", image_type=("DERIVED", "SECONDARY", "MPR")), _series("b"))
    (choice,) = choose(studies, parse_query("ImageType contains 'MPR'"))
    assert choice.chosen is not None
    assert (choice.chosen.uid, choice.reason[:21]) == ("a", "asked for by --series")
    (choice,) = choose(studies, parse_query("Modality == 'MR'"))
    assert (choice.chosen, choice.reason) == (None, "2 x not meant by --series")


def test_computed_slices_are_used_where_a_study_has_nothing_else() -> None:
    alone = _series("a", image_type=("DERIVED", "SECONDARY", "MPR"))
    (choice,) = choose(_studies(alone, _series("s", 3, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))))
    assert choice.chosen is not None
    assert choice.chosen.uid == "a"


def test_a_query_for_one_phase_finds_the_series_that_holds_it() -> None:
    mixed = [*_series("a", 5, modality="MR", b_value=0.0), *_series("a", 5, modality="MR", b_value=1000.0)]
    (choice,) = choose(_studies(mixed, _series("b", modality="MR")), parse_query("DiffusionBValue == 1000"))
    assert choice.chosen is not None
    assert choice.chosen.uid == "a"


def test_copies_of_a_file_count_once() -> None:
    twice = [*_series("a", 6), *(replace(e, path="copy/" + e.path) for e in _series("a", 6))]
    (choice,) = choose(_studies(twice, _series("b", 10)))
    assert choice.chosen is not None
    assert choice.chosen.uid == "b"


def test_kernels_and_planes() -> None:
    assert [softness(k) for k in ("B30f", "Br40d\\3", "I31f", "STANDARD", "FC08", "A", "SOFT", "B45f")] == ["soft"] * 8
    assert [softness(k) for k in ("B70f", "Bl57d", "LUNG", "BONEPLUS", "FC51", "YA", "EDGE", "B46f")] == ["sharp"] * 8
    assert softness("") == softness("17") == ""
    assert plane(BASE) == "axial"
    assert plane(replace(BASE, orientation_lps=(1.0, 0.0, 0.0, 0.0, 0.0, -1.0))) == "coronal"
