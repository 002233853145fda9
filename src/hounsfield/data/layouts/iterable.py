"""Samples handed over in Python: `Sample` values, or mappings with an image and answers."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, InputSpec, Part, Reading, Ref, Roles, Sample, Schema, SetAside, TargetSpec
from hounsfield.core.errors import CohortError, unknown_name
from hounsfield.core.types import AnyArray, Attribute, TargetValue
from hounsfield.data.answers import Answers, make_answers
from hounsfield.data.files import reader_by_ending
from hounsfield.data.layouts.declared import chosen_targets
from hounsfield.data.npz import as_channels_first
from hounsfield.data.rows import unique_ids
from hounsfield.data.signal.readers import SIGNAL_READERS
from hounsfield.data.words import is_attribute, part_of, target_strength

_PARTS: dict[str, Part] = {"train": "train", "val": "val", "test": "test"}
_RESERVED = ("image", "id", "patient", "part", "split", "time_days")


def from_iterable(items: Iterable[Sample | Mapping[str, object]], roles: Roles | None = None) -> Cohort:
    """Return the cohort of samples in memory.

    Parameters
    ----------
    items : iterable of Sample or of mapping
        A mapping holds ``image`` (array ``y x``, ``y x c``, ``c y x``, ``z y x`` or a path) and the answers under
        their names; ``patient``, ``part`` (or ``split``), ``id`` and ``time_days`` where known. Further values are
        answers where `roles` names them or their name tells so, else attributes. Samples must refer to files by
        absolute path: nothing else says where they lie.
    roles : Roles, optional
        ``target`` names the answers, ``image``, ``group`` and ``split`` other keys, ``positive`` the class.

    Raises
    ------
    CohortError
        If there is nothing, an image is missing, or no value is an answer.
    """
    roles = roles or Roles()
    listed = list(items)
    if not listed:
        raise CohortError("No samples were handed over.", expected="at least one", next_step="check the iterable")
    samples = [i for i in listed if isinstance(i, Sample)]
    if len(samples) == len(listed):
        return chosen_targets(_of_samples(samples), roles)
    rows = [i for i in listed if isinstance(i, Mapping)]
    if len(rows) != len(listed):
        raise CohortError(
            "The samples are of several types.",
            expected="Sample values, or mappings with 'image' and answers",
            next_step="hand over one type",
        )
    return _of_mappings(rows, roles)


def _of_samples(samples: list[Sample]) -> Cohort:
    if len({s.id for s in samples}) < len(samples):
        raise CohortError("Two samples have the same id.", expected="unique ids", next_step="give each its own id")
    specs = []
    for name in dict.fromkeys(n for s in samples for n in s.targets):
        values = [s.targets.get(name) for s in samples]
        specs.append(_spec(name, values))
    for name in dict.fromkeys(n for s in samples for n in s.masks):
        specs.append(TargetSpec(name=name, kind="mask"))
    if not specs:
        raise CohortError("The samples have no answers.", expected="targets", next_step="fill `targets`")
    schema = Schema(
        targets=tuple(specs),
        inputs=tuple(_input(n, samples) for n in dict.fromkeys(n for s in samples for n in s.inputs)),
        layout="iterable",
        official_parts=_official(samples),
        patients_known=any(s.patient != s.id for s in samples),
    )
    return Cohort(name="samples", root="/", samples=tuple(samples), schema=schema)


def _input(name: str, samples: list[Sample]) -> InputSpec:
    """Return what an input is, by the readers of its refs."""
    readers = {r.ref.reader for s in samples for r in s.inputs.get(name, ())}
    if readers & set(SIGNAL_READERS.names()):
        return InputSpec(name=name, kind="signal", ndim=1)
    return InputSpec(name=name)


def _spec(name: str, values: list[TargetValue]) -> TargetSpec:
    if any(isinstance(v, tuple) for v in values):
        classes = sorted({a for v in values if isinstance(v, tuple) for a in v})
        return TargetSpec(name=name, kind="multilabel", classes=tuple(classes))
    if all(v is None or isinstance(v, int | float) for v in values):
        return TargetSpec(name=name, kind="number")
    return make_answers(name, tuple(None if v is None else str(v) for v in values)).spec


def _of_mappings(rows: list[Mapping[str, object]], roles: Roles) -> Cohort:
    keys = list(dict.fromkeys(k for r in rows for k in r))
    image = _key(roles.image, "image", keys)
    group = _key(roles.group, "patient", keys) if roles.group or "patient" in keys else None
    parted = bool(roles.split) or "split" in keys or "part" in keys
    split = _key(roles.split, "split" if "split" in keys else "part", keys) if parted else None
    used = {image, group, split, "id", "time_days"}
    targets = _targets([k for k in keys if k not in used], roles)
    ids = unique_ids([f"sample_{i:05d}" if _absent(r.get("id")) else _text(r["id"]) for i, r in enumerate(rows)])
    parts = [_part(r.get(split)) if split else None for r in rows]
    known = [p != "test" for p in parts] if any(p != "test" for p in parts) else None
    answers = [
        _answers(t, [r.get(t) for r in rows], positive=roles.positive if n == 0 else None, known=known)
        for n, t in enumerate(targets)
    ]
    arrays: dict[str, AnyArray] = {}
    samples, aside = [], []
    for i, row in enumerate(rows):
        values = {a.spec.name: a.values[i] for a in answers}
        if all(v is None for v in values.values()):
            aside.append(SetAside(sample=ids[i], reason="no answer"))
            continue
        time = row.get("time_days", 0.0)
        days = float(time) if isinstance(time, int | float | np.number) and not _absent(time) else 0.0
        ref = _ref(row.get(image), ids[i], arrays)
        samples.append(
            Sample(
                id=ids[i],
                patient=_text(row[group]) if group and not _absent(row.get(group)) else ids[i],
                inputs={"image": (Reading(ref, days),)},
                targets=values,
                part=parts[i],
                attributes={k: _attribute(row.get(k)) for k in keys if k not in used and k not in targets},
                time_days=days,
            )
        )
    if not samples:
        raise CohortError("No sample has an answer.", expected="answers", next_step=f"fill {targets[0]!r}")
    ndim = 2
    if arrays:
        ndim = as_channels_first(next(iter(arrays.values()))).ndim - 1
    schema = Schema(
        targets=tuple(a.spec for a in answers),
        inputs=(InputSpec(name="image", ndim=ndim),),
        layout="iterable",
        official_parts=_official(samples),
        patients_known=group is not None,
        notes=tuple(n for a in answers for n in a.notes),
        unsure=tuple(n for a in answers for n in a.unsure),
    )
    return Cohort(
        name="samples", root="/", samples=tuple(samples), schema=schema, set_aside=tuple(aside), arrays=arrays
    )


def _key(asked: str | None, usual: str, keys: list[str]) -> str:
    name = asked or usual
    if name not in keys:
        raise unknown_name("key", name, keys)
    return name


def _targets(keys: list[str], roles: Roles) -> list[str]:
    for name in roles.target:
        if name not in keys:
            raise unknown_name("key", name, keys)
    if roles.target:
        return list(roles.target)
    able = [k for k in keys if k not in _RESERVED and not is_attribute(k)]
    strong = [k for k in able if target_strength(k) > 0]
    found = strong or able
    if not found:
        raise CohortError("The samples have no answers.", expected="a key such as 'label'", next_step="add it")
    best = max(target_strength(k) for k in found)
    chosen = [k for k in found if target_strength(k) == best]
    if len(chosen) > 1:
        raise CohortError(
            f"Several keys could be the answer: {', '.join(sorted(chosen))}.",
            expected="one answer, or a choice",
            next_step=f"choose with Roles(target=({sorted(chosen)[0]!r},))",
        )
    return chosen


def _answers(name: str, values: list[object], *, positive: str | None, known: list[bool] | None) -> Answers:
    if any(isinstance(v, list | tuple | set | frozenset) for v in values):
        rows = [tuple(str(a) for a in v) if isinstance(v, list | tuple | set | frozenset) else None for v in values]
        classes = tuple(sorted({a for r in rows if r is not None for a in r}))
        kept = tuple(None if r is None else tuple(c for c in classes if c in r) for r in rows)
        return Answers(TargetSpec(name=name, kind="multilabel", classes=classes), kept)
    texts = tuple(None if _absent(v) else _text(v) for v in values)
    return make_answers(name, texts, positive=positive, known=known)


def _absent(value: object) -> bool:
    return value is None or (isinstance(value, float | np.floating) and math.isnan(value))


def _text(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "1" if value else "0"
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)


def _part(value: object) -> Part | None:
    if _absent(value):
        return None
    part = part_of(str(value))
    if part is None:
        raise unknown_name("part", str(value), _PARTS)
    return _PARTS[part]


def _ref(image: object, ident: str, arrays: dict[str, AnyArray]) -> Ref:
    if isinstance(image, np.ndarray):
        arrays[ident] = image
        return Ref("memory", ident)
    if isinstance(image, str | Path):
        path = Path(image).resolve().as_posix().lstrip("/")
        return Ref(reader_by_ending(path), path)
    raise CohortError(
        "A sample has no image.",
        expected="an array or a path under 'image'",
        next_step="fill it, or name the key with Roles(image=...)",
    )


def _attribute(value: object) -> Attribute:
    if _absent(value):
        return None
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return float(value)
    return str(value)


def _official(samples: list[Sample]) -> tuple[str, ...]:
    return tuple(p for p in ("train", "val", "test") if any(s.part == p for s in samples))
