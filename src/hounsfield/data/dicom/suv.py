"""Standardised uptake values of PET: the factor where the header allows them, else the reason."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import expm1, log
from typing import TYPE_CHECKING

from hounsfield.data.dicom import values

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_DATE = re.compile(r"\d{8}\Z")
_TIME = re.compile(r"(\d{2})(\d{2})?(\d{2})?(\.\d{1,6})?\Z")
_PHILIPS, _PHILIPS_SUV, _PHILIPS_ACTIVITY = "Philips PET Private Group", 0x70531000, 0x70531009
_GE, _GE_SCAN = "GEMS_PETD_01", 0x0D
_UNITS = {"BQML": "Bq/ml", "CNTS": "counts", "GML": "g/ml"}
_HEAVIEST_KG = 700.0
_LEAST_BQ = 1e5
"""Doses are of some MBq, of mice too; a smaller number is one in another unit."""
_HALF_LIVES = 10.0


@dataclass(frozen=True)
class Uptake:
    """What rescaled PET values are multiplied by to be SUV by body weight.

    Parameters
    ----------
    factor : float or None
        Grams per millilitre for one of the stored unit; None where the header does not allow it.
    reason : str
        How the factor comes about, or why there is none, in one clause.
    units : str
        Of the rescaled values: ``Bq/ml``, ``counts``, ``g/ml``, or ``a.u.`` where that is not told.
    """

    factor: float | None
    reason: str
    units: str = "a.u."

    @property
    def told(self) -> str:
        """What the values are that are read, in one clause."""
        if self.factor is None:
            return f"no SUV, values in {self.units}: {self.reason}"
        return f"values are SUV by body weight in g/ml: {self.reason}"


UNKNOWN = Uptake(None, "its headers cannot be read")


class _No(Exception):
    """Why there is no factor."""


def uptake(dataset: "Dataset", *, earliest: datetime | None = None) -> Uptake:
    """Return how values of a PET slice become SUV by body weight.

    Parameters
    ----------
    dataset : Dataset
        Header of the slice.
    earliest : datetime or None
        When the first slice of its series was acquired, where that is known.

    Notes
    -----
    With DecayCorrection START values are as at the start of the scan, so the dose is decayed from its injection until
    then; with ADMIN they are as at injection and it is not. The scan's start is the series' time unless that lies
    after an acquisition, which is what saving a series again does; then it is GE's own scan time, else the slice's
    acquisition time less the offset of its reference time within the scan.

    References
    ----------
    DICOM PS3.3 C.8.9.1, C.8.9.2, C.8.9.4; QIBA FDG-PET/CT profile, appendix "Vendor-neutral pseudo-codes for SUV".
    """
    stated = values.text(dataset, "Units")
    units = _UNITS.get(stated, "a.u.")
    try:
        factor, reason = _factor(dataset, stated, earliest)
    except _No as no:
        return Uptake(None, str(no), units)
    return Uptake(factor, reason, units)


def uptake_of_series(headers: "Iterable[Dataset]") -> Uptake:
    """Return how values of all slices of a series become SUV by body weight: by one factor or not at all.

    Parameters
    ----------
    headers : iterable of Dataset
        Of all slices; a bed position that was acquired earlier tells whether the series' time can be its start.
    """
    kept = list(headers)
    if not kept:
        return Uptake(None, "the series has no slices")
    acquired = [m for m in (_acquired(d) for d in kept) if m is not None]
    found = [uptake(d, earliest=min(acquired, default=None)) for d in kept]
    first = found[0]
    if any(u.units != first.units or (u.factor is None) != (first.factor is None) for u in found):
        return Uptake(None, "its slices do not agree on units or corrections")
    factors = [u.factor for u in found if u.factor is not None]
    if factors and max(factors) > 1.001 * min(factors):
        return Uptake(None, "its slices give different factors", first.units)
    return first


def _factor(dataset: "Dataset", units: str, earliest: datetime | None) -> tuple[float, str]:
    if values.text(dataset, "Modality") != "PT":
        raise _No("it is no PET")
    if units == "GML":
        kind = values.text(dataset, "SUVType") or "BW"
        if kind != "BW":
            raise _No(f"the values are SUV of another kind ({kind[:16]})")
        return 1.0, "they are stored so"
    corrected = set(values.text(dataset, "CorrectedImage").split("\\"))
    lacking = [name for code, name in (("ATTN", "attenuation"), ("DECY", "decay")) if code not in corrected]
    if lacking:
        raise _No(f"not corrected for {' and '.join(lacking)}")
    if units == "CNTS":
        return _philips(dataset, earliest)
    if units != "BQML":
        raise _No(f"the unit is {units[:16] or 'not stated'}")
    return _per_activity(dataset, earliest)


def _philips(dataset: "Dataset", earliest: datetime | None) -> tuple[float, str]:
    if not values.tag_text(dataset, 0x70530010).startswith(_PHILIPS):
        raise _No("the values are counts, and the private factor that turns them into SUV is missing")
    direct = values.tag_numbers(dataset, _PHILIPS_SUV)
    if direct and direct[0] > 0:
        return direct[0], "by the private factor of Philips"
    activity = values.tag_numbers(dataset, _PHILIPS_ACTIVITY)
    if not activity or activity[0] <= 0:
        raise _No("the values are counts, and the private factors of Philips are empty")
    factor, reason = _per_activity(dataset, earliest)
    return activity[0] * factor, f"by the private factor of Philips, {reason}"


def _per_activity(dataset: "Dataset", earliest: datetime | None) -> tuple[float, str]:
    """Return grams per becquerel at the time to which the values are corrected."""
    drug = next(iter(values.items(dataset, "RadiopharmaceuticalInformationSequence")), None)
    weight = values.number(dataset, "PatientWeight") or 0.0
    dose = (values.number(drug, "RadionuclideTotalDose") if drug is not None else None) or 0.0
    half_life_s = (values.number(drug, "RadionuclideHalfLife") if drug is not None else None) or 0.0
    told = (("the patient's weight", weight), ("the dose", dose), ("the half-life", half_life_s))
    missing = [name for name, value in told if value <= 0]
    if missing or drug is None:
        raise _No(f"the header lacks {', '.join(missing)}")
    if weight > _HEAVIEST_KG:
        raise _No("the patient's weight is not in kg")
    if dose < _LEAST_BQ:
        raise _No("the dose is not in Bq")
    correction = values.text(dataset, "DecayCorrection")
    if correction == "ADMIN":
        return weight * 1000.0 / dose, "by weight and dose, values as at injection"
    if correction != "START":
        raise _No(f"decay correction is {correction[:16] or 'not stated'}, START or ADMIN is needed")
    start, by = _scan_start(dataset, half_life_s, earliest)
    elapsed = _elapsed_s(dataset, drug, start, half_life_s)
    factor = weight * 1000.0 / (dose * float(2.0 ** (-elapsed / half_life_s)))
    return factor, f"by weight and dose, {elapsed / 60:.0f} min after injection{by}"


def _acquired(dataset: "Dataset") -> datetime | None:
    date = values.text(dataset, "AcquisitionDate") or values.text(dataset, "SeriesDate")
    return _moment(date, values.text(dataset, "AcquisitionTime"))


def _scan_start(dataset: "Dataset", half_life_s: float, earliest: datetime | None) -> tuple[datetime, str]:
    """Return to when the values are corrected for decay, and by what that is known where not by the series' time."""
    series = _moment(values.text(dataset, "SeriesDate"), values.text(dataset, "SeriesTime"))
    acquired = _acquired(dataset)
    first = min((m for m in (acquired, earliest) if m is not None), default=None)
    if series is not None and (first is None or series <= first):
        return series, ""
    for tag in range(0x00090010, 0x00090100):
        if tag in dataset and values.tag_text(dataset, tag) == _GE:
            scan = values.tag_text(dataset, 0x00090000 | (tag & 0xFF) << 8 | _GE_SCAN)
            moment = _moment(scan[:8], scan[8:])
            if moment is not None:
                return moment, ", by the scan time of GE"
    reference_ms = values.number(dataset, "FrameReferenceTime") or 0.0
    duration_s = (values.number(dataset, "ActualFrameDuration") or 0.0) / 1000.0
    if acquired is not None and reference_ms > 0 and duration_s > 0:
        back_s = reference_ms / 1000.0 - _average_s(duration_s, half_life_s)
        return acquired - timedelta(seconds=back_s), ", by the frames' reference time"
    raise _No("the series' time lies after its acquisition, and no other tells when the scan began")


def _average_s(duration_s: float, half_life_s: float) -> float:
    """Return when in a frame the rate is what its average is, in seconds from its start."""
    decay = log(2.0) * duration_s / half_life_s
    return log(decay / -expm1(-decay)) * half_life_s / log(2.0)


def _elapsed_s(dataset: "Dataset", drug: "Dataset", start: datetime, half_life_s: float) -> float:
    """Return seconds from injection to the start of the scan."""
    stated = values.text(drug, "RadiopharmaceuticalStartDateTime")
    injected = _moment(stated[:8], stated[8:])
    most = _HALF_LIVES * half_life_s
    if injected is None:
        most = 86400.0
        injected = _moment(start.strftime("%Y%m%d"), values.text(drug, "RadiopharmaceuticalStartTime"))
        if injected is not None and injected > start:
            injected -= timedelta(days=1)  # a time without a date: injected before midnight
    if injected is None:
        raise _No("the time of injection is not stated")
    elapsed = (start - injected).total_seconds()
    if not 0 <= elapsed < most:
        raise _No("the times of injection and scan contradict each other")
    return elapsed


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
