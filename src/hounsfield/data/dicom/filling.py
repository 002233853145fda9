"""From the raw values of a header to an entry: numbers, texts in their character set, what vendors keep apart."""

import math
from dataclasses import dataclass, field
from functools import lru_cache
from struct import unpack
from typing import Any

from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.elements import Counter
from hounsfield.data.dicom.entries import Entry

_CHARSET = 0x00080005
_TEXTS = {
    "accession": 0x00080050,
    "manufacturer": 0x00080070,
    "institution": 0x00080080,
    "station": 0x00081010,
    "study_description": 0x00081030,
    "series_description": 0x0008103E,
    "model": 0x00081090,
    "patient_id": 0x00100020,
    "issuer": 0x00100021,
    "protocol": 0x00181030,
    "kernel": 0x00181210,
}
_CODES = {
    "sop_class": 0x00080016,
    "sop_uid": 0x00080018,
    "study_date": 0x00080020,
    "modality": 0x00080060,
    "sex": 0x00100040,
    "body_part": 0x00180015,
    "view": 0x00185101,
    "study_uid": 0x0020000D,
    "series_uid": 0x0020000E,
    "frame_of_reference": 0x00200052,
    "photometric": 0x00280004,
}
_WHOLE = {
    "echo_number": 0x00180086,
    "series_number": 0x00200011,
    "acquisition_number": 0x00200012,
    "instance_number": 0x00200013,
    "temporal_position": 0x00200100,
}
_DECIMAL = {
    "thickness_mm": 0x00180050,
    "repetition_time_ms": 0x00180080,
    "echo_time_ms": 0x00180081,
    "between_mm": 0x00180088,
    "trigger_time_ms": 0x00181060,
    "tilt_deg": 0x00181120,
}
_IMAGE_TYPE, _BIRTH, _AGE = 0x00080008, 0x00100030, 0x00101010
_POSITION, _ORIENTATION = 0x00200032, 0x00200037
_SAMPLES, _FRAMES, _ROWS, _COLUMNS, _BITS = 0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280100
_SPACING, _IMAGER_SPACING = 0x00280030, 0x00181164
_B_VALUE, _EFFECTIVE_ECHO = 0x00189087, 0x00189082
GROUPS = frozenset((0x00540022, 0x52009229, 0x52009230))
"""Detector information, shared and per-frame functional groups."""
LEAVES = frozenset(
    (_POSITION, _ORIENTATION, _SPACING, _B_VALUE, _EFFECTIVE_ECHO, 0x00180050, 0x00180080, 0x00180088, 0x00181210)
)
"""What is taken from functional groups."""
WANTED = frozenset(
    (
        _CHARSET, _IMAGE_TYPE, _BIRTH, _AGE, _POSITION, _ORIENTATION, _SAMPLES, _FRAMES, _ROWS, _COLUMNS, _BITS,
        _SPACING, _IMAGER_SPACING, _B_VALUE, *_TEXTS.values(), *_CODES.values(), *_WHOLE.values(), *_DECIMAL.values(),
    )
)  # fmt: skip
DICOMDIR = "1.2.840.10008.1.3.10"
"""Media Storage Directory Storage."""
_MOST_TEXT = 1024


@dataclass(slots=True)
class Raw:
    """What was found in a header, as bytes.

    Parameters
    ----------
    values, groups, vendor : dict of int to bytes
        Tag to value: of the data set, of functional groups, of private blocks.
    syntax, media_class : str
        Of the meta group.
    little : bool
        Byte order of the data set.
    pixels : bool
        Whether pixel data was met.
    pixel_bytes : int or None
        Bytes of it, None where they are compressed.
    problems : list of str
    counter : Counter
    """

    values: dict[int, bytes] = field(default_factory=dict)
    groups: dict[int, bytes] = field(default_factory=dict)
    vendor: dict[int, bytes] = field(default_factory=dict)
    syntax: str = ""
    media_class: str = ""
    little: bool = True
    pixels: bool = False
    pixel_bytes: int | None = None
    problems: list[str] = field(default_factory=list)
    counter: Counter = field(default_factory=Counter)


