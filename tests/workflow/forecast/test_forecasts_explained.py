"""What a trained forecast rests on, on its own test part and on new series."""

import csv
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hounsfield
from hounsfield.cli.app import app
from hounsfield.core.errors import CohortError, HounsfieldError, InputError, RunExistsError
from hounsfield.stages.explaining.forecast_result import ForecastExplanations
from hounsfield.workflow.explaining import ExplainWishes
from hounsfield.workflow.forecast.explaining import explain_forecasts, is_forecast
from hounsfield.workflow.forecast.predicting import written_hours
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.training import Run, train
from tests.workflow.forecast.test_forecast_road import WISHES, write_events

TWO = ExplainWishes(number=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("explained")
    write_events(folder / "data" / "events.csv", 30)
    return train(folder / "data", out=folder / "run", wishes=WISHES)


def test_of_the_own_test_part_misses_and_hits_are_explained(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = explain_forecasts(run.path, [run.path.parent / "data"], out=out, asked=TWO)
    assert (found.part, found.variable, found.unit, found.limit) == ("test", "MAP", "mmHg", 65.0)
    assert [one.why for one in found.forecasts] == ["miss", "miss", "hit", "hit"]
    with (run.path / "predictions.csv").open(encoding="utf-8") as file:
        rows = {(r["sample"], r["time_h"]): r for r in csv.DictReader(file) if r["part"] == "test"}
    furthest: dict[str, float] = {}
    for (sample, _), r in rows.items():
        if r["next reading/came"]:
            low, middle, high = (float(r[f"next reading/{end}"]) for end in ("low", "median", "high"))
            off = abs(float(r["next reading/came"]) - middle) / ((high - low) / 2)
            furthest[sample] = max(off, furthest.get(sample, 0.0))
    assert [one.sample for one in found.forecasts[:2]] == sorted(furthest, key=lambda s: -furthest[s])[:2]
    for one in found.forecasts:
        said = rows[one.sample, written_hours(one.time_h)]
        first = one.questions[0]
        assert first.median == pytest.approx(float(said["next reading/median"]), abs=1e-3)
        assert first.came == pytest.approx(float(said["next reading/came"]), abs=1e-3)
        half = (first.high - first.low) / 2
        if one.why == "hit":
            assert first.came is not None
            assert abs(first.came - first.median) <= 0.25 * half
        assert first.least == pytest.approx(0.1 * half)
        for part in (*one.wholes, *one.stretches):
            assert part.counts == tuple(abs(m) >= q.least for m, q in zip(part.moved, one.questions, strict=True))
    text = json.loads((out / "explain.json").read_text(encoding="utf-8"))
    assert ForecastExplanations.model_validate(text) == found
    page = (out / "explain.html").read_text(encoding="utf-8")
    assert "What moved the forecast of MAP?" in page
    assert page.count("data:image/svg+xml") == 4
    assert sorted(p.name for p in out.iterdir() if p.suffix == ".svg") == sorted(o.picture for o in found.forecasts)
    with pytest.raises(RunExistsError):
        explain_forecasts(run.path, [run.path.parent / "data"], out=out, asked=TWO)


def test_new_series_are_explained_from_their_last_reading(run: Run, tmp_path: Path) -> None:
    write_events(tmp_path / "new" / "events.csv", 4, seed=9, hours=3.0)
    found = explain_forecasts(run.path, [tmp_path / "new"], asked=TWO)
    again = explain_forecasts(run.path, [tmp_path / "new"], asked=TWO)
    assert found.forecasts == again.forecasts
    assert found.part == "files"
    assert [one.why for one in found.forecasts] == ["last"] * 3
    assert [one.sample for one in found.left_out] == ["s003"]
    assert "never measured" in found.left_out[0].reason
    told = list(predict(run.path, [tmp_path / "new"]))
    for one, prediction in zip(found.forecasts, told, strict=False):
        for question in one.questions:
            said = prediction.targets[f"MAP: {question.name}"]
            assert question.median == pytest.approx(said.value, abs=1e-3)
            assert question.came is None
            if question.below is not None:
                assert question.below == pytest.approx(said.probabilities["below 65"], abs=1e-4)
    few = explain_forecasts(run.path, [tmp_path / "new"], asked=ExplainWishes(number=1))
    assert len(few.forecasts) == 2


def test_a_stretch_moves_by_what_the_forecaster_says_without_it(run: Run, tmp_path: Path) -> None:
    """The heart rate taken out of the file moves the forecast by what is told of all of it."""
    write_events(tmp_path / "new" / "events.csv", 2, seed=9, hours=3.0)
    lines = (tmp_path / "new" / "events.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "less").mkdir()
    kept = [line for line in lines if ",HR," not in line or line.startswith("s001")]
    (tmp_path / "less" / "events.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    one = explain_forecasts(run.path, [tmp_path / "new"], asked=TWO).forecasts[0]
    rate = next(m for m in one.wholes if m.variable == "HR")
    before, after = (next(iter(predict(run.path, [tmp_path / name]))) for name in ("new", "less"))
    for place, question in enumerate(one.questions):
        name = f"MAP: {question.name}"
        values = [p.targets[name].value for p in (before, after)]
        assert isinstance(values[0], float)
        assert isinstance(values[1], float)
        assert rate.moved[place] == pytest.approx(values[0] - values[1], abs=1e-3)


def test_the_command_says_what_counts(run: Run, tmp_path: Path) -> None:
    write_events(tmp_path / "new" / "events.csv", 3, seed=9, hours=3.0)
    asked = ["explain", str(run.path), str(tmp_path / "new"), "--out", str(tmp_path / "out"), "--threads", "1"]
    found = CliRunner().invoke(app, asked)
    assert found.exit_code == 0, found.output
    assert "Forecasts of MAP, mmHg" in found.stdout
    assert "lowest within 1 h" in found.stdout
    assert "It is no cause" in found.stdout
    told = CliRunner().invoke(app, [*asked[:3], "--out", str(tmp_path / "json"), "--json"])
    assert json.loads(told.stdout)["kind"] == "forecast"
    made = hounsfield.explain(run.path, tmp_path / "new", number=1)
    assert isinstance(made, ForecastExplanations)


def test_what_a_forecast_does_not_have_is_told(run: Run, tmp_path: Path) -> None:
    data = run.path.parent / "data"
    verbs: dict[str, tuple[Callable[[], object], type[HounsfieldError]]] = {
        "--class": (lambda: explain_forecasts(run.path, [data], asked=ExplainWishes(answer="sick")), InputError),
        "--method": (
            lambda: explain_forecasts(run.path, [data], asked=ExplainWishes(methods=("occlusion",))),
            InputError,
        ),
    }
    for said, (verb, kind) in verbs.items():
        with pytest.raises(kind, match=said):
            verb()
    events = tmp_path / "silent" / "events.csv"
    events.parent.mkdir()
    events.write_text("record,time_min,variable,value,unit\na,0,HR,80,1/min\na,9,HR,82,1/min\n", encoding="utf-8")
    with pytest.raises(CohortError, match="can be forecast"):
        explain_forecasts(run.path, [tmp_path / "silent"])
    assert not is_forecast(tmp_path)
    assert is_forecast(run.path)


def test_each_reading_of_the_variable_lies_in_one_stretch(run: Run) -> None:
    for one in explain_forecasts(run.path, [run.path.parent / "data"], asked=TWO).forecasts:
        own = [m for m in one.stretches if m.variable == "MAP"]
        assert sum(m.readings for m in own) == one.readings
        assert own[0].to_h == 0.0
        assert all(m.from_h is not None and m.to_h is not None and m.from_h >= m.to_h for m in own)
        assert all(newer.from_h < older.to_h for newer, older in pairwise(own) if newer.from_h and older.to_h)
