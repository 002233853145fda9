"""What the benchmark of beats counts, and the folders that it gives to ``hu train``."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from benchmarks.accuracy.signals import beats_folders
from benchmarks.accuracy.signals.beats_figures import (
    CLASSES,
    Beat,
    counted,
    figures,
    judged,
    likeliest,
    of_tables,
    per_record,
    verdict,
    weighed_alike,
)
from benchmarks.accuracy.signals.beats_folders import (
    HELD_OUT,
    beats_alone,
    inside,
    official,
    one_person_said,
    signal_alone,
    signal_and_rhythm,
    some_of,
    with_others_hidden,
)
from benchmarks.accuracy.signals.mitbih import VARIANTS, Asked
from sklearn.metrics import cohen_kappa_score, precision_score, recall_score

from hounsfield.core.audit import Audit
from hounsfield.core.cohort import Roles
from hounsfield.core.streams import stream
from hounsfield.data.cohorts import understand
from hounsfield.stages.splitting import split
from tests.benchmarks.mitbih_source import DS1, write_source
from tests.data_room.folders import table

ROLES = Roles(target=("beats:NSVF",))


def some_beats(count: int = 600) -> list[Beat]:
    draws = stream(0, "figures of beats")
    truth = draws.choice(4, count, p=[0.7, 0.1, 0.15, 0.05])
    said = np.where(draws.random(count) < 0.7, truth, draws.choice(4, count))
    return [Beat(str(100 + i % 7), CLASSES[t], CLASSES[s]) for i, (t, s) in enumerate(zip(truth, said, strict=True))]


def test_figures_are_those_of_another_library() -> None:
    beats = some_beats()
    truth, said = [b.truth for b in beats], [b.said for b in beats]
    found = figures(beats)
    sensitivity = recall_score(truth, said, labels=list(CLASSES), average=None)
    ppv = precision_score(truth, said, labels=list(CLASSES), average=None)
    kappa = cohen_kappa_score(truth, said)
    assert found["accuracy"] == pytest.approx(np.mean(np.array(truth) == np.array(said)), abs=1e-4)
    assert found["mean_sensitivity"] == pytest.approx(sensitivity.mean(), abs=1e-4)
    assert found["kappa"] == pytest.approx(kappa, abs=1e-4)
    assert found["ppv:S"] == pytest.approx(ppv[1], abs=1e-4)
    j = sensitivity[1] + sensitivity[2] + ppv[1] + ppv[2]
    assert found["jk"] == pytest.approx(kappa / 2 + j / 8, abs=1e-4)


def test_all_right_is_one_and_nothing_found_is_no_error() -> None:
    best = of_tables(counted([Beat("a", c, c) for c in CLASSES]))
    assert [float(best[n]) for n in ("jk", "accuracy", "mean_sensitivity")] == [1.0, 1.0, 1.0]
    lazy = of_tables(counted([Beat("a", c, "N") for c in CLASSES]))
    assert [float(lazy[n]) for n in ("ppv:S", "sensitivity:S", "jk")] == [0.0, 0.0, 0.0]


def test_refused_beats_and_beats_of_class_q_are_wrong() -> None:
    beats = [Beat("a", "N", "N"), Beat("a", "N", ""), Beat("b", "S", "S"), Beat("b", "V", "V"), Beat("b", "F", "F")]
    found = figures(beats)
    assert (found["accuracy"], found["sensitivity:N"], found["ppv:N"]) == (0.8, 0.5, 1.0)
    with_q = figures([*beats, Beat("b", "Q", "S")], (*CLASSES, "Q"))
    assert (with_q["accuracy"], with_q["ppv:S"], with_q["mean_sensitivity"]) == (
        pytest.approx(4 / 6, abs=1e-4),
        0.5,
        0.875,
    )


def test_intervals_are_over_records_and_each_record_is_listed() -> None:
    beats = [Beat("a", "N", "N")] * 50 + [Beat("b", "N", "S")] * 50
    found = figures(beats)
    assert found["intervals"]["accuracy"] == [0.0, 1.0]  # type: ignore[index]  # a mapping
    a, b = per_record(beats)
    assert (a["record"], a["accuracy"], b["accuracy"]) == ("a", 1.0, 0.0)
    assert b["S"] == {"beats": 0, "found": 0, "wrongly": 50}


def test_what_is_wanted_has_to_be_exceeded() -> None:
    said = verdict({"accuracy": 0.93, "jk": None}, {"accuracy": 0.93, "jk": 0.7})
    assert [v["met"] for v in said.values()] == [False, False]


def test_a_run_is_read_by_record(tmp_path: Path) -> None:
    rows = [
        {"sample": "100_370", "part": "test", "truth": "N", "predicted": "N", "at_operating_point": "S"},
        {"sample": "100_9", "part": "val", "truth": "N", "predicted": "N", "at_operating_point": "N"},
        {"sample": "a_b_77", "part": "test", "truth": "V", "predicted": "", "at_operating_point": ""},
    ]
    table(tmp_path / "predictions.csv", rows)
    assert judged(tmp_path) == [Beat("100", "N", "S"), Beat("a_b", "V", "")]


def test_the_second_row_takes_classes_for_equally_frequent(tmp_path: Path) -> None:
    shares = [("N", 0.6), ("S", 0.3), ("V", 0.08), ("F", 0.02)]
    rows = [
        {"sample": f"100_{at}", "part": "test", "truth": "S", "predicted": said, "at_operating_point": said and "V"}
        | {f"probability:{c}": str(p) for c, p in shares}
        for at, said in ((1, "N"), (2, ""))
    ]
    table(tmp_path / "predictions.csv", rows)
    counts = {"N": 900, "S": 60, "V": 30, "F": 10}
    (tmp_path / "fingerprint.json").write_text(json.dumps({"targets": {"beats": {"counts": counts}}}))
    for weights, said in (
        ([], "S"),
        ([n**-0.5 for n in counts.values()], "S"),
        ([1 / n for n in counts.values()], "N"),
    ):
        plan = {"sections": {"optimisation": {"class_weights": {"value": weights}}}}
        (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
        assert weighed_alike(tmp_path) == [Beat("100", "S", said), Beat("100", "S", "")]
        assert weighed_alike(tmp_path, power=0.0) == likeliest(tmp_path)
    assert likeliest(tmp_path) == [Beat("100", "S", "N"), Beat("100", "S", "")]
    assert judged(tmp_path) == [Beat("100", "S", "V"), Beat("100", "S", "")]


def test_folds_are_asked_of_every_run_and_named() -> None:
    assert (Asked(14.0).words, Asked(14.0).name) == (["--minutes", "14"], "14min")
    assert (Asked(7.5, 5).words, Asked(7.5, 5).name) == (["--minutes", "7.5", "--folds", "5"], "7.5min-5folds")
    assert (Asked(2.0, 0, 3).words, Asked(2.0, 0, 3).name) == ([], "2min-3records")


def test_the_recurrent_encoder_is_asked_for_by_name_where_it_is_alone() -> None:
    assert {n: v.words[1] for n, v in VARIANTS.items() if v.words} == {
        "recurrent_alone": "beat-sequence",
        "recurrent_signal": "recurrent",
        "recurrent_with_rhythm": "recurrent",
    }
    assert {v.words[0] for v in VARIANTS.values() if v.words} == {"--network"}
    assert [n for n, v in VARIANTS.items() if v.usual] == ["official", "without_201", "recurrent_alone"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records of the benchmark's source, written small."""
    top = tmp_path_factory.mktemp("mitbih")
    names = {"102": "DS1", "201": "DS1", "101": "DS1", "109": "DS1", "124": "DS1", "202": "DS2", "103": "DS2"}
    source = write_source(top / "source", names)
    return official(top / "cache", source)


