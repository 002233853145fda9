"""An archive of series goes the whole way: plan, training, report, prediction, evaluation, refusals."""

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.sealed import open_sealed
from hounsfield.core.errors import BundleError, InputError, PlanError, RunExistsError
from hounsfield.core.plan import Decision
from hounsfield.core.progress import SILENT
from hounsfield.core.streams import stream
from hounsfield.core.types import Float32Array, IntArray
from hounsfield.learn.model import Model, self_test_inputs
from hounsfield.stages.reporting.page import render_html
from hounsfield.workflow.asking import ask
from hounsfield.workflow.boxing import find_boxes
from hounsfield.workflow.evaluating import evaluate
from hounsfield.workflow.explaining import ExplainWishes, explain
from hounsfield.workflow.exporting import export
from hounsfield.workflow.fitting import NETWORK
from hounsfield.workflow.inspecting import inspect
from hounsfield.workflow.jobs import preparations_of
from hounsfield.workflow.judging import calibrations
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.predictions import run_part
from hounsfield.workflow.tasks import task_named
from hounsfield.workflow.traces import traces
from hounsfield.workflow.training import Run
from hounsfield.workflow.wishes import Wishes
from tests.journeys.making import hu, quick

STEPS = 64


def beats(count: int, *, first: int, steps: int = STEPS) -> tuple[Float32Array, IntArray]:
    """Noise with a wave that is wide where the answer is 1."""
    t = np.linspace(-1, 1, steps)
    answers = np.arange(count) % 2
    rows = [
        np.exp(-((t / (0.3 if a else 0.1)) ** 2)) + 0.1 * stream(first + i, "beats").standard_normal(steps)
        for i, a in enumerate(answers)
    ]
    return np.array(rows, dtype=np.float32), answers


def write_archive(path: Path, *, train: int = 48, test: int = 24, steps: int = STEPS) -> Path:
    x, y = beats(train, first=0, steps=steps)
    u, v = beats(test, first=1000, steps=steps)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, X_train=x, y_train=y, X_test=u, y_test=v)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("series")
    return quick(write_archive(folder / "beats.npz"), folder / "run", max_steps=30)


def test_the_report_has_figures_with_intervals_beside_baselines(run: Run) -> None:
    figures = run.report.parts["test"]
    assert figures.samples == 24
    accuracy = figures.metrics["accuracy"]
    assert accuracy.value is not None
    assert accuracy.value > 0.9
    assert accuracy.low is not None
    assert accuracy.low <= accuracy.value
    assert {"prevalence", "logistic"} <= set(run.report.baselines)
    assert (run.path / "report.html").stat().st_size > 1000


def test_every_decision_has_its_reason_and_images_are_planned_off(run: Run) -> None:
    plan = open_sealed(run.path / "bundle").plan
    assert plan.value("network", "family") == "convolutional"
    assert "no augmentation" in plan.sections["augmentation"]["flips"].rule
    assert plan.value("warmup", "method") == "none"
    assert all(d.rule for made in plan.sections.values() for d in made.values())


def test_the_bundle_holds_nothing_of_anyone_and_passes_its_self_test(run: Run) -> None:
    contents = open_sealed(run.path / "bundle")
    specs = preparations_of(contents.plan, contents.fingerprint)
    assert {name: x.shape for name, x in self_test_inputs(specs).items()} == {next(iter(specs)): (2, 1, STEPS)}
    assert "signal" in contents.card


def test_series_without_answers_are_predicted(run: Run, tmp_path: Path) -> None:
    x, y = beats(6, first=5000)
    np.savez(tmp_path / "new.npz", X=x)
    said = list(predict(run.path, [tmp_path / "new.npz"]))
    assert [p.targets["label"].value for p in said] == [str(int(a)) for a in y]
    again = list(predict(run.path, [tmp_path / "new.npz"], out=tmp_path / "out"))
    assert [p.targets for p in again] == [p.targets for p in said]
    assert len((tmp_path / "out" / "predictions.csv").read_text().splitlines()) == 7


def test_what_is_said_of_one_does_not_depend_on_the_others(run: Run, tmp_path: Path) -> None:
    x, _ = beats(20, first=7000)
    np.savez(tmp_path / "all.npz", X=x)
    np.savez(tmp_path / "one.npz", X=x[3:4])
    many = list(predict(run.path, [tmp_path / "all.npz"]))
    (one,) = predict(run.path, [tmp_path / "one.npz"])
    assert one.targets == many[3].targets


def test_the_archive_itself_and_other_data_are_evaluated(run: Run, tmp_path: Path) -> None:
    own = evaluate(run.path, run.path.parent / "beats.npz")
    assert own.parts["test"].metrics["accuracy"].value == run.report.parts["test"].metrics["accuracy"].value
    x, y = beats(30, first=9000)
    np.savez(tmp_path / "other.npz", X_train=x, y_train=y)
    assert evaluate(run.path, tmp_path / "other.npz").parts["test"].samples == 30


