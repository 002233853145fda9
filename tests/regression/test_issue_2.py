"""Faults found while the first flow was tried by hand, each failing before its fix."""

from pathlib import Path

import pytest

from hounsfield.bundle.run_folder import RunFolder, RunState, run_state
from hounsfield.core.errors import CohortError, InputError, PlanError, SplitError
from hounsfield.core.plan import Budget, Facts, Machine
from hounsfield.learn.prepare.image import ImagePreparation
from hounsfield.stages.planning.rules.optimisation import RULES
from tests.journeys.making import quick, write_cohort, write_table
from tests.stages.planning.facts import facts


def test_a_refused_beginning_does_not_block_the_corrected_command(tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=18)
    with pytest.raises(InputError):
        quick(tmp_path / "data", tmp_path / "run", network="residul")
    assert run_state(tmp_path / "run") is RunState.NEW
    quick(tmp_path / "data", tmp_path / "run", network="residual")


def test_a_run_that_fails_after_its_plan_is_kept(tmp_path: Path) -> None:
    run = RunFolder.begin(tmp_path / "run", key={})
    run.plan.write_text("sections: {}\n")
    run.__exit__(PlanError, PlanError("The loss is nan."), None)
    assert run_state(tmp_path / "run") is RunState.UNFINISHED


def test_a_crash_before_the_plan_is_kept_too(tmp_path: Path) -> None:
    run = RunFolder.begin(tmp_path / "run", key={})
    run.samples.write_text("sample\n")
    run.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert run_state(tmp_path / "run") is RunState.UNFINISHED


def test_volumes_are_not_trained_in_bfloat16_on_a_processor() -> None:
    # oneDNN's bfloat16 weight gradient of a 3x3x3 convolution on a volume 2 deep reads memory that nobody wrote:
    # NaN in some runs, other bits in each (torch 2.13, AMD EPYC).
    given = facts(machine=Machine(bfloat16=True))
    seen = {name: i.model_copy(update={"ndim": 3}) for name, i in given.fingerprint.inputs.items()}
    volumes = Facts(
        given.fingerprint.model_copy(update={"inputs": seen}),
        Budget(),
        Machine(bfloat16=True),
        given.targets,
        given.network,
        given.wishes,
        given.decided,
    )
    assert RULES["precision"](given).value == "bfloat16"
    assert RULES["precision"](volumes).value == "float32"


def test_a_preparation_has_one_size_for_each_axis() -> None:
    with pytest.raises(ValueError, match="one for each space axis"):
        ImagePreparation(ndim=3, size=(128, 128))


def test_one_class_in_the_training_part_is_refused(tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=36, parts=True)
    kept = [r for r in rows if not (r[3] == "train" and r[2] == "yes")]
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "disease", "split"], kept)
    with pytest.raises((CohortError, SplitError), match="one class of 'disease' only"):
        quick(tmp_path / "data", tmp_path / "run")


def test_a_file_listed_in_two_parts_stays_in_the_test_part(tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=36, parts=True)
    test = [[*r[:3], "train"] for r in rows if r[3] == "test"]
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "disease", "split"], [*test, *rows])
    report = quick(tmp_path / "data", tmp_path / "run").report
    assert report.parts["test"].samples == 12
    assert len(report.audit.duplicates_across_parts) == 12
    assert len(report.audit.removed_from_training) == 12