def test_the_official_division_is_what_a_user_would_get(folder: Path) -> None:
    cohort = understand(folder, ROLES)
    parts = {s.patient: s.part for s in cohort.samples}
    train = dict.fromkeys(("101", "109", "124", "201"), "train")
    assert parts == {**train, "103": "test", "202": "test"}  # 102 has a pacemaker
    assert {s.targets["beats"] for s in cohort.samples} == set(CLASSES)
    assert [s.name for s in cohort.schema.inputs] == ["signal", "rhythm", "form"]
    before = (folder / "records.csv").stat().st_mtime_ns
    assert official(folder.parent, folder.parent.parent / "source") == folder
    assert (folder / "records.csv").stat().st_mtime_ns == before


def test_where_the_person_is_told_one_record_gives_way(folder: Path) -> None:
    cohort = understand(one_person_said(folder), ROLES)
    divided = split(cohort, Audit(samples=len(cohort), patients=5), seed=0)
    out = {s.id.partition("_")[0] for s in cohort.samples if divided.parts[s.id] == "out"}
    assert out == {"201"}
    assert divided.grouped


def test_the_signal_alone_has_the_same_beats_and_no_row(folder: Path) -> None:
    whole, alone = understand(folder, ROLES), understand(signal_alone(folder), Roles())
    assert [s.name for s in alone.schema.inputs] == ["signal"]
    assert [(s.id, s.part, s.targets["beats"]) for s in alone.samples] == [
        (s.id, s.part, s.targets["beats"]) for s in whole.samples
    ]
    assert Path(alone.root).resolve() == folder.resolve()


