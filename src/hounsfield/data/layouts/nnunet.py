"""The raw data sets of nnU-Net: ``imagesTr/CASE_0000.nii.gz``, one file per channel, and ``labelsTr/CASE.nii.gz``."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hounsfield.core.cohort import Cohort, Part, Ref, Roles
from hounsfield.core.errors import CohortError
from hounsfield.data.files import IMAGE_ENDINGS, Files, ending, list_files, reader_by_ending, stem
from hounsfield.data.layouts.cases import Case, Found, Told, answers_beside, cohort_of_cases, input_names
from hounsfield.data.layouts.described import MASK, channels_of, described, mask_target, modality_of_channel

_CHANNEL = re.compile(r"^(.+)_(\d{4})$")
_FOLDERS: tuple[tuple[str, str, Part], ...] = (("imagesTr", "labelsTr", "train"), ("imagesTs", "labelsTs", "test"))


class NnunetLayout:
    """One folder of training images, one file per case and channel; masks beside it."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .97 where training images end in a channel's number and are described, .7 where only the first."""
        try:
            folder = root / "imagesTr"
            if not folder.is_dir():
                return 0.0
            names = [p.name for p in folder.iterdir() if ending(p.name) in IMAGE_ENDINGS and p.name[0] != "."]
        except OSError:
            return 0.0
        if not names or not all(_CHANNEL.match(stem(n)) for n in names):
            return 0.0
        return 0.97 if (root / "dataset.json").is_file() else 0.7

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort; each channel is an input, masks are targets, answers come from a table that names cases.

        Raises
        ------
        CohortError
            If it cannot be understood.
        """
        files = list_files(root)
        told = answers_beside(files, roles)
        return cohort_of_cases(_with_answers(_found(files, described(root)), told), files, roles, told=told)


def _found(files: Files, content: Mapping[str, object]) -> Found:
    channels: dict[tuple[Part, str], dict[int, str]] = {}
    masks: dict[tuple[Part, str], str] = {}
    for path in files.images:
        folder, _, name = path.rpartition("/")
        for images, labels, part in _FOLDERS:
            match = _CHANNEL.match(stem(name))
            if folder == images and match:
                channels.setdefault((part, match[1]), {})[int(match[2])] = path
            elif folder == labels:
                masks[part, stem(name)] = path
    if not channels:
        raise CohortError(
            "imagesTr holds no images whose names end in the number of a channel.",
            expected="names such as case_0000.nii.gz",
            next_step="check the folder",
        )
    count = 1 + max(number for numbers in channels.values() for number in numbers)
    told = channels_of(content)
    names = input_names(
        [told[i] if i < len(told) else f"channel {i}" for i in range(count)] if count > 1 else ["image"]
    )
    raw = dict(zip(names, told, strict=False))
    cases = []
    for (part, case), numbers in channels.items():
        mask = masks.get((part, case))
        cases.append(
            Case(
                id=case,
                inputs={names[n]: Ref(reader_by_ending(p), p) for n, p in sorted(numbers.items())},
                masks={MASK: Ref(reader_by_ending(mask), mask)} if mask is not None else {},
                part=part if any(p == "test" for p, _ in channels) else None,
            )
        )
    target = mask_target(content)
    return Found(
        layout="nnunet",
        cases=tuple(cases),
        masks=(target,) if masks else (),
        modalities={name: modality_of_channel(told_name) for name, told_name in raw.items()},
    )


def _with_answers(found: Found, told: Told) -> Found:
    """Leave out test cases without a mask where no table can answer for them."""
    silent = told.named is None and not told.tables
    gone = [c for c in found.cases if c.part == "test" and not c.masks] if silent else []
    if not gone:
        return found
    kept = tuple(c for c in found.cases if c not in gone)
    only = not any(c.part == "test" for c in kept)
    return replace(
        found,
        cases=tuple(replace(c, part=None) for c in kept) if only else kept,
        notes=(*found.notes, f"{len(gone)} test cases have no answer and are left out."),
    )
