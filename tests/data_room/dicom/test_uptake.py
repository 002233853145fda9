"""SUV by body weight against QIBA's pseudo-code, written again here from its text; and what has no SUV, with why."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from hounsfield.core.image import Image
from hounsfield.data.cohorts import explore
from hounsfield.data.dicom.assembling import assemble, read_volume, volume_uptake
from hounsfield.data.dicom.index import index_tree
from hounsfield.data.dicom.suv import uptake, uptake_of_series
from tests.data_room.dicom.making import dataset, save

PET = "1.2.840.10008.5.1.4.1.1.128"
HALF_LIFE = 6586.2


def header(**facts: Any) -> Dataset:  # noqa: ANN401 - values of keywords
    drug = Dataset()
    drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = 370e6, HALF_LIFE
    drug.RadiopharmaceuticalStartTime = "080000"
    for keyword in ("RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartTime"):
        if keyword in facts:
            setattr(drug, keyword, facts.pop(keyword))
    if "RadiopharmaceuticalStartDateTime" in facts:
        drug.RadiopharmaceuticalStartDateTime = facts.pop("RadiopharmaceuticalStartDateTime")
    usual: dict[str, Any] = {
        "SOPClassUID": PET, "Modality": "PT", "Units": "BQML", "CorrectedImage": ["DECY", "ATTN", "SCAT"],
        "DecayCorrection": "START", "PatientWeight": 70, "SeriesDate": "20200102", "SeriesTime": "090000",
        "AcquisitionDate": "20200102", "AcquisitionTime": "090000", "RescaleIntercept": 0, "RescaleSlope": 2,
        "RadiopharmaceuticalInformationSequence": [drug], "ConvolutionKernel": None,
    }  # fmt: skip
    return dataset("p/s/pet", usual | facts)


def qiba(made: Dataset) -> float:
    """Return the scale factor as the pseudo-code of the QIBA profile computes it for BQML and START."""

    def moment(date: str, time: str) -> datetime:
        return datetime.strptime(f"{date}{time[:6]}", "%Y%m%d%H%M%S")

    drug = made.RadiopharmaceuticalInformationSequence[0]
    half = float(drug.RadionuclideHalfLife)
    series, acquired = moment(made.SeriesDate, made.SeriesTime), moment(made.AcquisitionDate, made.AcquisitionTime)
    scan = series.timestamp()
    if series > acquired:
        constant = np.log(2) / half
        lost = constant * float(made.ActualFrameDuration) / 1000
        average = 1 / constant * np.log(lost / (1 - np.exp(-lost)))
        scan = acquired.timestamp() - float(made.FrameReferenceTime) / 1000 + average
    start = moment(made.SeriesDate, drug.RadiopharmaceuticalStartTime).timestamp()
    decayed = float(drug.RadionuclideTotalDose) * 2 ** (-(scan - start) / half)
    return float(made.PatientWeight) * 1000 / decayed


def test_as_the_profile_computes_it() -> None:
    assert uptake(header()).factor == pytest.approx(qiba(header()), rel=1e-9)
    # a series that was saved again in the evening: third bed position, 3 minutes a bed
    late = header(
        SeriesTime="200000", AcquisitionTime="090600", FrameReferenceTime=449_300, ActualFrameDuration=180_000
    )
    found = uptake(late)
    assert found.factor == pytest.approx(qiba(late), rel=1e-9)
    assert found.factor == pytest.approx(qiba(header()), rel=1e-3)
    assert "reference time" in found.reason


def test_the_scan_time_of_ge_goes_before_a_reference_time() -> None:
    made = header(SeriesTime="200000")
    made.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20200102090000.00")
    assert uptake(made).factor == pytest.approx(qiba(header()), rel=1e-9)


def test_a_dated_injection_of_a_slow_isotope() -> None:
    made = header(RadiopharmaceuticalStartDateTime="20191230090000", RadionuclideHalfLife=282_240.0)
    assert uptake(made).factor == pytest.approx(70_000 / (370e6 * 2 ** (-3 * 86400 / 282_240)), rel=1e-9)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"PatientWeight": 0}, "the patient's weight"),
        ({"PatientWeight": 70_000}, "weight is not in kg"),
        ({"RadionuclideTotalDose": 0}, "the dose"),
        ({"RadionuclideTotalDose": 370.0}, "dose is not in Bq"),
        ({"CorrectedImage": ["DECY"]}, "not corrected for attenuation"),
        ({"DecayCorrection": "NONE"}, "decay correction is NONE"),
        ({"Units": "CNTS"}, "private factor"),
        ({"Units": "PROPCPS"}, "the unit is PROPCPS"),
        ({"Units": "GML", "SUVType": "LBM"}, "another kind (LBM)"),
        ({"RadiopharmaceuticalInformationSequence": []}, "lacks the dose, the half-life"),
        ({"SeriesTime": "200000"}, "no other tells when the scan began"),
        ({"RadiopharmaceuticalStartTime": ""}, "time of injection is not stated"),
        ({"RadiopharmaceuticalStartDateTime": "20200102100000"}, "contradict"),
    ],
)
def test_what_has_no_uptake_says_why(facts: dict[str, Any], reason: str) -> None:
    found = uptake(header(**facts))
    assert found.factor is None
    assert reason in found.told


def test_slices_that_disagree_have_none() -> None:
    assert uptake_of_series([header(), header(PatientWeight=140)]).factor is None
    assert uptake_of_series([header(), header(Units="GML")]).factor is None
    assert uptake_of_series([]).factor is None
    # of the second bed alone the series' time could be the start; the first was acquired before it
    beds = [header(SeriesTime="090300", AcquisitionTime=t) for t in ("090000", "090600")]
    assert uptake(beds[1]).factor is not None
    assert uptake_of_series(beds).factor is None


def _pet(root: Path, **facts: Any) -> Image:  # noqa: ANN401 - values of keywords
    for n in range(3):
        made = header(SOPInstanceUID=f"1.2.{n + 1}", ImagePositionPatient=[0, 0, 3.0 * n], InstanceNumber=n, **facts)
        save(root / f"{n}", made)
    (volume,) = assemble(index_tree(root).entries, root=root).volumes
    assert volume_uptake(root, volume).told.startswith("values are SUV" if not facts else "no SUV")
    return read_volume(root, volume)


def test_volumes_are_read_in_uptake_and_else_in_their_unit(tmp_path: Path) -> None:
    image = _pet(tmp_path / "a")
    plain = _pet(tmp_path / "b", PatientWeight=0)
    assert (image.units, plain.units) == ("g/ml", "Bq/ml")
    assert plain.array.max() > 1000
    wanted = plain.array.astype(np.float64) * qiba(header())
    np.testing.assert_allclose(image.array.astype(np.float64), wanted, rtol=1e-6)


def test_a_disk_tells_where_units_are_mixed_and_why(tmp_path: Path) -> None:
    for n in range(4):
        for z in range(3):
            facts = {"SOPInstanceUID": f"1.2.{n}.{z}", "ImagePositionPatient": [0, 0, 3.0 * z], "PatientID": f"p{n}"}
            facts |= {"StudyInstanceUID": f"1.3.{n}", "SeriesInstanceUID": f"1.4.{n}"}
            save(tmp_path / f"{n}/{z}", header(**facts, **({"PatientWeight": 0} if n == 3 else {})))
    cohort = explore(tmp_path)
    assert cohort.schema.unsure == (
        "The values of PET series are in different units: 3 in SUV, 1 in Bq/ml; leave out what has no SUV.",
    )
    told = [r[-1] for t in cohort.listings if t.title == "Of the series that are used" for r in t.rows]
    assert sum("values are SUV" in text for text in told) == 3
    assert sum("no SUV, values in Bq/ml: the header lacks the patient's weight" in text for text in told) == 1