def fill(raw: Raw, *, path: str, member: str, size: int) -> Entry:
    """Return the entry of a header.

    Raises
    ------
    ReadError
        If it does not say which object it is.
    """
    values = raw.values
    kept: dict[str, Any] = {name: _code(values.get(tag, b"")) for name, tag in _CODES.items()}
    kept["sop_class"] = kept["sop_class"] or raw.media_class
    told = any(kept[name] for name in ("series_uid", "study_uid", "sop_uid", "modality")) or raw.pixels
    if kept["sop_class"] != DICOMDIR and not told:
        ending = next(iter(raw.problems), "it has no study, series or instance UID")
        raise ReadError(f"It tells no study or series: {ending}.", expected="a complete DICOM file")
    kept |= _texts(raw)
    kept |= {name: _integer(values.get(tag, b"")) for name, tag in _WHOLE.items()}
    kept |= {name: _number(_either(raw, tag)) for name, tag in _DECIMAL.items()}
    kept |= _pixel_facts(raw)
    if kept["echo_time_ms"] is None:
        kept["echo_time_ms"] = _double(raw, _EFFECTIVE_ECHO)
    return Entry(
        path=path,
        member=member,
        size=size,
        transfer_syntax=raw.syntax,
        image_type=_codes(values.get(_IMAGE_TYPE, b"")),
        position_lps=_floats(_either(raw, _POSITION), 3),
        orientation_lps=_floats(_either(raw, _ORIENTATION), 6),
        spacing_mm=_floats(_either(raw, _SPACING), 2) or _floats(values.get(_IMAGER_SPACING, b""), 2),
        b_value=_b_value(raw),
        age_years=_age(raw),
        problem="; ".join(dict.fromkeys(raw.problems)),
        **kept,
    )


def _pixel_facts(raw: Raw) -> dict[str, int]:
    rows = _short(raw, _ROWS)
    frames = _frames(raw)
    there = raw.pixels or (raw.counter.left < 0 and rows > 0)  # behind very many elements they are believed
    columns, samples, bits = _short(raw, _COLUMNS), _short(raw, _SAMPLES) or 1, _short(raw, _BITS)
    halved = b"42" in raw.values.get(_CODES["photometric"], b"")  # YBR_FULL_422: colours of two pixels stand together
    claimed = rows * columns * samples * frames * bits // (16 if halved else 8)
    if raw.pixel_bytes is not None and claimed > raw.pixel_bytes:
        raw.problems.append("its header claims more pixels than it holds")
    return {"rows": rows, "columns": columns, "frames": frames if there else 0, "samples": samples, "bits": bits}


def _either(raw: Raw, tag: int) -> bytes:
    return raw.values.get(tag) or raw.groups.get(tag, b"")


@lru_cache(maxsize=2048)  # the same in every file of a series: kept once in memory, not once for each entry
def _code(value: bytes) -> str:
    return value[:_MOST_TEXT].strip(b"\0 \t\r\n").decode("ascii", "replace")


@lru_cache(maxsize=256)
def _codes(value: bytes) -> tuple[str, ...]:
    return tuple(_code(p) for p in value.split(b"\\")) if value else ()


def _texts(raw: Raw) -> dict[str, str]:
    found = {name: _either(raw, tag)[:_MOST_TEXT] for name, tag in _TEXTS.items()}
    plain = all(v.isascii() and b"\x1b" not in v for v in found.values())
    if plain:
        return {name: _code(v) for name, v in found.items()}
    return {name: _decoded(v, raw.values.get(_CHARSET, b"")) for name, v in found.items()}


