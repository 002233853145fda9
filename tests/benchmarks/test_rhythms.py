"""What the benchmark of rhythms counts, and the folders that it gives to ``hu train``."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from benchmarks.accuracy.signals import plain_runs, rhythms
from benchmarks.accuracy.signals.beats_folders import official, one_person_said, some_of, told
from benchmarks.accuracy.signals.mitbih import Asked
from benchmarks.accuracy.signals.rhythm_figures import Window, burdens, by_rhythm, counted, figures, windows
from benchmarks.accuracy.signals.rhythms import (
    FOLDERS,
    HALVES,
    NETWORKS,
    RHYTHM,
    TRIAL_RECORDS,
    inside_ds1,
    told_without_202,
    words_of,
)
from benchmarks.record import code
from sklearn.metrics import precision_score, recall_score

from hounsfield.core.audit import Audit
from hounsfield.core.cohort import Roles
from hounsfield.core.split import Split
from hounsfield.core.streams import stream
from hounsfield.data.cohorts import understand
from hounsfield.stages.splitting import split
from tests.benchmarks.mitbih_source import DS1, write_source
from tests.data_room.folders import table

ROLES = Roles(target=(RHYTHM,))
HALF = 5000
BOTH = ((5, "(N"), (HALF, "(AFIB"))
"""A normal rhythm, then the other one: a window of ten seconds of each."""


def some_windows(count: int = 500) -> list[Window]:
    draws = stream(0, "figures of rhythms")
    truth = draws.random(count) < 0.4
    said = np.where(draws.random(count) < 0.8, truth, draws.random(count) < 0.5)
    return [Window(str(200 + i % 6), i, bool(t), bool(s)) for i, (t, s) in enumerate(zip(truth, said, strict=True))]


def at(found: object, *names: str) -> object:
    """Return what lies under names, one in the other."""
    for name in names:
        assert isinstance(found, dict)
        found = found[name]
    return found


def test_figures_are_those_of_another_library() -> None:
    found = some_windows()
    truth, said = [w.truth for w in found], [w.said for w in found]
    told_of = figures(found)
    assert told_of["sensitivity"] == pytest.approx(recall_score(truth, said), abs=1e-4)
    assert told_of["specificity"] == pytest.approx(recall_score(truth, said, pos_label=False), abs=1e-4)
    assert told_of["ppv"] == pytest.approx(precision_score(truth, said), abs=1e-4)
    records = [w.record for w in found]
    off = [
        float(np.mean([s for s, r in zip(said, records, strict=True) if r == name]))
        - float(np.mean([t for t, r in zip(truth, records, strict=True) if r == name]))
        for name in sorted(set(records))
    ]
    assert told_of["burden_error"] == pytest.approx(np.mean(np.abs(off)), abs=1e-4)
    assert told_of["burden_bias"] == pytest.approx(np.mean(off), abs=1e-4)
    assert (told_of["windows"], told_of["records"], told_of["unanswered"]) == (500, 6, 0)


def test_a_window_without_an_answer_is_not_called() -> None:
    found = [Window("a", 0, True, None), Window("a", 1, True, True), Window("a", 2, False, None)]
    assert counted(found).tolist() == [1, 1, 0, 1]
    told_of = figures(found)
    assert (told_of["sensitivity"], told_of["ppv"], told_of["unanswered"]) == (0.5, 1.0, 2)
    assert burdens(counted(found)) == pytest.approx([2 / 3, 1 / 3])


def test_a_share_of_nothing_is_undefined_and_intervals_are_over_records() -> None:
    found = [Window("a", n, True, True) for n in range(50)] + [Window("b", n, False, True) for n in range(50)]
    told_of = figures(found)
    assert at(told_of, "intervals", "ppv") == [0.0, 1.0]
    alone = figures([Window("b", n, False, False) for n in range(5)])
    assert (alone["sensitivity"], alone["ppv"], alone["specificity"]) == (None, None, 1.0)
    assert at(alone, "intervals", "ppv") == [None, None]
    assert alone["burden_error"] == 0.0


def test_a_run_is_read_at_its_operating_point(tmp_path: Path) -> None:
    rows = [
        {"sample": "201_5", "part": "test", "truth": "AFIB", "predicted": "other", "at_operating_point": "AFIB"},
        {"sample": "201_9", "part": "val", "truth": "AFIB", "predicted": "AFIB", "at_operating_point": "AFIB"},
        {"sample": "a_b_77", "part": "test", "truth": "other", "predicted": "", "at_operating_point": ""},
        {"sample": "203_7", "part": "test", "truth": "other", "predicted": "AFIB", "at_operating_point": "other"},
    ]
    table(tmp_path / "predictions.csv", rows)
    assert windows(tmp_path, RHYTHM) == [
        Window("201", 5, True, True),
        Window("a_b", 77, False, None),
        Window("203", 7, False, False),
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records of the benchmark's source, written small."""
    top = tmp_path_factory.mktemp("rhythms")
    ours = ("101", "109", "112", "208", "201", "203", "205", "223")
    names = {**dict.fromkeys(ours, "DS1"), **dict.fromkeys(("103", "202", "219"), "DS2")}
    irregular = dict.fromkeys(("201", "202", "203", "219"), BOTH)
    return official(top / "cache", write_source(top / "source", names, irregular))


