"""Faults of judging a bundle on its own cohort, or on copies and relatives of it, each failing before its fix."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.atomic import write_json
from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.core.plan import Machine, Plan
from hounsfield.core.progress import SILENT
from hounsfield.core.report import Report
from hounsfield.core.types import TargetValue
from hounsfield.data.cohorts import digest, understand
from hounsfield.stages.fingerprinting.fingerprint import target_facts
from hounsfield.workflow.asking import Asked, ask, translated
from hounsfield.workflow.evaluating import evaluate
from hounsfield.workflow.planning import first_draft
from hounsfield.workflow.study import Seen, Source, Study, roles_said, seen_digests, study, with_roles
from hounsfield.workflow.training import Run
from hounsfield.workflow.wishes import Wishes
from tests.journeys.making import picture, quick, save, write_cohort, write_folders, write_table


def planned(source: Source, wishes: Wishes) -> tuple[Study, Plan]:
    known = study(source, wishes, progress=SILENT)
    return known, first_draft(known, wishes, Machine(cores=1))


def asked(known: Study, plan: Plan, source: Source, wishes: Wishes = Wishes()) -> Asked:
    return ask(plan, known.fingerprint, source, wishes, progress=SILENT)


def write_columns(folder: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    for i in range(len(rows)):
        save(folder / f"{i:02d}.png", picture(i, i % 2))
    write_table(folder / "labels.csv", ["image", *head], [[f"{i:02d}.png", *row] for i, row in enumerate(rows)])
    return folder


def judged(found: Asked) -> set[str]:
    return {s.id for s in found.cohort.samples}


def test_the_own_cohort_is_known_beside_masks(tmp_path: Path) -> None:
    write_folders(tmp_path / "data", n=24)
    for path in list((tmp_path / "data").rglob("*.png")):
        save(path.with_name(f"{path.stem}_mask.png"), picture(1, 1))
    known, plan = planned(tmp_path / "data", Wishes(seed=3))
    found = asked(known, plan, tmp_path / "data")
    assert found.own
    assert judged(found) == set(known.split.ids("test"))


def test_the_own_cohort_is_known_without_repeating_the_positive_class(tmp_path: Path) -> None:
    write_folders(tmp_path / "data", n=24)
    known, plan = planned(tmp_path / "data", Wishes(positive="benign"))
    for wishes in (Wishes(), Wishes(positive="malignant")):
        found = asked(known, plan, tmp_path / "data", wishes)
        assert found.own
        assert judged(found) == set(known.split.ids("test"))
        assert found.cohort.schema.targets[0].positive == "benign"


def test_the_own_cohort_is_divided_by_its_own_target_and_roles(tmp_path: Path) -> None:
    rows = [[f"w{i // 2}", ("no", "yes")[i % 2], ("low", "high")[i // 2 % 2]] for i in range(32)]
    data = write_columns(tmp_path / "data", ["ward", "label", "risk"], rows)
    known, plan = planned(data, Wishes(target=("risk",), group="ward"))
    assert plan.roles == {"target": ["risk"], "group": "ward"}
    found = asked(known, plan, data)
    assert found.own
    assert judged(found) == set(known.split.ids("test"))
    with pytest.raises(CohortError, match="trained on these data to answer risk, not label"):
        asked(known, plan, data, Wishes(target=("label",)))


def test_joined_labels_are_judged_without_repeating_the_columns(tmp_path: Path) -> None:
    rows = [[i % 2, int(i % 3 == 0), int(i % 5 < 2)] for i in range(40)]
    head = ["oedema", "mass", "nodule"]
    data = write_columns(tmp_path / "data", head, rows)
    known, plan = planned(data, Wishes(target=tuple(head)))
    assert plan.targets[0].kind == "multilabel"
    assert judged(asked(known, plan, data)) == set(known.split.ids("test"))
    other = write_columns(tmp_path / "other", ["nodule", "oedema", "mass"], [[1, 0, 1], *([[0, 1, 0]] * 11)])
    for roles in (plan.roles, {}):
        found = asked(known, plan.model_copy(update={"roles": roles}), other)
        assert not found.own
        assert found.cohort.samples[0].targets[plan.targets[0].name] == ("mass", "nodule")


def test_roles_hold_names_only() -> None:
    wishes = Wishes(labels="/home/somebody/labels.csv", image="file", positive="yes", task="classify")
    said = roles_said(wishes)
    assert said == {"labels": "labels.csv", "image": "file", "positive": "yes", "task": "classify"}
    assert with_roles(Wishes(image="other"), said).roles.image == "other"
    assert with_roles(Wishes(), said).labels == "labels.csv"
    assert roles_said(Wishes()) == {}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("own")
    write_cohort(folder / "data", n=36, parts=True)
    made = quick(folder / "data", folder / "run")
    seen = seen_digests(study(folder / "data", Wishes(), progress=SILENT))
    assert len(seen) == 24
    write_json(made.path / "seen.json", Seen(digests=tuple(seen)))
    return made


def copies(run: Run, folder: Path, numbers: Sequence[int]) -> Path:
    """Write renamed copies of the training cohort's pictures in another format, without parts."""
    rows = []
    for i in numbers:
        save(folder / f"q{i:03d}.tiff", picture(i, i % 2))
        rows.append([f"q{i:03d}.tiff", "yes" if i % 2 else "no"])
    write_table(folder / "labels.csv", ["image", "disease"], rows)
    return folder


def said(report: Report) -> str:
    return " ".join(c.en for c in report.caveats)


