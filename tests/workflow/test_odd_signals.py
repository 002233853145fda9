"""Signals of another sort, or in another unit, are set aside with their reason; where they are many, it is asked."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from hounsfield.core.errors import CohortError, case_id
from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.progress import SILENT
from hounsfield.core.streams import stream
from hounsfield.workflow.study import Study, study
from hounsfield.workflow.wishes import Wishes
from tests.data_room.folders import table

RECORDS, STEPS, RATE = 24, 120, 100


def write(folder: Path, gapped: set[int], *, units: Mapping[int, str] = {}) -> Path:
    """Records of one lead in tables of their own; some pause for two seconds, or are in another unit than mV."""
    folder.mkdir()
    for n in range(RECORDS):
        values = stream(n, "odd signals").normal(size=STEPS).round(3)
        pause = [2.005 if n in gapped and t > STEPS // 2 else 0.0 for t in range(STEPS)]
        rows = [
            {"time_s": round(t / RATE + pause[t], 3), f"ecg ({units.get(n, 'mV')})": float(values[t])}
            for t in range(STEPS)
        ]
        table(folder / f"r{n}.csv", rows)
    table(folder / "labels.csv", [{"record": f"r{n}", "diagnosis": "ab"[n % 2]} for n in range(RECORDS)])
    return folder


def studied(folder: Path, seed: int) -> Study:
    return study(folder, Wishes(seed=seed), progress=SILENT)


def facts_of(found: Study) -> SignalFacts:
    (seen,) = found.fingerprint.inputs.values()
    assert isinstance(seen, SignalFacts)
    return seen


def test_one_record_with_a_pause_is_set_aside_whatever_part_it_is_in(tmp_path: Path) -> None:
    folder = write(tmp_path / "one", {2})
    times_aside = 0
    for seed in range(3):
        found = studied(folder, seed)
        assert not facts_of(found).irregular
        aside = {a.sample: a.reason for a in found.audit.unreadable}
        if aside:
            assert "irregular times, most training signals have a fixed rate" in aside["r2"]
            assert any("1 set aside after dividing: signals unlike" in w for w in found.audit.warnings)
            assert "r2" not in found.split.parts
        else:  # what of a test part cannot be judged is counted there
            assert found.split.parts["r2"] == "test"
        assert found.audit.samples + len(aside) == RECORDS
        times_aside += bool(aside)
    assert times_aside > 0


def test_regular_records_among_irregular_ones_are_set_aside_too(tmp_path: Path) -> None:
    folder = write(tmp_path / "most", set(range(RECORDS)) - {5})
    reasons: list[str] = []
    for seed in range(3):
        found = studied(folder, seed)
        assert facts_of(found).irregular
        reasons += [a.reason for a in found.audit.unreadable if a.sample == "r5"]
    assert reasons  # it is not in the test part each time
    assert all("a fixed rate, most training signals have irregular times" in reason for reason in reasons)


def test_two_sorts_in_equal_number_are_asked_about_by_name(tmp_path: Path) -> None:
    folder = write(tmp_path / "both", set(range(0, RECORDS, 2)))
    with pytest.raises(CohortError, match=r"mixes .* with a fixed rate and .* with irregular times") as caught:
        studied(folder, 0)
    assert any(case_id(f"r{n}") in caught.value.found for n in range(0, RECORDS, 2))


def test_records_in_a_unit_of_another_sort_are_set_aside_with_the_reason(tmp_path: Path) -> None:
    folder = write(tmp_path / "units", set(), units={2: "mmHg", 9: "wobbles", 11: "uV"})
    found_aside = 0
    for seed in range(3):
        found = studied(folder, seed)
        assert facts_of(found).units == ("mV",)
        aside = {a.sample: a.reason for a in found.audit.unreadable}
        assert set(aside) <= {"r2", "r9"}  # microvolts are converted
        for sample, unit in (("r2", "mmHg"), ("r9", "wobbles")):
            if sample not in aside:  # what of a test part cannot be judged is counted there
                assert found.split.parts[sample] == "test"
                continue
            assert aside[sample].startswith(f"Case {case_id(sample)}: ecg of signal ")
            for said in (
                f"is in {unit}, most training signals have it in mV. Expected: mV",
                "Next: convert the record",
            ):
                assert said in aside[sample]
            assert sample not in found.split.parts
        assert found.audit.samples + len(aside) == RECORDS
        found_aside += len(aside)
    assert found_aside > 2


def test_units_of_two_sorts_in_equal_number_are_asked_about(tmp_path: Path) -> None:
    folder = write(tmp_path / "both", set(), units=dict.fromkeys(range(0, RECORDS, 2), "mmHg"))
    with pytest.raises(
        CohortError, match="values are in a unit of another sort than in most, such as ecg in"
    ) as caught:
        studied(folder, 0)
    assert any(case_id(f"r{n}") in caught.value.found for n in range(RECORDS))
    assert "header" in caught.value.next_step
