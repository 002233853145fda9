"""What is measured of one signal, whatever its leads are: the figures of a row, each with its unit in its name."""

import re
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.errors import HounsfieldError, InputError
from hounsfield.core.signal import Signal
from hounsfield.core.types import IntArray
from hounsfield.core.units import is_voltage
from hounsfield.science.physiology.beats import r_peaks
from hounsfield.science.physiology.intervals import intervals
from hounsfield.science.physiology.leads import standard_lead
from hounsfield.science.physiology.pressure import pressure_beats
from hounsfield.science.physiology.quality import lead_quality
from hounsfield.science.physiology.variability import variability

_PRESSURE_WORDS = ("abp", "art", "pressure", "bp", "ibp", "pap", "aobp")
_HEART_WORDS = ("ecg", "ekg", "electrocardiogram", "mcl")
_OTHER_WORDS = (
    "eeg", "eog", "emg", "ecog", "erg", "pleth", "plethysmogram", "ppg", "spo2", "resp", "respiration", "imp", "co2",
    "etco2", "capno", "capnogram", "capnography", "icp", "flow", "airway", "paw", "nasal",
)  # fmt: skip
"""What is no electrocardiogram though it be in volts, and no blood pressure though it be in mmHg."""
_SCALP = re.compile(r"fp[12z]|[fcpo]z|o[12]|t[3-8]|p[3478]|f[3478]")
"""Places of the 10-20 system that no lead of an electrocardiogram is called by."""
_CENTRAL = re.compile(r"c[1-6]")
"""Places of it that chest leads are called by too."""


@dataclass(frozen=True)
class Measured:
    """What was measured of a signal.

    Parameters
    ----------
    values : dict of str to float
        Name with its unit to figure: ``"heart_rate_bpm"``, ``"sdnn_ms"``, ``"abp_systolic_mmhg"``; NaN where
        it is not defined.
    missing : dict of str to str
        Group of figures to the reason why it is not there.
    """

    values: dict[str, float]
    missing: dict[str, str] = field(default_factory=dict)


def measure_signal(signal: Signal) -> Measured:
    """Return heart rate, variability, intervals, pressures and quality of a signal.

    Parameters
    ----------
    signal : Signal
        Leads of an electrocardiogram are known by name, or by a unit of volts where the name says nothing else (EEG,
        PLETH, ...), pressures by their unit mmHg, carbon dioxide and the like left out. Figures that need a rate or a
        unit are left out, with the reason, where it is not told.

    Returns
    -------
    Measured

    Notes
    -----
    Which beats are of sinus origin is not known here, so that variability is that of all beats whose intervals are
    near their neighbours'; many ectopic beats make it wrong. Pressures are medians over beats.
    """
    values: dict[str, float] = {}
    missing: dict[str, str] = {}
    if signal.rate_hz is None:
        return Measured({}, {"all": "the signal has no rate"})
    for quality in lead_quality(signal):
        values[f"{_word(quality.lead)}_quality"] = quality.index
    heart = [
        i
        for i, (name, unit) in enumerate(zip(signal.leads, signal.units, strict=True))
        if _electric(name, unit, signal.leads)
    ]
    if heart:
        _heart(signal, heart, values, missing)
    else:
        missing["heart rate"] = "no lead is known as an electrocardiogram, by name or by a unit of volts"
    named = zip(signal.leads, signal.units, strict=True)
    pressures = [i for i, (name, unit) in enumerate(named) if unit.casefold() == "mmhg" and not _other(name)]
    for row in pressures:
        _pressure(signal, row, values, missing)
    if not pressures:
        unknown = [n for n in signal.leads if any(w in _word(n).split("_") for w in _PRESSURE_WORDS)]
        missing["pressure"] = "its unit is not told (mmHg)" if unknown else "no lead has the unit mmHg"
    return Measured(values, missing)


def _electric(name: str, unit: str, leads: tuple[str, ...]) -> bool:
    words = _words(name)
    if any(word.startswith(_HEART_WORDS) for word in words):
        return True
    among_scalp = bool(words and _CENTRAL.fullmatch(words[0])) and any(_other(n) for n in leads)
    if _other(name) or among_scalp:
        return False
    return standard_lead(name, beside=leads) is not None or is_voltage(unit)


def _other(name: str) -> bool:
    """Return whether a lead's name says that it is neither an electrocardiogram nor a blood pressure."""
    words = _words(name)
    return any(word in _OTHER_WORDS for word in words) or bool(words and _SCALP.fullmatch(words[0]))


def _words(name: str) -> list[str]:
    return re.sub(r"[^a-z0-9]+", " ", name.casefold()).split()


def _heart(signal: Signal, rows: list[int], values: dict[str, float], missing: dict[str, str]) -> None:
    rate = signal.rate_hz or float("nan")
    try:
        peaks: IntArray = r_peaks(signal.array[rows], rate)
        found = variability(peaks / rate)
    except InputError as error:
        missing["heart rate"] = error.found
        return
    values.update(
        beats=float(len(peaks)),
        heart_rate_bpm=found.mean_rate_bpm,
        sdnn_ms=found.sdnn_ms,
        rmssd_ms=found.rmssd_ms,
        pnn50=found.pnn50,
        lf_ms2=found.lf_ms2,
        hf_ms2=found.hf_ms2,
        lf_hf=found.lf_hf,
    )
    try:
        best = max(rows, key=lambda r: values[f"{_word(signal.leads[r])}_quality"])
        spans = intervals(signal.array[best], peaks, rate)
    except HounsfieldError as error:
        missing["intervals"] = error.found
        return
    values.update(
        qrs_ms=spans.qrs_ms,
        qt_ms=spans.qt_ms,
        qtc_bazett_ms=spans.qtc_bazett_ms,
        qtc_fridericia_ms=spans.qtc_fridericia_ms,
    )


def _pressure(signal: Signal, row: int, values: dict[str, float], missing: dict[str, str]) -> None:
    name = _word(signal.leads[row])
    try:
        beats = pressure_beats(signal.array[row], signal.rate_hz or float("nan"))
    except InputError as error:
        missing[name] = error.found
        return
    if not len(beats.peak):
        missing[name] = "no beat of at least 5 mmHg was found"
        return
    whole = beats.mean[np.isfinite(beats.mean)]
    values.update(
        {
            f"{name}_beats": float(len(beats.peak)),
            f"{name}_systolic_mmhg": float(np.median(beats.systolic)),
            f"{name}_diastolic_mmhg": float(np.median(beats.diastolic)),
            f"{name}_mean_mmhg": float(np.median(whole)) if len(whole) else float("nan"),
            f"{name}_pulse_mmhg": float(np.median(beats.pulse)),
        }
    )


def _word(name: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in name.casefold()).split()) or "lead"