def test_copies_of_training_pictures_are_not_judged(run: Run, tmp_path: Path) -> None:
    report = evaluate(run.path, copies(run, tmp_path / "copies", range(36)))
    assert report.parts["test"].samples == 12
    assert "24 that the bundle was trained on" in report.split_rule
    assert report.caveats[0].level == "warning"
    assert "24 of 36 samples show pictures that the model was trained on" in said(report)
    own = evaluate(run.path, run.path.parent / "data")
    assert own.parts["test"].metrics["auroc"].value == report.parts["test"].metrics["auroc"].value
    assert "trained on" not in said(own)
    assert "elsewhere" not in own.judged_part


def test_nothing_but_training_pictures_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="trained on all 6 samples"):
        evaluate(run.path, copies(run, tmp_path / "copies", range(6)))


def test_a_bundle_alone_cannot_tell_what_it_was_trained_on(run: Run, tmp_path: Path) -> None:
    shutil.copytree(run.path / "bundle", tmp_path / "alone" / "bundle")
    report = evaluate(tmp_path / "alone" / "bundle", copies(run, tmp_path / "copies", range(36)))
    assert report.parts["test"].samples == 36
    assert "could not be checked" in said(report)
    assert "one source" not in said(report)
    assert "one source" in said(evaluate(run.path, run.path.parent / "data"))


def test_a_bundle_keeps_no_list_of_its_samples(run: Run) -> None:
    known = json.loads((run.path / "seen.json").read_text())["digests"]
    for file in (run.path / "bundle").rglob("*"):
        if file.is_file():
            assert not any(d.encode() in file.read_bytes() for d in known), file.name


def test_the_digest_sees_what_arrays_and_files_hold(tmp_path: Path) -> None:
    def cohort(level: int) -> str:
        return digest(understand([{"image": picture(i, level), "label": "ab"[i % 2]} for i in range(4)]))

    assert cohort(0) == cohort(0)
    assert cohort(0) != cohort(1)
    write_cohort(tmp_path, n=12)
    first = digest(understand(tmp_path))
    content = bytearray((tmp_path / "03.png").read_bytes())
    content[-20] ^= 1
    (tmp_path / "03.png").write_bytes(content)
    assert digest(understand(tmp_path)) != first


def test_the_digest_of_an_archive_sees_pictures_but_not_test_answers(tmp_path: Path) -> None:
    def archive(*, level: int = 0, turned: bool = False) -> str:
        images = np.stack([picture(i, level) for i in range(8)])
        labels = np.arange(8) % 2
        np.savez(
            tmp_path / "set.npz",
            train_images=images,
            train_labels=labels,
            test_images=images[:4],
            test_labels=1 - labels[:4] if turned else labels[:4],
        )
        return digest(understand(tmp_path / "set.npz"))

    assert archive() == archive()
    assert archive(turned=True) == archive()
    assert archive(level=1) != archive()


def test_a_further_target_without_training_answers_is_left_out(tmp_path: Path) -> None:
    rows = [
        [("train", "train", "val", "test")[i // 2 % 4], ("no", "yes")[i % 2], 1.5 * i if i // 2 % 4 == 3 else ""]
        for i in range(48)
    ]
    data = write_columns(tmp_path / "data", ["split", "disease", "volume"], rows)
    known, plan = planned(data, Wishes(target=("disease", "volume")))
    assert [t.name for t in plan.targets] == ["disease"]
    assert any("volume" in note for note in known.cohort.schema.notes)
    assert asked(known, plan, data).own
    volume = TargetSpec(name="volume", kind="number")
    training = known.samples(known.split.ids("train"))
    with pytest.raises(CohortError, match="No training sample has a number for 'volume'") as refused:
        target_facts(volume, training)
    assert "--target" in refused.value.next_step


NUMBERED = TargetSpec(name="label", kind="categorical", classes=("0", "1"), positive="1")
SPELLED = TargetSpec(name="label", kind="categorical", classes=("Benign", "Malignant"))


@pytest.mark.parametrize(
    ("ours", "kind", "values", "wanted"),
    [
        (NUMBERED, "number", [0.0, 1.0, None], ["0", "1", None]),
        (NUMBERED, "categorical", ["1.0", "0"], ["1", "0"]),
        (SPELLED, "categorical", [" benign", "MALIGNANT"], ["Benign", "Malignant"]),
        (TargetSpec(name="age", kind="number"), "categorical", ["60", "61.5", None], [60.0, 61.5, None]),
        (
            TargetSpec(name="x", kind="multilabel", classes=("Mass", "Nodule")),
            "categorical",
            ["nodule", "No finding", None],
            [("Nodule",), (), None],
        ),
    ],
)
def test_answers_of_other_data_are_put_into_our_words(
    ours: TargetSpec, kind: str, values: list[TargetValue], wanted: list[TargetValue]
) -> None:
    found = TargetSpec.model_validate({"name": ours.name, "kind": kind})
    assert translated(ours, found, values) == wanted


@pytest.mark.parametrize(
    ("ours", "kind", "values", "named"),
    [
        (NUMBERED, "number", [0.0, 2.5], "2.5"),
        (SPELLED, "categorical", ["Benign", "unclear"], "unclear"),
        (SPELLED, "multilabel", [("Benign",)], "multilabel"),
        (TargetSpec(name="age", kind="number"), "categorical", ["60", "old"], "categorical"),
    ],
)
def test_answers_that_do_not_fit_are_refused(
    ours: TargetSpec, kind: str, values: list[TargetValue], named: str
) -> None:
    found = TargetSpec.model_validate({"name": ours.name, "kind": kind})
    with pytest.raises(CohortError, match=named) as refused:
        translated(ours, found, values)
    assert all(c in refused.value.expected for c in ours.classes)
