"""From a long table of events to a judged forecaster, and to what it says of new series."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.sealed import open_sealed
from hounsfield.core.errors import BundleError, CohortError, InputError
from hounsfield.core.report import Report
from hounsfield.core.streams import stream
from hounsfield.science.forecasting.generated import VARIABLES, pressure_course
from hounsfield.stages.reporting.page import render_html
from hounsfield.workflow.boxing import find_boxes
from hounsfield.workflow.dense.queueing import queue
from hounsfield.workflow.evaluating import evaluate
from hounsfield.workflow.explaining import explain
from hounsfield.workflow.exporting import export
from hounsfield.workflow.forecast.cohorts import asked_cohort
from hounsfield.workflow.forecast.fitting import open_forecaster
from hounsfield.workflow.measure_deep import embed
from hounsfield.workflow.planning import plan
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.streaming import StreamWishes
from hounsfield.workflow.streaming import stream as stream_of
from hounsfield.workflow.training import Run, train
from hounsfield.workflow.wishes import Wishes
from tests.journeys.making import write_cohort

UNITS = ("mmHg", "mmHg", "mmHg", "1/min")
WISHES = Wishes(task="prognose", max_steps=12, threads=1, minutes=30)


def write_events(path: Path, count: int, *, seed: int = 0, hours: float = 5.0) -> None:
    """Write generated patients as a long table; each variable is missing at some times, and one record is silent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["record", "time_min", "variable", "value", "unit"])
        for n in range(count):
            rng = stream(seed, "events", 0, n)
            course = pressure_course(hours, rng, gap_min=10.0)
            times = np.round(course.times_h * 60 + rng.uniform(0, 5, len(course.times_h)), 1)
            for step, time in enumerate(times):
                for row, name in enumerate(VARIABLES):
                    if name == "MAP" and n == count - 1:
                        continue
                    if rng.random() > 0.1:
                        writer.writerow(
                            [f"s{n:03d}", time, name, round(float(course.values[row, step]), 1), UNITS[row]]
                        )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("forecast")
    write_events(folder / "data" / "events.csv", 30)
    return train(folder / "data", out=folder / "run", wishes=WISHES)


def test_a_table_of_events_becomes_a_judged_forecaster(run: Run) -> None:
    report = run.report
    assert report.task == "prognose"
    names = ["next reading", "mean within 1 h", "mean within 3 h", "lowest within 1 h", "lowest within 3 h"]
    assert list(report.targets) == [f"MAP: {name}" for name in names]
    first = report.targets["MAP: next reading"]
    assert first.target.unit == "mmHg"
    figures = first.parts["test"]
    assert 80 < figures.samples < 190
    assert figures.patients <= 6
    assert set(first.baselines) == {"last-value", "smoothing", "autoregression"}
    assert figures.metrics["mae"].low is not None
    ours, theirs = figures.metrics["mae"].value, first.baselines["autoregression"].metrics["mae"].value
    assert ours is not None
    assert theirs is not None
    assert ours < 1.1 * theirs
    coverage = figures.metrics["coverage_90"].value
    assert coverage is not None
    assert 0.7 < coverage <= 1.0
    lowest = report.targets["MAP: lowest within 1 h"].parts["test"]
    assert "warning" in lowest.curves
    assert any(name.startswith("warned:one false alarm in") for name in lowest.metrics)
    again = Report.model_validate_json((run.path / "report.json").read_text(encoding="utf-8"))
    assert again == report
    assert [line["way"] for line in report.alternatives] == [
        f"{n}, on the validation part" for n in ("line", "network")
    ]
    assert "(chosen)" in report.alternatives[1]["next reading"]
    held = open_sealed(run.path / "bundle").plan
    assert held.value("preparation", "between") == ["DiasABP", "SysABP"]
    assert held.value("trees", "rounds") == 0  # 600 readings are few
    page = render_html(report)
    assert "on the validation part" in page
    assert "Onsets warned of" in page
    assert "What comes" in page


