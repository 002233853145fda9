"""The sets of masks are read, and a report is summed up with what it must reach."""

from benchmarks.accuracy.annotate.run import summary
from benchmarks.accuracy.annotate.sets import command, read_sets

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.report import AuditBlock, Cost, Figure, PartFigures, Report


def test_every_set_says_what_it_must_reach() -> None:
    sets = read_sets()
    assert set(sets) == {"drive", "msd-hippocampus", "busi", "cxr-lung-tb"}
    assert all(entry.must and entry.aim and entry.anchors for entry in sets.values())
    assert command(sets["busi"], 0) == "hu train busi --task annotate --minutes 60 --folds 5 --seed 0"


def test_a_report_is_held_against_what_it_must() -> None:
    figures = PartFigures(
        samples=9,
        patients=9,
        metrics={"dice": Figure(value=0.72), "quality_rank": Figure(value=0.6), "size_rank": Figure(value=0.2)},
    )
    target = TargetSpec(name="mask", kind="mask", classes=("mask",))
    report = Report(
        hounsfield="0",
        task="annotate",
        cohort="busi",
        created="",
        seed=0,
        target=target,
        parts={"cv": figures},
        baselines={},
        shortcut=None,
        audit=AuditBlock(),
        cost=Cost(),
        environment={},
        targets={},
        judged_part="cv",
    )
    found = summary(report, read_sets()["busi"], 0)
    assert found["must_reached"] == {"dice": True}
    assert found["aim_reached"] == {"dice": False}
    assert found["rank_reached"] is True