def test_rhythms_are_written_with_the_records(folder: Path) -> None:
    cohort = understand(folder, ROLES)
    spec = cohort.schema.targets[0]
    assert (spec.classes, spec.positive) == (("other", RHYTHM), RHYTHM)
    found = {(s.id, s.targets[RHYTHM]) for s in cohort.samples if s.patient in ("201", "101")}
    assert found == {("101_5", "other"), ("101_3605", "other"), ("201_5", "other"), (f"201_{HALF}", RHYTHM)}
    assert [s.name for s in cohort.schema.inputs] == ["signal"]
    assert cohort.schema.official_parts == ("train", "test")


def divided(folder: Path) -> tuple[Split, Counter[tuple[str, object]]]:
    """Return how a folder is divided, and the windows of each part and answer."""
    cohort = understand(folder, ROLES)
    found = split(cohort, Audit(samples=len(cohort), patients=11), seed=0)
    return found, Counter((found.parts[s.id], s.targets[RHYTHM]) for s in cohort.samples)


def test_the_person_in_both_halves_is_in_one(folder: Path) -> None:
    usual, counts = divided(one_person_said(folder))
    assert {name.partition("_")[0] for name, part in usual.parts.items() if part == "out"} == {"201"}
    assert counts[("test", RHYTHM)] == 2  # of 202 and 219
    assert not usual.grouped or not counts[("val", RHYTHM)]  # one patient is left to learn it from
    other, counts = divided(FOLDERS["202"](folder))
    assert "out" not in other.parts.values()
    assert counts[("test", RHYTHM)] == 1
    assert counts[("train", RHYTHM)] + counts[("val", RHYTHM)] == 2
    assert "202" not in {row["record"] for row in told(told_without_202(folder))}


def test_a_trial_has_the_rhythm_in_both_halves(folder: Path) -> None:
    few = some_of(folder, 3, folder.parent.parent / "source", must=TRIAL_RECORDS)
    assert {"201", "203", "202", "219"} < {row["record"] for row in told(few)}
    _, counts = divided(one_person_said(few))
    assert counts[("train", RHYTHM)] >= 1
    assert counts[("test", RHYTHM)] == 2
    assert few != some_of(folder, 3, folder.parent.parent / "source")


def test_the_halves_hold_the_training_half_once_and_the_rhythm_each() -> None:
    assert sorted(name for half in HALVES for name in half) == sorted(DS1)
    assert [[n for n in half if n in ("201", "203")] for half in HALVES] == [["201"], ["203"]]


def test_inside_ds1_each_half_is_judged_by_what_the_other_taught(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: list[tuple[set[str], set[str]]] = []

    def trained(source: Path, name: str, words: list[str], changes: object) -> Path:
        assert words == ["--target", RHYTHM, "--minutes", "6", "--seed", "0", "--network", "recurrent"]
        assert changes is None
        assert not (source / "202.dat").exists()
        rows = told(source)
        given.append(
            ({r["record"] for r in rows if r["split"] == "train"}, {r["record"] for r in rows if r["split"] == "test"})
        )
        cohort = understand(source, ROLES)
        out = tmp_path / name
        said = [(s.id, s.targets[RHYTHM]) for s in cohort.samples if s.part == "test"]
        table(
            out / "predictions.csv",
            [{"sample": n, "part": "test", "truth": str(a), "at_operating_point": RHYTHM} for n, a in said],
        )
        return out

    def one(run: Path, source: Path) -> dict[str, object]:
        return {"by_rhythm": by_rhythm(windows(run, RHYTHM), source), "figures": {}, "baselines": {}}

    monkeypatch.setattr(rhythms, "trained", trained)
    monkeypatch.setattr(rhythms, "one", one)
    monkeypatch.setattr(rhythms, "_line", str)
    found = inside_ds1(folder, "recurrent", [0], Asked(6.0))
    one_part = ({"203", "112", "205", "223"}, {"201", "101", "109", "208"})
    assert given == [one_part, one_part[::-1]]
    both = [at(found, "0", "both", name) for name in ("records", "sensitivity", "specificity")]
    assert both == [8, 1.0, 0.0]
    assert at(found, "0", "halves", "201", "by_rhythm") == {
        "N": {"windows": 7, "said": 7},
        "AFIB": {"windows": 1, "said": 1},
    }


def test_each_network_is_asked_for_by_name_but_the_plans_own() -> None:
    assert words_of("planned", 1, Asked(6.0)) == ["--target", RHYTHM, "--minutes", "6", "--seed", "1"]
    assert [words_of(n, 0, Asked(6.0, records=5))[4:] for n in NETWORKS] == [
        [],
        ["--network", "convolutional-recurrent"],
        ["--network", "recurrent"],
    ]


def test_networks_that_the_same_code_was_measured_with_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    result: dict[str, object] = {"code": code(), "networks": {"planned": {"minutes": 6}}}
    monkeypatch.setattr(rhythms, "read_result", lambda name: result)
    assert rhythms.before("signals-rhythms") == {"planned": {"minutes": 6}}
    result["code"] = "another"
    assert rhythms.before("signals-rhythms") == {}


def test_figures_of_the_training_half_are_kept_beside_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_runs, "RUNS", tmp_path / "runs")
    assert plain_runs.noted("toy") == {}
    plain_runs.note("toy", {"planned": 1})
    plain_runs.note("toy", {"recurrent": 2})
    assert plain_runs.noted("toy") == {"planned": 1, "recurrent": 2}
    (kept,) = (tmp_path / "runs").iterdir()
    assert json.loads(kept.read_text(encoding="utf-8")) == {"planned": 1, "recurrent": 2}