def test_the_card_promises_no_guard_that_there_is_not(run: Run) -> None:
    card = open_sealed(run.path / "bundle").card
    assert "There is no input guard" in card
    assert "flagged or refused by the input guard" not in card
    assert "threshold" not in card
    assert "prevalence" not in card


def test_predictions_are_told_beside_what_came(run: Run) -> None:
    with (run.path / "predictions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {r["part"] for r in rows} == {"val", "test"}
    by = [r for r in rows if r["sample"] == rows[0]["sample"]]
    assert [r["next reading/came"] for r in by[:-1]] == [r["MAP"] for r in by[1:]]
    assert by[-1]["next reading/came"] == ""
    for r in rows:
        assert float(r["next reading/low"]) <= float(r["next reading/median"]) <= float(r["next reading/high"])


def test_new_series_are_forecast_from_their_last_reading(run: Run, tmp_path: Path) -> None:
    write_events(tmp_path / "new" / "events.csv", 4, seed=9, hours=3.0)
    out = tmp_path / "out"
    found = list(predict(run.path, [tmp_path / "new"], out=out))
    assert [bool(p.refusal) for p in found] == [False, False, False, True]
    assert "never measured" in found[3].refusal
    said = found[0].targets["MAP: lowest within 1 h"]
    assert 0 < said.probabilities["below 65"] < 1
    with (out / "predictions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 5 + 1
    quantiles = np.array([[float(r[f"q{v:g}"]) for v in (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)] for r in rows[:-1]])
    assert (np.diff(quantiles, axis=1) >= 0).all()
    told = json.loads((out / "predictions.json").read_text(encoding="utf-8"))
    assert len(told["predictions"]) == 4
    # what was measured before says the same with and without what came after
    text = (tmp_path / "new" / "events.csv").read_text(encoding="utf-8").splitlines()
    late = [line.split(",") for line in text[1:]]
    early = [text[0], *(",".join(c) for c in late if c[0] == "s000" and float(c[1]) < 90)]
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / "events.csv").write_text("\n".join(early) + "\n", encoding="utf-8")
    before = next(iter(predict(run.path, [tmp_path / "early"])))
    moved = [
        text[0],
        *(",".join([*c[:3], "111", *c[4:]]) if float(c[1]) >= 90 else ",".join(c) for c in late if c[0] == "s000"),
    ]
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "events.csv").write_text("\n".join(moved) + "\n", encoding="utf-8")
    after = next(iter(predict(run.path, [tmp_path / "moved"])))
    assert before.targets["MAP: next reading"].value != after.targets["MAP: next reading"].value


