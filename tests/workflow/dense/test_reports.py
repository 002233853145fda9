"""Which cases a report of masks shows as its worst."""

import numpy as np

from hounsfield.core.cohort import Sample, TargetSpec
from hounsfield.science.statistics.segmentation.mask_figures import mask_figures
from hounsfield.workflow.dense.judging import CaseRow, Scores
from hounsfield.workflow.dense.reports import FALSE, WORST, worst_cases

TARGET = TargetSpec(name="mask", kind="mask", classes=("lesion",))


def row(name: str, *, true: int, said: int, shared: int) -> CaseRow:
    """A case with so many true, marked and shared pixels."""
    truth, marked = (np.zeros((10, 40), dtype=np.bool_) for _ in range(2))
    truth.ravel()[:true] = True
    marked.ravel()[true - shared : true - shared + said] = True
    figures = mask_figures(marked, truth, (1.0, 1.0), tolerance_mm=1.0)
    sample = Sample(name, name, inputs={}, targets={})
    return CaseRow(sample, "cv", 0, {"mask": Scores({"lesion": figures}, {}, (None,), picture=name)})


def test_false_marks_do_not_take_all_places() -> None:
    # every one of the false marks has a Dice of 0, as the missed lesions have
    false = [row(f"false{n}", true=0, said=5 + n, shared=0) for n in range(20)]
    clean = [row(f"clean{n}", true=0, said=0, shared=0) for n in range(5)]
    missed = [row(f"missed{n}", true=20 + n, said=0, shared=0) for n in range(2)]
    found = [row(f"found{n}", true=50, said=50, shared=10 + 4 * n) for n in range(9)]
    shown = [p.sample for p in worst_cases([*false, *clean, *found, *missed], TARGET)]
    assert shown == ["missed1", "missed0", "found0", "found1", "found2", "false19", "false18", "false17"]
    assert len(shown) == WORST
    assert sum(n.startswith("false") for n in shown) == FALSE


def test_few_cases_are_all_shown() -> None:
    rows = [row("one", true=10, said=10, shared=5), *(row(f"false{n}", true=0, said=5 + n, shared=0) for n in range(9))]
    assert [p.sample for p in worst_cases(rows, TARGET)] == ["one", *(f"false{n}" for n in range(8, 1, -1))]
    assert [p.sample for p in worst_cases([row("clean", true=0, said=0, shared=0)], TARGET)] == []
