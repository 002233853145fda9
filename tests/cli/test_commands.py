import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner, Result

from hounsfield.cli.app import app
from hounsfield.core.audit import Audit
from hounsfield.core.cohort import Cohort
from hounsfield.core.errors import CohortError
from hounsfield.core.plan import Plan
from hounsfield.core.prediction import Prediction, TargetPrediction
from hounsfield.core.progress import Progress
from hounsfield.core.report import Figure, PlanLine, Report
from hounsfield.workflow.wishes import Wishes

Put = Callable[[str, str, Callable[..., object]], None]


@dataclass(frozen=True)
class Inspection:
    cohort: Cohort
    audit: Audit
    written: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    path: Path
    report: Report


@dataclass(frozen=True)
class Annotated:
    sample: str
    study: Path
    folder: Path
    segmentation: Path
    overlay: Path
    voxels: int


@dataclass(frozen=True)
class Demo(Run):
    lesions: Run
    annotated: Annotated


class Comparison(BaseModel):
    schema_version: int = 1
    samples: int = 9
    difference: dict[str, Figure] = {"auroc": Figure(value=0.05, low=-0.01, high=0.11)}
    better: str = "neither"


def hu(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def put_inspection(fake: Put, cohort: Cohort, audit: Audit) -> list[tuple[Path, Wishes, Path | None]]:
    calls: list[tuple[Path, Wishes, Path | None]] = []

    def inspect(
        source: Path, *, wishes: Wishes, out: Path | None, beside: Sequence[str], progress: Progress
    ) -> Inspection:
        assert not beside
        sys.stdout.write("chatter of a library\n")
        progress.say("reading")
        calls.append((source, wishes, out))
        return Inspection(cohort, audit, ("cohort.yaml", "samples.csv") if out else ())

    fake("hounsfield.workflow.inspecting", "inspect", inspect)
    return calls


def test_inspect_prints_what_was_understood(fake: Put, cohort: Cohort, audit: Audit) -> None:
    calls = put_inspection(fake, cohort, audit)
    found = hu("inspect", "data", "--target", "a", "--target", "b", "--positive", "COVID", "--group", "pid")
    assert found.exit_code == 0
    source, wishes, out = calls[0]
    assert (source, out) == (Path("data"), None)
    assert wishes == Wishes(target=("a", "b"), positive="COVID", group="pid")
    for words in (
        "covid-ct: 4 samples, 3 patients (layout: manifest)",
        "[bold]COVID (by its name)",
        "two words, named so",
        "Side tables, not the manifest: meta.csv",
        "broken.png: the PNG is cut short",
        "aVR and aVL swapped: by 90%",
        "case0.png = case3.png",
        "0.750 (0.680 to 0.820)",
        "! The file ending tells the answer.",
        "? is 'pid' the patient?",
        "Nothing was written: --out FOLDER",
    ):
        assert words in found.stdout, words
    assert "chatter" not in found.stdout
    assert "reading" in found.stderr


def test_inspect_says_what_it_wrote(fake: Put, cohort: Cohort, audit: Audit) -> None:
    put_inspection(fake, cohort, audit)
    assert "Written: cohort.yaml, samples.csv" in hu("inspect", "data", "--out", "check").stdout


def test_inspect_json_is_json_only(fake: Put, cohort: Cohort, audit: Audit) -> None:
    put_inspection(fake, cohort, audit)
    found = json.loads(hu("inspect", "data", "--json").stdout)
    assert found["schema_version"] == 1
    assert found["cohort"]["name"] == "covid-ct"
    assert found["cohort"]["targets"][0]["positive"] == "[bold]COVID"
    assert found["cohort"]["parts"]["train"] == {
        "samples": 3, "patients": 3, "classes": {"benign": 2, "[bold]COVID": 1},
    }  # fmt: skip
    assert found["audit"] == audit.model_dump(mode="json")


def test_plan(fake: Put, plan: Plan) -> None:
    calls: list[Wishes] = []

    def work(source: Path, *, wishes: Wishes, out: Path | None, progress: Progress) -> Plan:
        calls.append(wishes)
        return plan

    fake("hounsfield.workflow.planning", "plan", work)
    short = hu("plan", "data", "--minutes", "15", "--folds", "5", "--network", "textbook", "--sensitivity", "0.95")
    assert calls[0] == Wishes(minutes=15, folds=5, network="textbook", sensitivity=0.95)
    assert "128, 128" in short.stdout
    assert "median size" not in short.stdout
    assert "about 14 min 00 s in all" in short.stdout
    why = hu("plan", "data", "--why").stdout
    assert "median size" in why
    assert "median 130 x 127" in why
    assert Plan.model_validate(json.loads(hu("plan", "data", "--json").stdout)) == plan


@pytest.fixture
def summary(fake: Put) -> None:
    def summary_text(report: Report) -> str:
        return f"AUROC of {report.cohort}"

    fake("hounsfield.stages.reporting", "summary_text", summary_text)


@pytest.mark.usefixtures("summary")
def test_train_and_demo(fake: Put, report: Report, tmp_path: Path) -> None:
    calls: list[tuple[Path | None, Wishes]] = []

    def train(source: Path, *, out: Path | None, wishes: Wishes, progress: Progress) -> Run:
        with progress.step("train", 10) as step:
            step.advance(1, "loss 0.5")
        calls.append((out, wishes))
        return Run(tmp_path, report)

    steps = PlanLine(section="optimisation", key="steps", value="9", rule="", evidence="9 steps fit, 400 are enough")
    where = report.model_copy(update={"cohort": "disk", "plan": (steps,)})
    study = Annotated("D0.1", tmp_path / "PA1", tmp_path / "a", tmp_path / "a.seg.dcm", tmp_path / "a.png", 1234)

    def demo(out: Path, *, minutes: float | None, seed: int, progress: Progress) -> Demo:
        assert (out, minutes, seed) == (Path("runs/demo"), None, 0)
        return Demo(tmp_path, report, Run(tmp_path / "lesions", where), study)

    fake("hounsfield.workflow.training", "train", train)
    fake("hounsfield.workflow.demo", "demo", demo)
    found = hu("train", "data", "--seed", "3", "--lang", "zh", "--out", "r")
    assert found.exit_code == 0
    assert calls == [(Path("r"), Wishes(seed=3, lang="zh"))]
    assert "AUROC of covid-ct" in found.stdout
    assert f"Report: {tmp_path / 'report.html'}\n" in found.stdout
    assert Report.model_validate(json.loads(hu("train", "data", "--json").stdout)) == report
    told = hu("demo").stdout
    assert "AUROC of covid-ct" in told
    assert "AUROC of disk\nSteps: 9 fitted into the minutes, 400 would be enough" in told
    for file in ("report.html", "lesions/report.html", "a.png", "a.seg.dcm"):
        assert str(tmp_path / file) in told
    assert "(read back: the same 1,234 voxels)" in told
    said = json.loads(hu("demo", "--json").stdout)
    assert (said["cohort"], said["lesions"]["cohort"], said["annotated"]["voxels"]) == ("covid-ct", "disk", 1234)


@pytest.mark.usefixtures("summary")
def test_evaluate(fake: Put, report: Report) -> None:
    def evaluate(bundle: Path, source: Path, *, out: Path | None, wishes: Wishes, progress: Progress) -> Report:
        assert (bundle, source, out, wishes) == (Path("run"), Path("data"), None, Wishes(prevalence=0.05))
        return report

    fake("hounsfield.workflow.evaluating", "evaluate", evaluate)
    found = hu("evaluate", "run", "data", "--prevalence", "0.05")
    assert "AUROC" in found.stdout
    assert "Nothing was written" in found.stdout


def put_predictions(fake: Put) -> None:
    def predict(
        bundle: Path,
        inputs: list[Path],
        *,
        out: Path | None,
        engine: str | None,
        series: str | None,
        uncertainty: bool,
        progress: Progress,
    ) -> Iterator[Prediction]:
        assert engine is None
        assert not uncertainty
        assert series is None
        assert inputs == [Path("a.png"), Path("b")]
        target = TargetPrediction(
            value="benign", probabilities={"benign": 0.6, "malignant": 0.4}, at_operating_point="malignant"
        )
        yield Prediction("a.png", {"label": target}, flags=("brighter than any training image",))
        labels = TargetPrediction(value=("x", "y"), probabilities={"x": 0.9, "y": 0.8}, pointed_out=("x",))
        yield Prediction("b.png", {"types": labels, "mm": TargetPrediction(value=12.3456)})
        yield Prediction("c.png", refusal="not an image")
        for pointed in (("N",), ("S",)):
            beat = TargetPrediction(
                value="N", probabilities={"N": 0.6, "S": 0.4}, at_operating_point="S", pointed_out=pointed
            )
            yield Prediction("d.png", {"beat": beat})

    fake("hounsfield.workflow.predicting", "predict", predict)


def test_predict(fake: Put) -> None:
    put_predictions(fake)
    lines = hu("predict", "run", "a.png", "b").stdout.splitlines()
    assert lines[0] == "a.png: malignant (benign 0.600, malignant 0.400)  [doubtful: brighter than any training image]"
    assert lines[1] == "b.png: types = x + y (x 0.900, y 0.800), pointed out: x; mm = 12.35"
    assert lines[2] == "c.png: refused: not an image"
    assert lines[3] == "d.png: S (N 0.600, S 0.400), pointed out: N"
    assert lines[4] == "d.png: S (N 0.600, S 0.400)"
    assert lines[5].startswith("5 inputs, 1 refused.")
    found = json.loads(hu("predict", "run", "a.png", "b", "--json").stdout)
    assert [p["sample"] for p in found["predictions"]] == ["a.png", "b.png", "c.png", "d.png", "d.png"]
    assert found["predictions"][0]["targets"]["label"]["at_operating_point"] == "malignant"
    assert found["predictions"][1]["targets"]["types"]["value"] == ["x", "y"]
    assert found["predictions"][1]["targets"]["types"]["pointed_out"] == ["x"]
    assert found["predictions"][2]["refusal"] == "not an image"


def test_compare(fake: Put) -> None:
    def compare(a: Path, b: Path, *, seed: int) -> Comparison:
        return Comparison()

    fake("hounsfield.workflow.comparing", "compare", compare)
    found = hu("compare", "a", "b").stdout
    assert "0.050 (-0.010 to 0.110)" in found
    assert "better: neither" in found
    assert json.loads(hu("compare", "a", "b", "--json").stdout)["samples"] == 9


def test_doctor() -> None:
    assert "bfloat16 in hardware" in hu("doctor").stdout
    assert json.loads(hu("doctor", "--json").stdout)["schema_version"] == 1


def failing(fake: Put, error: BaseException) -> None:
    def train(source: Path, *, out: Path | None, wishes: Wishes, progress: Progress) -> Run:
        with progress.step("train", None):
            raise error

    fake("hounsfield.workflow.training", "train", train)


def test_what_a_user_can_correct_ends_with_2_and_three_lines(fake: Put) -> None:
    failing(fake, CohortError("The folder is empty.", expected="images", next_step="choose another"))
    found = hu("train", "data", "--json")
    assert found.exit_code == 2
    assert found.stdout == ""
    assert "hu train: The folder is empty.\nExpected: images\nNext: choose another\n" in found.stderr
    assert "Traceback" not in found.stderr


def test_wishes_out_of_range_end_with_2() -> None:
    found = hu("train", "data", "--folds", "1")
    assert found.exit_code == 2
    assert "--folds 5" in found.stderr


def test_an_unknown_option_ends_with_2() -> None:
    assert hu("train", "data", "--minute", "3").exit_code == 2


def test_an_unexpected_error_ends_with_1_and_tells_nothing_private(fake: Put) -> None:
    failing(fake, KeyError("/home/mueller/patient.png"))
    found = hu("train", "data")
    assert found.exit_code == 1
    assert "KeyError" in found.stderr
    assert "mueller" not in found.stderr
    assert "HOUNSFIELD_DEBUG=1" in found.stderr


def test_debug_shows_the_trace(fake: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUNSFIELD_DEBUG", "1")
    failing(fake, KeyError("x"))
    assert "Traceback" in hu("train", "data").stderr


def test_ctrl_c_ends_with_130_and_says_how_to_continue(fake: Put) -> None:
    failing(fake, KeyboardInterrupt())
    found = hu("train", "data")
    assert found.exit_code == 130
    assert "same command again: it continues the run" in found.stderr


def test_a_traceback_is_never_left_in_sys(fake: Put) -> None:
    failing(fake, ValueError("x"))
    hu("train", "data")
    assert sys.exc_info() == (None, None, None)