def _rewritten(source: Path, folder: Path, unit: Callable[[str], str], times: Callable[[str], float]) -> Path:
    """Write a table of events again, values of some variables in another unit."""
    with source.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["value"] = repr(float(row["value"]) * times(row["variable"]))
        row["unit"] = unit(row["variable"]) or row["unit"]
    folder.mkdir(parents=True)
    with (folder / "events.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_new_series_in_other_units_are_forecast_alike_or_refused(run: Run, tmp_path: Path) -> None:
    held = open_sealed(run.path / "bundle").plan
    names = held.value("preparation", "variables")
    assert isinstance(names, list)
    assert held.value("preparation", "units") == [dict(zip(VARIABLES, UNITS, strict=True))[str(n)] for n in names]
    source = tmp_path / "here" / "events.csv"
    write_events(source, 3, seed=9, hours=3.0)
    pressures = VARIABLES[:3]
    kilo = _rewritten(
        source,
        tmp_path / "kilo",
        lambda name: "kPa" if name in pressures else "",
        lambda name: 1 / 7.500617 if name in pressures else 1.0,
    )
    for one, other in zip(predict(run.path, [source.parent]), predict(run.path, [kilo]), strict=True):
        assert one.refusal == other.refusal
        for name, said in one.targets.items():
            value = said.value
            assert isinstance(value, float)
            assert other.targets[name].value == pytest.approx(value, abs=0.05)
    odd = _rewritten(source, tmp_path / "odd", lambda name: "" if name == "MAP" else "wobbles", lambda _: 1.0)
    for refused in predict(run.path, [odd]):
        assert " is in wobbles, the model has it in " in refused.refusal
        assert "Next: convert the values" in refused.refusal


def test_a_bundle_is_judged_on_its_test_part_and_on_others(run: Run, tmp_path: Path) -> None:
    own = evaluate(run.path, run.path.parent / "data")
    assert own.parts["test"].samples == run.report.parts["test"].samples
    assert own.parts["test"].metrics["mae"].value == run.report.parts["test"].metrics["mae"].value
    write_events(tmp_path / "other" / "events.csv", 6, seed=5)
    other = evaluate(run.path, tmp_path / "other", out=tmp_path / "judged")
    assert other.parts["test"].patients == 5
    assert any("MAP was never measured" in c.en for c in other.caveats)
    assert (tmp_path / "judged" / "report.html").exists()


def test_a_damaged_forecaster_is_not_used(run: Run) -> None:
    from dataclasses import replace

    contents = open_sealed(run.path / "bundle")
    member = contents.members[0]
    arrays = {**member.arrays, "shifts": member.arrays["shifts"].astype(np.float64) + 20.0}
    with pytest.raises(BundleError, match="self-test"):
        open_forecaster(replace(contents, members=(replace(member, arrays=arrays),)))
    with pytest.raises(BundleError):
        open_forecaster(replace(contents, members=()))
    with pytest.raises(BundleError):
        open_forecaster(replace(contents, members=(replace(member, json={"variables": []}),)))


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("explain", "run hu explain RUN SERIES"),
        ("boxes", "leave --boxes out"),
        ("export", "every quantile to predictions.csv"),
        ("queue", "run hu train --task prognose again"),
        ("stream", "nothing later than the last one"),
        ("deep", "hu measure"),
    ],
)
def test_what_a_forecast_is_not_asked_is_said(run: Run, tmp_path: Path, verb: str, said: str) -> None:
    data, out = run.path.parent / "data", tmp_path / "out"
    verbs: dict[str, Callable[[], object]] = {
        "explain": lambda: explain(run.path, [data], out=out),
        "boxes": lambda: find_boxes(run.path, [data], out=out),
        "export": lambda: export(run.path, out=tmp_path / "it.onnx"),
        "queue": lambda: queue(run.path, [data], out=out),
        "stream": lambda: list(stream_of(run.path, data, asked=StreamWishes(out=out))),
        "deep": lambda: embed(run.path, (data, data)),
    }
    with pytest.raises(BundleError, match="forecasts MAP: ") as told:
        verbs[verb]()
    message = told.value.message()
    assert said in message
    assert "a model of the task" in told.value.expected
    assert str(run.path.parent) not in message
    assert not list(tmp_path.iterdir())


def test_horizons_and_limit_are_the_users(tmp_path: Path) -> None:
    write_events(tmp_path / "events.csv", 20, hours=4.0)
    wishes = Wishes(task="prognose", target=("HR",), ahead=("next", "30 min"), below=50.0, threads=1)
    made = plan(tmp_path, wishes=wishes)
    assert made.value("forecast", "variable") == "HR"
    assert made.value("forecast", "asked") == [
        {"kind": "next", "hours": 0.0},
        {"kind": "mean", "hours": 0.5},
        {"kind": "lowest", "hours": 0.5},
    ]
    assert made.value("forecast", "below") == 50.0
    assert made.value("preparation", "low") is None
    with pytest.raises(InputError, match="--folds"):
        plan(tmp_path, wishes=Wishes(task="prognose", folds=5))
    with pytest.raises(InputError, match="--ahead"):
        plan(tmp_path, wishes=Wishes(task="prognose", ahead=("soon",)))