def test_what_cannot_be_judged_is_refused_with_the_reason(run: Run, tmp_path: Path) -> None:
    x, _ = beats(3, first=3000)
    x[0] = np.nan
    x[1] = 2.0
    np.savez(tmp_path / "bad.npz", X=x)
    empty, flat, good = predict(run.path, [tmp_path / "bad.npz"])
    assert "every one is missing" in empty.refusal
    assert "flat" in flat.refusal
    assert good.refusal == ""
    np.savez(tmp_path / "points.npz", X=x[:, :1])
    assert all("single point" in p.refusal for p in predict(run.path, [tmp_path / "points.npz"]))
    np.savez(tmp_path / "short.npz", X=x[2:, :20])
    (short,) = predict(run.path, [tmp_path / "short.npz"])
    assert any("20 steps are under half" in flag for flag in short.flags)
    leads = np.stack([x, x], axis=1)
    np.savez(tmp_path / "leads.npz", X=leads)
    assert all("has no lead 'x'" in p.refusal for p in predict(run.path, [tmp_path / "leads.npz"]))


def test_signals_are_explained_along_time(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hounsfield.workflow.explaining.RANDOM", 3)
    asked = ExplainWishes(number=1, methods=("occlusion",))
    found = explain(run.path, [run.path.parent / "beats.npz"], out=tmp_path / "out", asked=asked)
    assert found.kind == "signal"
    assert found.part == "test"
    assert all(i.held_out for i in found.images)
    for image in found.images:
        (scores,) = image.maps
        assert scores.peak_s is None  # an archive tells no rate
        assert 0 <= scores.peak[0] < STEPS
        svg = (tmp_path / "out" / image.picture).read_text(encoding="utf-8")
        assert svg.startswith("<svg")
        assert "No ECG grid: the record tells no rate." in svg
    page = (tmp_path / "out" / "explain.html").read_text(encoding="utf-8")
    assert "data:image/svg+xml;base64," in page
    assert "25 mm are a second" in page
    with pytest.raises(RunExistsError):
        explain(run.path, [run.path.parent / "beats.npz"], out=tmp_path / "out", asked=asked)
    x, _ = beats(1, first=5000)
    np.savez(tmp_path / "new.npz", X=x)
    (alone,) = explain(run.path, [tmp_path / "new.npz"], asked=asked).images
    assert alone.correct is None
    assert alone.held_out is True


def test_a_report_explains_as_many_signals_as_the_plan_says(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hounsfield.workflow.explaining.RANDOM", 3)
    contents = open_sealed(run.path / "bundle")
    assert contents.plan.value("maps", "cases") == 0  # a quick trial
    assert run.report.traces == ()
    one = contents.plan.with_section("maps", {"cases": Decision(value=1)})
    asked = replace(contents, plan=one)
    target, task = one.targets[0], task_named(one.task)
    known = ask(one, contents.fingerprint, run.path.parent / "beats.npz", Wishes(), progress=SILENT)
    rows = run_part(Model(asked), known.cohort, known.cohort.samples, part="test", progress=SILENT)
    decodings = {-1: calibrations(asked)[NETWORK].decodings}
    found = traces(rows, known.cohort, target, task=task, contents=asked, decodings=decodings, progress=SILENT)
    assert 1 <= len(found) <= 2
    for trace in found:
        assert base64.b64decode(trace.svg).startswith(b"<svg")
        assert trace.shown == (trace.reason == "")
    page = render_html(run.report.model_copy(update={"traces": found}))
    assert "data:image/svg+xml;base64," in page
    assert "What speaks for the answer along time" in page


def test_boxes_and_export_say_why_not(run: Run) -> None:
    with pytest.raises(BundleError, match="is a signal, and boxes is for models of images"):
        find_boxes(run.path, [run.path.parent / "beats.npz"])
    with pytest.raises(InputError, match="feature maps of images"):
        explain(run.path, [run.path.parent / "beats.npz"], asked=ExplainWishes(methods=("gradcam",)))
    with pytest.raises(BundleError, match="is a signal, and export is for models of images"):
        export(run.path)
    with pytest.raises(BundleError, match="runs models of images only"):
        list(predict(run.path, [run.path.parent / "beats.npz"], engine="openvino"))


def test_a_network_for_images_is_refused_before_anything_is_prepared(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="'residual' is for images; the samples have signals"):
        quick(write_archive(tmp_path / "beats.npz"), tmp_path / "run", network="residual")


def test_faulty_series_are_set_aside_and_repeats_told(tmp_path: Path) -> None:
    x, y = beats(40, first=0)
    x[3] = np.nan
    x[4] = 1.0
    x[5] = x[6]
    np.savez(tmp_path / "beats.npz", X_train=x, y_train=y)
    found = inspect(tmp_path / "beats.npz").audit
    reasons = [aside.reason for aside in found.unreadable]
    assert len(reasons) == 2
    assert any("missing" in r for r in reasons)
    assert any("flat" in r for r in reasons)
    assert len(found.contradictions) == 1
    assert any("1 exact and 0 near repeats of signals" in w for w in found.warnings)


def test_a_run_that_is_given_again_gives_the_same_answers(run: Run, tmp_path: Path) -> None:
    again = quick(run.path.parent / "beats.npz", tmp_path / "run", max_steps=30)
    assert (again.path / "predictions.csv").read_bytes() == (run.path / "predictions.csv").read_bytes()


def test_the_command_line_predicts(run: Run, tmp_path: Path) -> None:
    said = hu("predict", run.path, run.path.parent / "beats.npz", "--out", tmp_path / "out")
    assert said.exit_code == 0, said.output
