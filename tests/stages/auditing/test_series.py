"""What is shown of signals: rates, lengths, leads in doubt, gaps, variables that are never measured."""

from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, InputSpec, Listing, Reading, Ref, Sample, Schema
from hounsfield.core.streams import stream
from hounsfield.stages.auditing.series import series_listings
from tests.data_room.folders import table
from tests.data_room.signal.records import Ints, write_record

RATE = 250


def _cohort(folder: Path, refs: list[Ref], **about: object) -> Cohort:
    spec = InputSpec.model_validate({"name": "signal", "kind": "signal", "ndim": 1, **about})
    samples = tuple(Sample(f"s{i}", f"s{i}", {"signal": (Reading(ref),)}) for i, ref in enumerate(refs))
    return Cohort("", str(folder), samples, Schema(inputs=(spec,)))


def _lead(seconds: int) -> Ints:
    """Return a lead with a sharp beat each second on a little noise."""
    noise = stream(0, "series").normal(0, 3, RATE * seconds)
    noise[RATE // 2 :: RATE] += 300
    return np.round(np.convolve(noise, np.hanning(15), "same")).astype(np.int64)


def _rows(listing: Listing) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for row in listing.rows}


def test_records_and_their_leads(tmp_path: Path) -> None:
    good = _lead(10)
    flat = np.zeros_like(good)
    flat[:RATE] = good[:RATE]
    write_record(tmp_path, np.stack([good, flat], axis=1), 16, name="a")
    write_record(tmp_path, np.stack([good, good], axis=1)[: RATE * 5], 16, name="b")
    for name in "ab":
        path = tmp_path / f"{name}.hea"
        path.write_text(path.read_text().replace("lead 0", "MLII").replace("lead 1", "V1"))
    refs = [Ref("wfdb", "a.hea", (("anchor", 10),)), Ref("wfdb", "a.hea", (("anchor", 900),)), Ref("wfdb", "b.hea")]
    records, quality = series_listings(_cohort(tmp_path, [*refs, Ref("wfdb", "gone.hea")], leads=("II", "V1")))
    said = _rows(records)
    assert said["records"] == ("3, 2 looked at",)
    assert said["rate"] == ("250 Hz",)
    assert said["length"] == ("5 s to 10 s, median 7.5 s",)
    assert said["leads"] == ("II, V1",)
    assert said["units"] == ("mV",)
    assert "1 x its header cannot be opened" in said["cannot be read"][0]
    assert _rows(quality)["II"][:3] == ("2", "0", "0")
    assert _rows(quality)["V1"][:3] == ("2", "0", "1")


def test_variables_of_irregular_series(tmp_path: Path) -> None:
    rows = [{"record": r, "minute": m, "variable": "HR", "value": 60 + m} for r in (1, 2) for m in (0, 7, 9)]
    rows.append({"record": 1, "minute": 8, "variable": "MAP", "value": 71})
    table(tmp_path / "events.csv", rows)
    refs = [Ref("events", "events.csv", (("record", str(r)),)) for r in (1, 2)]
    records, variables = series_listings(_cohort(tmp_path, refs))
    assert _rows(records)["length"] == ("3 to 4 times, median 3.5",)
    assert _rows(records)["rate"] == ("none told",)
    assert _rows(variables)["HR"][:2] == ("0%", "3")
    assert _rows(variables)["MAP"][:2] == ("50%", "0.5")


def test_series_without_a_rate(tmp_path: Path) -> None:
    values = stream(0, "archive").normal(size=(4, 30))
    values[1] = 2.0
    values[2, :10] = np.nan
    np.savez(tmp_path / "a.npz", X_train=values)
    refs = [Ref("ucr", "a.npz", (("array", "X_train"), ("index", i))) for i in range(4)]
    _, quality = series_listings(_cohort(tmp_path, refs))
    assert _rows(quality)["x"][:3] == ("4", "1", "1")


def test_swapped_leads_are_told(tmp_path: Path) -> None:
    i = _lead(10)
    ii = np.roll(i, 20) + i // 2
    iii = ii - i
    twelve = [i, ii, iii, -(i + ii) // 2, ii - i // 2, i - ii // 2]  # aVL and aVF under each other's names
    write_record(tmp_path, np.stack(twelve, axis=1), 16, name="a")
    path = tmp_path / "a.hea"
    text = path.read_text()
    for n, name in enumerate(("I", "II", "III", "aVR", "aVL", "aVF")):
        text = text.replace(f"lead {n}", name)
    path.write_text(text)
    _, quality = series_listings(_cohort(tmp_path, [Ref("wfdb", "a.hea")]))
    assert _rows(quality)["in doubt: aVL and aVF swapped"][0] == "1"


@pytest.mark.parametrize("kind", ["image", "row"])
def test_other_inputs_are_left_alone(tmp_path: Path, kind: str) -> None:
    assert series_listings(_cohort(tmp_path, [Ref("raster", "a.png")], kind=kind)) == ()


def test_vital_signs_of_one_value_a_minute(tmp_path: Path) -> None:
    draws = stream(0, "vital signs")
    for n in range(3):
        rows = [{"time_min": m, "HR": 70 + int(draws.integers(4)), "SpO2": 98} for m in range(60)]
        table(tmp_path / f"{n}.csv", rows)
    records, quality = series_listings(_cohort(tmp_path, [Ref("columns", f"{n}.csv") for n in range(3)]))
    assert _rows(records)["rate"] == ("0.0166667 Hz",)
    assert _rows(quality)["hr"][:4] == ("3", "0", "0", "0")
    assert _rows(quality)["spo2"][:4] == ("3", "0", "3", "0")