def _decoded(value: bytes, charset: bytes) -> str:
    """Return a text in the character set that the header names; what cannot be decoded is replaced."""
    import warnings

    from pydicom.charset import convert_encodings, decode_bytes
    from pydicom.valuerep import TEXT_VR_DELIMS

    names = [n.strip(b"\0 ").decode("ascii", "replace") for n in charset.split(b"\\")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unknown character sets: the standard's default is used
        try:
            text = str(decode_bytes(value, convert_encodings(names or [""]), TEXT_VR_DELIMS))
        except (LookupError, ValueError):
            text = value.decode("latin-1")
    return text.strip("\0 \t\r\n")


def _short(raw: Raw, tag: int) -> int:
    value = raw.values.get(tag, b"")
    return int.from_bytes(value[:2], "little" if raw.little else "big") if len(value) >= 2 else 0


def _frames(raw: Raw) -> int:
    value = raw.values.get(_FRAMES, b"").strip(b"\0 ")
    if not value:
        return 1
    frames = _integer(value)
    if frames is None or frames < 0:
        raw.problems.append("its number of frames is no number")
        return 1
    return frames or 1


def _integer(value: bytes) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number.is_integer() and abs(number) < 2**53 else None


def _number(value: bytes) -> float | None:
    """Return the first number of a text of numbers, None where it is none."""
    text = value.split(b"\\", 1)[0].strip(b"\0 ")
    if not text or len(text) > 64:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


@lru_cache(maxsize=2048)
def _floats(value: bytes, count: int) -> Any:  # noqa: ANN401 - a tuple of that many numbers, which types cannot say
    """Return exactly so many finite numbers, or None."""
    if not value:
        return None
    try:
        numbers = tuple(float(p.strip(b"\0 ")) for p in value.split(b"\\"))
    except ValueError:
        return None
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else None


def _double(raw: Raw, tag: int) -> float | None:
    value = raw.values.get(tag) or raw.groups.get(tag, b"")
    if len(value) != 8:
        return None
    number = float(unpack("<d" if raw.little else ">d", value)[0])
    return number if math.isfinite(number) else None


def _b_value(raw: Raw) -> float | None:
    """Return the b-value of a diffusion image: the standard's element, else where vendors kept it before."""
    found = _double(raw, _B_VALUE)
    if found is not None or not raw.vendor:
        return found
    siemens = _private(raw, 0x0019, b"SIEMENS MR HEADER", 0x0C)
    if siemens:
        return _number(siemens)
    general_electric = _private(raw, 0x0043, b"GEMS_PARM_01", 0x39)
    if general_electric:
        number = _number(general_electric)
        return None if number is None else float(number % 100_000)  # stored with a large offset by some versions
    philips = _private(raw, 0x2001, b"Philips Imaging DD 001", 0x03)
    if len(philips) == 4:
        number = float(unpack("<f" if raw.little else ">f", philips)[0])
        return number if math.isfinite(number) else None
    return None


def _private(raw: Raw, group: int, creator: bytes, element: int) -> bytes:
    """Return an element of the private block that `creator` has reserved (PS3.5, 7.8.1)."""
    for tag, value in raw.vendor.items():
        number = tag & 0xFFFF
        if tag >> 16 == group and number <= 0xFF and value.strip(b"\0 ") == creator:
            return raw.vendor.get(group << 16 | number << 8 | element, b"")
    return b""


def _age(raw: Raw) -> float | None:
    text = _code(raw.values.get(_AGE, b""))
    if len(text) >= 2 and text[:-1].isdigit() and text[-1] in "DWMY":
        return int(text[:-1]) * {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}[text[-1]]
    born, seen = _days(_code(raw.values.get(_BIRTH, b""))), _days(_code(raw.values.get(0x00080020, b"")))
    if born is None or seen is None or not 0 <= seen - born < 130 * 366:
        return None
    return round((seen - born) / 365.25, 1)


def _days(date: str) -> int | None:
    from datetime import date as calendar

    if len(date) != 8 or not date.isdigit():
        return None
    try:
        return calendar(int(date[:4]), int(date[4:6]), int(date[6:])).toordinal()
    except ValueError:
        return None
