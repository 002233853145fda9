"""What stands beside the cohort: loose images that repeat none of its own, and weights from a local file."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import hounsfield
from hounsfield.bundle.checkpoints import save_checkpoint
from hounsfield.bundle.plans import read_plan
from hounsfield.core.errors import InputError, PlanError
from hounsfield.core.plan import Decision
from hounsfield.core.progress import SILENT
from hounsfield.workflow.members import read_feed, write_feed
from hounsfield.workflow.planning import plan
from hounsfield.workflow.study import seen_digest, study
from hounsfield.workflow.training import train
from hounsfield.workflow.warming import ENCODER, NOTHING, Beside, Unlabelled, check_beside, settled, with_beside
from hounsfield.workflow.wishes import Wishes
from tests.journeys.making import STEPS, hu, picture, save, write_cohort
from tests.workflow.conftest import Drafted


def write_loose(folder: Path, *, n: int = 6) -> None:
    """Pictures that the cohort has not, and what must not come in."""
    for i in range(n):
        save(folder / f"new{i}.png", picture(100 + i, i % 2))


def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hounsfield.stages.planning.rules.warmup.FEWEST", 10)
    monkeypatch.setattr("hounsfield.stages.planning.rules.warmup.MANY", 0.1)


def test_repeats_of_the_cohort_and_unusable_files_are_left_out(tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=30, parts=True)
    loose = tmp_path / "loose"
    write_loose(loose)
    parts = {str(row[3]): int(str(row[0])[:2]) for row in rows}
    for part in ("train", "val", "test"):
        number = parts[part]
        save(loose / f"copy-{part}.png", picture(number, number % 2))
    brighter = np.clip(picture(parts["test"], parts["test"] % 2) * 0.9 + 20, 0, 255).astype(np.uint8)
    save(loose / "near.png", brighter)
    save(loose / "twice.png", picture(100, 0))
    save(loose / "flat.png", np.full((32, 32), 9, np.uint8))
    (loose / "broken.png").write_bytes(b"no picture")
    np.save(loose / "volume.npy", np.zeros((9, 9, 9), np.uint8) + np.arange(9, dtype=np.uint8))
    known = study(tmp_path / "data", Wishes(unlabelled=(str(loose),)), progress=SILENT)
    found = known.beside.unlabelled
    named = {s.id for s in known.beside.cohort.samples} if known.beside.cohort else set()
    assert named == {f"unlabelled/new{i}" for i in range(6)}
    assert found.images == 6
    assert {r.removeprefix("unlabelled/") for r in found.repeats} == {
        "copy-train", "copy-val", "copy-test", "near", "twice",
    }  # fmt: skip
    assert {a.sample.removeprefix("unlabelled/") for a in found.set_aside} == {"flat", "broken", "volume"}
    assert all(a.reason for a in found.set_aside)
    assert known.beside.wishes["unlabelled"] == "6"


def test_a_run_warms_up_seals_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few_are_enough(monkeypatch)
    write_cohort(tmp_path / "data", n=30, parts=True)
    write_loose(tmp_path / "loose", n=8)
    wishes = Wishes(max_steps=8, threads=1, unlabelled=(str(tmp_path / "loose"),))
    run = train(tmp_path / "data", out=tmp_path / "run", wishes=wishes)
    told = Unlabelled.model_validate_json((run.path / "unlabelled.json").read_text())
    assert told.images == 8
    made = settled(read_plan(run.path / "plan.yaml"))
    assert (made.method, made.unlabelled, made.unlabelled_digest) == ("two-views", 8, told.digest)
    assert made.steps == round(8 * 0.3 / 0.7 / 2.1)
    card = next((run.path / "bundle").glob("*.md")).read_text()
    assert "8 unlabelled ones" in card
    assert not list(run.path.glob("bundle/**/unlabelled*"))
    known = study(tmp_path / "data", wishes, progress=SILENT)
    seen = json.loads((run.path / "seen.json").read_text())["digests"]
    assert len(known.beside.pixels) == 8
    assert {seen_digest(pixels) for pixels in known.beside.pixels} <= set(seen)
    with pytest.raises(PlanError, match="images without answers were not given"):
        _again(tmp_path, run.path)


def _again(folder: Path, run: Path) -> None:
    text = (run / "plan.yaml").read_text()
    (folder / "plan.yaml").write_text(text.replace("source: ''", "source: data"))
    train(folder / "plan.yaml", out=folder / "again", wishes=Wishes(threads=1))


def test_an_encoder_comes_from_the_member_of_an_earlier_run(tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=30, parts=True)
    first = train(tmp_path / "data", out=tmp_path / "first", wishes=Wishes(max_steps=STEPS, threads=1))
    file = first.path / "bundle" / "members" / "0.safetensors"
    wishes = Wishes(max_steps=STEPS, threads=1, encoder=str(file))
    second = train(tmp_path / "data", out=tmp_path / "second", wishes=wishes)
    summed = hashlib.sha256(file.read_bytes()).hexdigest()
    made = read_plan(second.path / "plan.yaml").sections["warmup"]["encoder"]
    assert made.value == summed
    assert "100% of the numbers" in made.evidence
    assert str(tmp_path) not in (second.path / "plan.yaml").read_text()
    assert summed in next((second.path / "bundle").glob("*.md")).read_text()
    weights = [(r.path / "bundle" / "members" / "0.safetensors").read_bytes() for r in (first, second)]
    assert weights[0] != weights[1]
    report = json.loads((second.path / "report.json").read_text())
    assert report["parts"]


def test_a_file_of_other_weights_is_refused_when_planning(tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=30, parts=True)
    save_checkpoint(tmp_path / "other.safetensors", {"layer.weight": np.zeros((3, 3), np.float32)}, None)
    wishes = Wishes(max_steps=STEPS, threads=1, encoder=str(tmp_path / "other.safetensors"))
    with pytest.raises(InputError, match="fits 0 of"):
        plan(tmp_path / "data", wishes=wishes)


def test_loose_images_need_one_input(tmp_path: Path, drafted: Drafted) -> None:
    from dataclasses import replace

    from hounsfield.core.cohort import InputSpec
    from hounsfield.workflow.warming import beside

    cohort = drafted.known.cohort
    two = cohort.schema.model_copy(update={"inputs": (*cohort.schema.inputs, InputSpec(name="second"))})
    with pytest.raises(InputError, match="2 images each"):
        beside([str(tmp_path)], None, cohort=replace(cohort, schema=two), seen=drafted.known.survey, progress=SILENT)


def test_other_processes_find_images_and_weights_in_the_work_folder(tmp_path: Path, drafted: Drafted) -> None:
    made = drafted.plan.sections["warmup"]
    section = {**made, "method": Decision(value="two-views"), "encoder": Decision(value="ab")}
    loose = drafted.known.cohort
    told = Unlabelled(images=len(loose))
    found = Beside(told, loose, encoder="ab", weights={"w": np.ones((2, 2), np.float32)})
    changed = drafted.plan.with_section("warmup", section)
    fed = with_beside(drafted.prepared.feed, changed, found, work=tmp_path, progress=SILENT)
    name = next(iter(fed.inputs))
    np.save(tmp_path / f"input-{name}.npy", fed.inputs[name])
    write_feed(tmp_path, fed)
    there = read_feed(tmp_path, [name])
    assert (tmp_path / ENCODER).exists()
    np.testing.assert_array_equal(there.unlabelled[name], fed.unlabelled[name])
    assert len(there.unlabelled[name]) == len(loose)
    np.testing.assert_array_equal(there.encoder["w"], np.ones((2, 2)))


@pytest.mark.parametrize(
    ("planned", "given", "said"),
    [("aa", "", "were not given"), ("aa", "bb", "are others"), ("", "bb", "are not in the plan")],
)
def test_what_was_planned_must_be_given(drafted: Drafted, planned: str, given: str, said: str) -> None:
    section = {**drafted.plan.sections["warmup"], "unlabelled_digest": Decision(value=planned)}
    with pytest.raises(PlanError, match=said):
        check_beside(drafted.plan.with_section("warmup", section), Beside(Unlabelled(digest=given)))
    check_beside(drafted.plan, NOTHING)


def test_the_command_line_hands_both_options_on(tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=30, parts=True)
    write_loose(tmp_path / "loose")
    said = hu("plan", tmp_path / "data", "--unlabelled", tmp_path / "none")
    assert said.exit_code == 2
    said = hu("plan", tmp_path / "data", "--unlabelled", tmp_path / "loose", "--encoder", tmp_path / "none.safetensors")
    assert said.exit_code == 2
    assert "encoder file cannot be read" in said.output
    assert "6 images without answers" in said.output
    with pytest.raises(InputError, match="encoder is a folder"):
        hounsfield.plan(tmp_path / "data", unlabelled=tmp_path / "loose", encoder=tmp_path)