def test_beats_alone_have_what_is_told_of_them_and_no_signal(folder: Path) -> None:
    whole, alone = understand(folder, ROLES), understand(beats_alone(folder), Roles())
    assert [s.name for s in alone.schema.inputs] == ["form"]
    assert [(s.id, s.part) for s in alone.samples] == [(s.id, s.part) for s in whole.samples]


def test_the_intervals_may_stand_beside_the_signal_without_its_form(folder: Path) -> None:
    cohort = understand(signal_and_rhythm(folder), Roles())
    assert [s.name for s in cohort.schema.inputs] == ["signal", "rhythm"]
    assert len(cohort) == len(understand(folder, ROLES))


def test_a_trial_has_a_few_records_of_each_half_and_the_person_of_two(folder: Path) -> None:
    few = some_of(folder, 2, folder.parent.parent / "source")
    cohort = understand(few, ROLES)
    parts = {s.patient: s.part for s in cohort.samples}
    assert {"201", "202"} < parts.keys()
    assert (
        sorted(str(p) for p in parts.values()) == ["test"] * 2 + ["train"] * 3
    )  # three to learn from at least: one validates
    assert signal_alone(few) != signal_alone(folder)
    assert with_others_hidden(few)[0] != with_others_hidden(folder)[0]


def test_inside_the_training_half_nothing_of_the_other_is_there(folder: Path, tmp_path: Path) -> None:
    del tmp_path
    part = inside(folder, HELD_OUT[0])
    cohort = understand(part, ROLES)
    parts = {s.patient: s.part for s in cohort.samples}
    assert parts == {"101": "test", "124": "test", "109": "train", "201": "train"}
    assert not (part / "202.dat").exists()


def test_the_four_parts_hold_the_training_half_once() -> None:
    listed = [name for part in HELD_OUT for name in part]
    assert sorted(listed) == sorted(DS1)


def test_hidden_beats_are_all_normal_and_lie_where_they_lay(folder: Path) -> None:
    hidden, places = with_others_hidden(folder)
    assert set(places) == {"103", "202"}
    assert places["103"] == set(range(200 + 4 * 300, 9800, 1500))
    cohort = understand(hidden, Roles(target=("beats",)))
    assert {s.targets["beats"] for s in cohort.samples} == {"N"}
    assert {int(s.id.partition("_")[2]) for s in cohort.samples} == set(range(200, 9800, 300))
    assert beats_folders.PACED.isdisjoint({s.patient for s in cohort.samples})