def write_monitors(folder: Path, count: int, *, seed: int = 0) -> None:
    """Write a table of readings each minute for each patient, with a gap."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        course = pressure_course(4.0, stream(seed, "monitors", 0, n))
        with (folder / f"p{n:02d}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["time_min", "ABP Mean (mmHg)", "HR (1/min)"])
            for step, hours in enumerate(course.times_h):
                value = "" if 50 <= step < 60 else round(float(course.values[0, step]), 1)
                writer.writerow([round(60 * float(hours)), value, round(float(course.values[3, step]), 1)])


def test_series_of_one_rate_are_forecast_too(tmp_path: Path) -> None:
    write_monitors(tmp_path / "data", 20)
    done = train(tmp_path / "data", out=tmp_path / "run", wishes=Wishes(task="prognose", max_steps=8, threads=1))
    held = open_sealed(done.path / "bundle").plan
    assert held.value("forecast", "variable") == "ABP Mean"
    assert held.value("preparation", "times") is False
    assert held.value("preparation", "rate_hz") == pytest.approx(1 / 60)
    names = [f"ABP Mean: {kind} within {m} min" for kind in ("mean", "lowest") for m in (5, 10, 30)]
    assert list(done.report.targets) == names
    write_monitors(tmp_path / "new", 3, seed=4)
    found = list(predict(done.path, [tmp_path / "new"]))
    assert [p.refusal for p in found] == ["", "", ""]
    assert 0 < found[0].targets[names[-1]].probabilities["below 65"] < 1
    write_events(tmp_path / "events" / "events.csv", 3)
    refused = list(predict(done.path, [tmp_path / "events"]))
    assert all(p.refusal for p in refused)


def test_a_reading_each_second_is_forecast_half_an_hour_ahead(tmp_path: Path) -> None:
    """Pieces of 1,500 steps would be shorter than the longest horizon: nothing could be known of it."""
    for n in range(6):
        minutes = pressure_course(1.0, stream(0, "seconds", 0, n)).values[0]
        values = np.interp(np.arange(2100) / 60, np.arange(len(minutes)), minutes)
        rows = "".join(f"{t},{value:.1f}\n" for t, value in enumerate(values))
        (tmp_path / f"m{n}.csv").write_text("time_s,ABP Mean (mmHg)\n" + rows, encoding="utf-8")
    made = plan(tmp_path, wishes=Wishes(task="prognose", ahead=("30 min",), threads=1))
    assert made.value("preparation", "most_steps") == 14_400
    assert made.value("forecast", "asked") == [{"kind": "mean", "hours": 0.5}, {"kind": "lowest", "hours": 0.5}]


def test_of_a_waveform_the_next_second_is_asked(tmp_path: Path) -> None:
    t = np.arange(0, 12, 0.01)
    for n in range(12):
        wave = 80 + 20 * np.sin(2 * np.pi * (1.2 + 0.02 * n) * t) + stream(n, "wave").normal(0, 0.5, len(t))
        rows = "".join(f"{a:.2f},{b:.2f}\n" for a, b in zip(t, wave, strict=True))
        (tmp_path / f"w{n:02d}.csv").write_text("time_s,ABP (mmHg)\n" + rows, encoding="utf-8")
    made = plan(tmp_path, wishes=Wishes(task="prognose", threads=1))
    asked = made.value("forecast", "asked")
    assert isinstance(asked, list)
    assert [one["kind"] for one in asked if isinstance(one, dict)] == ["at"] * 5
    assert made.value("preparation", "rate_hz") == 50.0
    assert made.value("forecast", "below") is None
    assert made.value("baselines", "lags") == 50


def test_what_holds_no_series_is_told(tmp_path: Path) -> None:
    write_cohort(tmp_path, n=6)
    with pytest.raises(CohortError, match="holds no series"):
        asked_cohort(tmp_path, Wishes(task="prognose"))
