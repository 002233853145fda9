"""Standardised uptake values of PET, where the header allows them."""

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hounsfield.data.dicom import values

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_DATE = re.compile(r"\d{8}\Z")
_TIME = re.compile(r"(\d{2})(\d{2})?(\d{2})?(\.\d{1,6})?\Z")
_PHILIPS_SUV, _PHILIPS_ACTIVITY = 0x70531000, 0x70531009


def suv_factor(dataset: "Dataset") -> float | None:
    """Return what rescaled PET values are multiplied by to be SUV by body weight, in g/ml.

    Parameters
    ----------
    dataset : Dataset
        Header of a PET slice.

    Returns
    -------
    float or None
        1 for values that are g/ml already; weight over activity for Bq/ml; Philips' own factor for counts; None
        where anything that is needed is missing, not positive, or not corrected for decay and attenuation.

    Notes
    -----
    With DecayCorrection START values are as at the start of the series, so the dose is decayed from its injection
    until then; with ADMIN they are as at injection and it is not. SeriesTime is taken as that start unless it
    lies after the acquisition, which is what saving a series again does; the acquisition's time would be wrong for
    later bed positions, so nothing is returned then.

    References
    ----------
    DICOM PS3.3 C.8.9.1, C.8.9.2, C.8.9.4; QIBA FDG-PET profile, appendix on vendor-neutral SUV.
    """
    if values.text(dataset, "Modality") != "PT":
        return None
    units = values.text(dataset, "Units")
    if units == "GML":
        kind = values.text(dataset, "SUVType")
        return 1.0 if kind in ("", "BW") else None
    corrected = set(values.text(dataset, "CorrectedImage").split("\\"))
    if not {"ATTN", "DECY"} <= corrected:
        return None
    if units == "CNTS":
        return _philips(dataset)
    return _per_activity(dataset) if units == "BQML" else None


def _philips(dataset: "Dataset") -> float | None:
    if not values.tag_text(dataset, 0x70530010).startswith("Philips PET Private Group"):
        return None
    direct = values.tag_numbers(dataset, _PHILIPS_SUV)
    if direct and direct[0] > 0:
        return direct[0]
    activity = values.tag_numbers(dataset, _PHILIPS_ACTIVITY)
    factor = _per_activity(dataset)
    return activity[0] * factor if activity and activity[0] > 0 and factor is not None else None


def _per_activity(dataset: "Dataset") -> float | None:
    """Return grams per becquerel at the time to which the values are corrected."""
    drugs = values.items(dataset, "RadiopharmaceuticalInformationSequence")
    weight = values.number(dataset, "PatientWeight")
    if not drugs or weight is None or weight <= 0:
        return None
    drug = drugs[0]
    dose = values.number(drug, "RadionuclideTotalDose")
    half_life_s = values.number(drug, "RadionuclideHalfLife")
    if dose is None or dose <= 0 or half_life_s is None or half_life_s <= 0:
        return None
    correction = values.text(dataset, "DecayCorrection")
    if correction == "ADMIN":
        return weight * 1000.0 / dose
    if correction != "START":
        return None
    elapsed = _elapsed_s(dataset, drug)
    if elapsed is None:
        return None
    return weight * 1000.0 / (dose * float(2.0 ** (-elapsed / half_life_s)))


def _elapsed_s(dataset: "Dataset", drug: "Dataset") -> float | None:
    """Return seconds from injection to the start of the series; None where the times contradict each other."""
    start = _moment(values.text(dataset, "SeriesDate"), values.text(dataset, "SeriesTime"))
    acquired = _moment(
        values.text(dataset, "AcquisitionDate") or values.text(dataset, "SeriesDate"),
        values.text(dataset, "AcquisitionTime"),
    )
    if start is None or (acquired is not None and acquired < start):
        return None
    stated = values.text(drug, "RadiopharmaceuticalStartDateTime")
    injected = _moment(stated[:8], stated[8:])
    if injected is None:
        injected = _moment(values.text(dataset, "SeriesDate"), values.text(drug, "RadiopharmaceuticalStartTime"))
        if injected is not None and injected > start:
            injected -= timedelta(days=1)  # a time without a date: injected before midnight
    if injected is None:
        return None
    elapsed = (start - injected).total_seconds()
    return elapsed if 0 <= elapsed < 86400 else None


def _moment(date: str, time: str) -> datetime | None:
    written = re.split(r"[+\-]", time, maxsplit=1)[0].replace(":", "")
    parts = _TIME.match(written)
    if not _DATE.match(date) or parts is None:
        return None
    hour, minute, second = (int(one or 0) for one in parts.groups()[:3])
    micro = round(float(parts[4] or 0) * 1e6)
    try:
        return datetime(int(date[:4]), int(date[4:6]), int(date[6:]), hour, minute, min(second, 59), min(micro, 999999))
    except ValueError:
        return None
