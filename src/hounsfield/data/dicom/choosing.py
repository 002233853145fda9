"""Which series of a study is used: by rule, with the reason as text, and overridden by a query."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hounsfield.data.dicom.apart import DERIVED, is_computed, is_derived, reason_no_picture, studies_with_originals
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.groups import Series, Study
from hounsfield.data.dicom.query import Query

_LATERAL = frozenset(("LL", "RL", "LATERAL", "LAT", "ML", "MLO"))
_SOFT = re.compile(
    r"^(STANDARD|SOFT|STND|SMOOTH|FC0?[0-9]\b|FC1[0-9]\b|[BIUT][a-z]?[123]\d|[BIUT][a-z]?4[0-5]|A|B|UA|UB)", re.I
)
_SHARP = re.compile(
    r"^(LUNG|BONE|EDGE|DETAIL|ULTRA|SHARP|FC[3-8]\d|[BIUT][a-z]?[5-9]\d|[BIUT][a-z]?4[6-9]|[DEL]\b|Y)", re.I
)
_ALIKE = 0.9
"""Series with this share of the most images count as equally complete."""


@dataclass(frozen=True)
class Choice:
    """What is used of one study.

    Parameters
    ----------
    study : Study
    chosen : Series or None
        None where nothing in it can be used.
    reason : str
        Why that one, or why none.
    apart : tuple of (Series, str)
        The others, each with the reason.
    """

    study: Study = field(repr=False)
    chosen: Series | None = field(repr=False)
    reason: str
    apart: tuple[tuple[Series, str], ...] = field(default=(), repr=False)


def choose(
    studies: Sequence[Study], query: Query | None = None, *, drawn: frozenset[str] = frozenset()
) -> tuple[Choice, ...]:
    """Choose one series of each study.

    Parameters
    ----------
    studies : sequence of Study
        All that are used together: the modality that most of them have is preferred.
    query : Query, optional
        What the user asked for; only series with an image that it matches are used, those set apart by rule among
        them.
    drawn : frozenset of str
        UIDs of series with masks, where masks are what is asked: they come first.

    Notes
    -----
    Reformatted and other computed slices are used only where the study has nothing else of that modality. Rules, the
    first that tells two series apart decides: masks, where they are asked for; the modality that most studies have;
    original before derived; frontal before lateral views; axial before other orientations; as complete as the most
    complete (at least 90% of its images); soft before sharp kernels; thinner slices; more images; series number; UID.
    """
    judged = []
    for study in studies:
        originals = studies_with_originals(e for s in study.series for e in s.entries)
        judged.append((study, [(s, _reason(s, query, originals)) for s in study.series]))
    usual = _usual_modality(judged)
    rules = _Rules(usual, drawn)
    return tuple(_choice(study, found, rules, query) for study, found in judged)


@dataclass(frozen=True)
class _Rules:
    """What is the same for all studies: the modality that most of them have, and series with masks."""

    usual: str
    drawn: frozenset[str]


def plane(entry: Entry) -> str:
    """Return ``axial``, ``coronal``, ``sagittal``, or ``""`` where the header does not tell."""
    if entry.orientation_lps is None:
        return ""
    a, b, c, d, e, f = entry.orientation_lps
    normal = [abs(b * f - c * e), abs(c * d - a * f), abs(a * e - b * d)]
    return ("sagittal", "coronal", "axial")[normal.index(max(normal))] if max(normal) > 0 else ""


def softness(kernel: str) -> str:
    """Return ``soft``, ``sharp``, or ``""`` where a convolution kernel's name does not tell."""
    name = kernel.split("\\", maxsplit=1)[0].strip()
    return "sharp" if _SHARP.match(name) else "soft" if _SOFT.match(name) else ""


def _reason(series: Series, query: Query | None, originals: set[tuple[str, str]]) -> str:
    """Return in a few words why a series is no picture to be judged, or not meant; empty where it may be used."""
    entry = series.first
    if query is not None:
        if not any(query.matches(e) for e in series.entries):
            return "not meant by --series"
        return "" if any(e.frames > 0 for e in series.entries) else "no pixels"
    told = reason_no_picture(entry)
    if told:
        return told
    if not any(e.frames > 0 and e.rows > 0 and e.columns > 0 for e in series.entries):
        return "no pixels"
    return DERIVED if is_computed(entry) and (entry.study_uid, entry.modality) in originals else ""


def _usual_modality(judged: Iterable[tuple[Study, list[tuple[Series, str]]]]) -> str:
    seen = Counter(m for _, found in judged for m in {s.first.modality for s, reason in found if not reason})
    return max(sorted(seen), key=lambda m: seen[m], default="")


def _choice(study: Study, found: list[tuple[Series, str]], rules: _Rules, query: Query | None) -> Choice:
    able = [s for s, reason in found if not reason]
    if not able:
        reasons = Counter(reason for _, reason in found)
        told = ", ".join(f"{n} x {r}" if n > 1 else r for r, n in reasons.most_common())
        return Choice(study, None, told or "no series", tuple(found))
    most = max((s.images for s in able if s.first.modality == rules.usual), default=0) or max(s.images for s in able)
    ranked = sorted(able, key=lambda s: (*(v for v, _ in _criteria(s, rules, most)), s.uid))
    best = ranked[0]
    apart = [(s, r or _worse(s, best, rules, most)) for s, r in found if s is not best]
    how = "asked for by --series; " if query is not None else "the only one; " if len(able) == 1 else "the best; "
    return Choice(study, best, how + described(best), tuple(apart))


def described(series: Series) -> str:
    """Return modality, plane, number of images, thickness and kernel in a few words."""
    entry = series.first
    words = [entry.modality or "no modality", plane(entry), f"{series.images} image{'s' * (series.images != 1)}"]
    if entry.thickness_mm is not None:
        words.append(f"{entry.thickness_mm:g} mm")
    if entry.kernel:
        words.append(f"{softness(entry.kernel)} kernel {entry.kernel}".strip())
    return ", ".join(w for w in words if w)


def _criteria(series: Series, rules: _Rules, most: int) -> tuple[tuple[float, str], ...]:
    """Return the rules in order: a number, lower is better, and what a higher one means."""
    entry = series.first
    return (
        (float(series.uid not in rules.drawn), "masks were drawn on another series"),
        (float(entry.modality != rules.usual), f"{entry.modality or 'no modality'}, most studies have {rules.usual}"),
        (float(is_derived(entry)), DERIVED),
        (float(entry.view.upper() in _LATERAL), f"{entry.view} view"),
        (float(plane(entry) != "axial"), f"{plane(entry) or 'unknown'} orientation"),
        (float(series.images < _ALIKE * most), f"fewer images ({series.images})"),
        ({"soft": 0.0, "": 0.5, "sharp": 1.0}[softness(entry.kernel)], f"kernel {entry.kernel} is not as soft"),
        (entry.thickness_mm or 1e6, "thicker slices"),
        (-float(series.images), f"fewer images ({series.images})"),
        (float(entry.series_number if entry.series_number is not None else 1e9), "a later series number"),
    )


def _worse(series: Series, best: Series, rules: _Rules, most: int) -> str:
    pairs = zip(_criteria(series, rules, most), _criteria(best, rules, most), strict=True)
    return next((why for (mine, why), (its, _) in pairs if mine > its), "alike; the first by UID is used")
