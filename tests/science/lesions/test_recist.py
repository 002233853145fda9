"""RECIST 1.1 by written-out cases."""

import itertools

import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.science.lesions.recist import Assessment, Candidate, NonTarget, Outcome, Response, chosen, judged

CR, PR, SD, PD, NE = Response.CR, Response.PR, Response.SD, Response.PD, Response.NE
NON, NONE = Response.NON_CR_NON_PD, Response.NONE


def _course(*sums: float | None) -> tuple[Outcome, ...]:
    """Judge one target through visits, baseline first."""
    return judged([Assessment({"t": s}) for s in sums])


@pytest.mark.parametrize(
    ("sums", "wanted"),
    [
        ((50, 35), PR),  # exactly 30% less
        ((50, 35.1), SD),
        ((50, 60), PD),  # exactly 20% more, 10 mm
        ((50, 59.9), SD),
        ((20, 24.9), SD),  # 24.5% more, but less than 5 mm
        ((20, 25), PD),
        ((100, 106), SD),  # 6 mm more, but 6%
        ((50, 0), CR),
        ((50, 50), SD),
        ((50, None), NE),
    ],
)
def test_one_step(sums: tuple[float | None, ...], wanted: Response) -> None:
    assert _course(*sums)[-1].overall == wanted


def test_progression_is_from_the_nadir_and_response_from_baseline() -> None:
    found = _course(100, 60, 40, 47, 48, 70)
    assert [o.overall for o in found] == [PR, PR, PR, PD, PD]
    assert [o.nadir_mm for o in found] == [100, 60, 40, 40, 40]
    # 47 is 17.5% above the nadir of 40, 48 is 20%, though more than 50% below baseline
    assert found[3].from_nadir == pytest.approx(0.2)
    assert found[3].from_baseline == pytest.approx(-0.52)


def test_a_visit_that_was_not_evaluable_is_no_nadir() -> None:
    visits: list[dict[str, float | None]] = [{"a": 30.0, "b": 30.0}, {"a": 10.0, "b": None}, {"a": 30.0, "b": 32.0}]
    found = judged([Assessment(v) for v in visits])
    assert [o.overall for o in found] == [NE, SD]
    assert found[1].nadir_mm == 60
    assert np.isnan(found[0].from_baseline)


def test_what_was_measured_may_be_progression_enough() -> None:
    visits: list[dict[str, float | None]] = [{"a": 30.0, "b": 10.0}, {"a": 48.0, "b": None}]
    assert judged([Assessment(v) for v in visits])[0].overall == PD


def test_nodes_need_not_vanish() -> None:
    nodes = frozenset({"n"})
    first = Assessment({"t": 30.0, "n": 20.0})
    assert judged([first, Assessment({"t": 0.0, "n": 9.9})], nodes=nodes)[0].overall == CR
    # 10 mm is a node still enlarged: 80% less, and partial
    assert judged([first, Assessment({"t": 0.0, "n": 10.0})], nodes=nodes)[0].overall == PR
    # were it no node, 9.9 mm would be disease
    assert judged([first, Assessment({"t": 0.0, "n": 9.9})])[0].overall == PR


def test_what_comes_back_after_a_complete_response_is_progression() -> None:
    assert [o.overall for o in _course(40, 0, 4)] == [CR, PD]
    assert [o.overall for o in _course(40, 0, 0)] == [CR, CR]
    # before it was complete, small changes are none
    assert [o.overall for o in _course(40, 10, 14)] == [PR, PR]
    # a node of changing normal size is none either
    nodes = frozenset({"n"})
    course = [Assessment({"n": s}) for s in (20.0, 6.0, 9.0, 11.0)]
    assert [o.overall for o in judged(course, nodes=nodes)] == [CR, CR, PD]


def test_tables_1_and_2_of_the_standard() -> None:
    sizes = {CR: 0.0, PR: 30.0, SD: 50.0, PD: 70.0, NE: None}
    said = {CR: NonTarget.GONE, NON: NonTarget.PRESENT, PD: NonTarget.PROGRESSION, NE: NonTarget.NOT_EVALUABLE}
    wanted = {
        (CR, CR): CR,
        (CR, NON): PR,
        (CR, NE): PR,
        (PR, CR): PR,
        (PR, NON): PR,
        (PR, NE): PR,
        (SD, CR): SD,
        (SD, NON): SD,
        (SD, NE): SD,
        (NE, CR): NE,
        (NE, NON): NE,
        (NE, NE): NE,
    }
    for targets, others, new in itertools.product(sizes, said, (0, 1)):
        visits = [Assessment({"t": 50.0}), Assessment({"t": sizes[targets]}, said[others], new)]
        (found,) = judged(visits)
        progression = new or PD in (targets, others)
        assert found.overall == (PD if progression else wanted[targets, others]), (targets, others, new)
        assert (found.targets, found.non_targets) == (targets, others)
    for others, new in itertools.product(said, (0, 1)):
        (found,) = judged([Assessment({}), Assessment({}, said[others], new)])
        assert found.overall == (PD if new else others)
        assert found.targets == NONE
    assert judged([Assessment({"t": 50.0}), Assessment({"t": 0.0})])[0].overall == CR


def test_targets_are_the_largest_five_and_two_of_an_organ() -> None:
    lesions = [
        Candidate("liver 1", "liver", 30, 20),
        Candidate("liver 2", "liver", 50, 40),
        Candidate("liver 3", "liver", 45, 40),
        Candidate("lung 1", "lung", 12, 10),
        Candidate("lung 2", "lung", 9.9, 9),
        Candidate("adrenal", "adrenal", 25, 20),
        Candidate("axilla", "axilla", 40, 18, is_node=True),
        Candidate("neck", "neck", 40, 16, is_node=True),
        Candidate("groin", "groin", 40, 15, is_node=True),
        Candidate("small node", "neck", 30, 12, is_node=True),
        Candidate("normal node", "neck", 30, 9.9, is_node=True),
    ]
    found = chosen(lesions)
    assert found.targets == ("liver 2", "liver 3", "adrenal", "axilla", "neck")
    assert set(found.non_targets) == {"liver 1", "lung 1", "lung 2", "groin", "small node"}
    assert "lung 1" in chosen([x for x in lesions if x.name in ("lung 1", "lung 2")]).targets


def test_thick_slices_ask_for_larger_lesions() -> None:
    lesion = [Candidate("a", "lung", 14, 10)]
    assert chosen(lesion, slice_thickness_mm=5).targets == ("a",)
    assert chosen(lesion, slice_thickness_mm=8).targets == ()


@pytest.mark.parametrize(
    "visits",
    [
        [],
        [Assessment({"a": None})],
        [Assessment({"a": 10.0}), Assessment({"b": 10.0})],
        [Assessment({"a": 10.0}), Assessment({"a": -1.0})],
        [Assessment({"a": float("inf")})],
    ],
)
def test_what_cannot_be_judged_is_refused(visits: list[Assessment]) -> None:
    with pytest.raises(InputError):
        judged(visits)


def test_names_are_checked() -> None:
    with pytest.raises(InputError):
        judged([Assessment({"a": 10.0})], nodes=frozenset({"b"}))
    with pytest.raises(InputError):
        chosen([Candidate("a", "lung", 20, 10)] * 2)
    with pytest.raises(InputError):
        chosen([Candidate("a", "lung", float("nan"), 10)])
