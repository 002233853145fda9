"""``dataset.json``, as the Medical Segmentation Decathlon and nnU-Net describe a data set."""

import json
from collections.abc import Mapping
from pathlib import Path

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.data.words import modality_of

NAME = "dataset.json"
MASK = "mask"
_LARGEST = 64 << 20
_SEQUENCES = frozenset(
    {"t1", "t2", "t1w", "t2w", "t1ce", "t1gd", "t1c", "adc", "dwi", "dti", "swi", "pd", "flair", "bold", "dce"}
)


def described(root: Path) -> Mapping[str, object]:
    """Return the content of a folder's ``dataset.json``; empty where there is none.

    Raises
    ------
    CohortError
        If it cannot be read as a JSON object.
    """
    path = root / NAME
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged() from error
    if not isinstance(content, dict):
        raise _damaged()
    return content


def _damaged() -> CohortError:
    return CohortError(
        f"{NAME} cannot be read as JSON.", expected="an object of keys and values", next_step="correct or remove it"
    )


def channels_of(content: Mapping[str, object]) -> list[str]:
    """Return the names of the channels in the order of their numbers; empty where they are not described."""
    names = content.get("channel_names") or content.get("modality") or {}
    if isinstance(names, list):
        return [str(n) for n in names]
    if not isinstance(names, dict):
        return []
    numbered = {int(k): str(v) for k, v in names.items() if str(k).isdigit()}
    return [numbered[k] for k in sorted(numbered)]


def modality_of_channel(name: str) -> str:
    """Return the DICOM modality code that the name of a channel tells, or ``""``."""
    return "MR" if name.strip().casefold() in _SEQUENCES else modality_of(name)


def mask_target(content: Mapping[str, object]) -> TargetSpec:
    """Return the mask as a target; its classes are named where the labels count from 0."""
    labels = content.get("labels")
    named: dict[int, str] = {}
    if isinstance(labels, dict):
        for key, value in labels.items():
            # nnU-Net writes name to number, the Decathlon number to name
            number, name = (key, value) if isinstance(value, str) else (value, key)
            if isinstance(number, int | str) and str(number).isdigit():
                named[int(number)] = str(name)
    complete = bool(named) and isinstance(labels, dict) and sorted(named) == list(range(len(labels)))
    return TargetSpec(name=MASK, kind="mask", classes=tuple(named[i] for i in sorted(named)) if complete else ())
