"""Beats are found in records that nobody annotated, and have the inputs that annotated beats have."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Roles, Sample, Schema
from hounsfield.core.errors import CohortError
from hounsfield.core.fingerprint import ColumnFacts, Fingerprint, RowFacts
from hounsfield.core.kinds import Wanted
from hounsfield.core.plan import Decision, Plan
from hounsfield.core.progress import SILENT
from hounsfield.core.row import Row
from hounsfield.core.streams import stream
from hounsfield.data.cohorts import cohort_yaml, explore, samples_csv, understand
from hounsfield.data.row.form import FORM
from hounsfield.data.row.readers import read_row
from hounsfield.data.signal.readers import read_signal
from hounsfield.learn.prepare.row import RowPreparation
from hounsfield.workflow.found_beats import with_found_beats
from hounsfield.workflow.predicting import cases_in
from hounsfield.workflow.survey import latest
from tests.data_room.layouts.ward import RATE, record, ward
from tests.data_room.layouts.ward import beats as marks
from tests.data_room.signal.records import write_record


def _record(folder: Path, name: str, seconds: int = 30) -> None:
    noise = stream(0, f"found {name}").normal(0, 4, RATE * seconds)
    noise[RATE // 2 :: RATE] += 900
    lead = np.round(np.convolve(noise, np.hanning(21), "same")).astype(np.int64)[:, None]
    write_record(folder, lead, 16, name=name)
    path = folder / f"{name}.hea"
    path.write_text(path.read_text().replace(" 250 ", f" {RATE} ").replace("lead 0", "MLII"))


def test_each_beat_is_a_sample(tmp_path: Path) -> None:
    _record(tmp_path, "a")
    write_record(tmp_path, np.zeros((RATE * 10, 1), np.int64), 16, name="flat")
    (tmp_path / "flat.hea").write_text((tmp_path / "flat.hea").read_text().replace("lead 0", "MLII"))
    cohort = with_found_beats(explore(tmp_path))
    assert 28 <= len(cohort) <= 30
    assert [(a.sample, a.reason) for a in cohort.set_aside] == [("flat", "no beat was found")]
    assert [s.name for s in cohort.schema.inputs] == ["signal", "rhythm", "form"]
    one = cohort.samples[5]
    ref = one.inputs["signal"][0].ref
    anchor = int(dict(ref.part)["anchor"])
    assert abs((anchor - RATE // 2 + RATE // 2) % RATE - RATE // 2) < 0.05 * RATE
    assert read_signal(cohort, ref, start=anchor, stop=anchor + 1).array[0, 0] > 5
    row = read_row(cohort, one.inputs["rhythm"][0].ref)
    assert row.values.tolist() == pytest.approx([1.0] * 8, abs=0.03)
    form = read_row(cohort, one.inputs["form"][0].ref)
    assert abs(form.values[form.names.index("form_unlikeness")]) < 3.0  # as like the usual beat as the others are


def test_beats_found_in_another_format_have_a_form(tmp_path: Path) -> None:
    at = np.arange(RATE * 20) / RATE
    wave = np.exp(-0.5 * (((at - 0.5) % 1.0 - 0.5) / 0.02) ** 2)
    lines = [f"{t:.6f},{v:.5f}" for t, v in zip(at, wave, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(["time (s),MLII (mV)", *lines]) + "\n")
    sample = Sample("a", "a", {"signal": (Reading(Ref("columns", "a.csv")),)})
    schema = Schema(inputs=(InputSpec(name="signal", kind="signal", ndim=1),))
    cohort = with_found_beats(Cohort("", str(tmp_path), (sample,), schema))
    assert [s.name for s in cohort.schema.inputs] == ["signal", "rhythm", "form"]
    form = read_row(cohort, cohort.samples[5].inputs["form"][0].ref)
    assert np.isfinite(form.values).all()


def test_annotated_beats_are_left_alone(tmp_path: Path) -> None:
    cohort = understand(ward(tmp_path), Roles(target=("beats",)))
    assert with_found_beats(cohort) is cohort


def test_no_beat_at_all_is_an_error(tmp_path: Path) -> None:
    write_record(tmp_path, np.zeros((3000, 1), np.int64), 16, name="flat")
    with pytest.raises(CohortError, match="No beat was found"):
        with_found_beats(explore(tmp_path))


def rows_alone(around: int, *, anchored: bool = True) -> BundleContents:
    """A model that looks at what is told of beats, and at no signal."""
    names = tuple(c.name for c in FORM)
    spec = RowPreparation(
        columns=names, middle=dict.fromkeys(names, 0.0), spread=dict.fromkeys(names, 1.0), around=around
    )
    section = {key: Decision(value=value) for key, value in spec.model_dump(exclude={"kind"}, mode="json").items()}
    facts = RowFacts(columns={name: ColumnFacts() for name in names}, anchored=anchored)
    return BundleContents(
        members=(),
        plan=Plan(
            hounsfield="0",
            cohort="toy",
            cohort_digest="0",
            task="classify",
            targets=(),
            sections={"preparation.form": section},
        ),
        fingerprint=Fingerprint(samples=1, patients=1, val_samples=0, inputs={"form": facts}, targets={}),
        documents={},
        arrays={},
    )


@pytest.mark.parametrize("around", [0, 2])
def test_a_model_of_what_is_told_of_beats_is_asked_of_records(tmp_path: Path, around: int) -> None:
    _record(tmp_path, "a")
    (cohort,) = cases_in(rows_alone(around), [tmp_path], Roles(), SILENT)
    assert 28 <= len(cohort) <= 30
    row = latest(cohort, cohort.samples[5], "form", wanted=Wanted(columns=FORM, beats=around))
    assert isinstance(row, Row)
    assert row.names == tuple(c.name for c in FORM)
    assert (row.around is None) if not around else (row.around is not None and len(row.around) == 5)


def test_of_annotated_records_the_beats_are_asked_about_whatever_else_could_be(tmp_path: Path) -> None:
    folder = tmp_path / "ward"
    folder.mkdir()
    for name, rhythm in (("100", "AFIB"), ("101", "N")):
        record(folder, name, marks(rhythm=rhythm))
    (cohort,) = cases_in(rows_alone(1), [folder], Roles(), SILENT)
    assert len(cohort) == 40
    assert {s.targets["beats"] for s in cohort.samples} == {"N", "V"}
    kept = tuple(spec for spec in cohort.schema.inputs if spec.name == "form")
    few = replace(
        cohort,
        samples=tuple(replace(s, inputs={"form": s.inputs["form"]}) for s in cohort.samples),
        schema=cohort.schema.model_copy(update={"inputs": kept}),
    )
    described = tmp_path / "described"
    described.mkdir()
    (described / "samples.csv").write_text(samples_csv(few), encoding="utf-8")
    (described / "cohort.yaml").write_text(cohort_yaml(few, root="../ward"), encoding="utf-8")
    (again,) = cases_in(rows_alone(1), [described], Roles(), SILENT)
    assert [s.id for s in again.samples] == [s.id for s in cohort.samples]


def test_a_table_with_the_names_of_what_is_told_of_beats_is_read_as_a_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,form_unlikeness,form_size\np1,0.1,0.2\np2,0.3,0.4\n", encoding="utf-8")
    (cohort,) = cases_in(rows_alone(0, anchored=False), [tmp_path / "t.csv"], Roles(), SILENT)
    assert [s.id for s in cohort.samples] == ["p1", "p2"]
    with pytest.raises(CohortError, match="neither beats nor records"):
        with_found_beats(cohort)
