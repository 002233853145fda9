"""The Medical Segmentation Decathlon: ``dataset.json`` lists images and labels; channels are a fourth axis."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from hounsfield.core.cohort import Cohort, Ref, Roles, SetAside
from hounsfield.core.errors import CohortError, HounsfieldError
from hounsfield.data.files import Files, clean_path, list_files, reader_by_ending, stem
from hounsfield.data.layouts.cases import Case, Found, answers_beside, cohort_of_cases, input_names
from hounsfield.data.layouts.described import MASK, channels_of, described, mask_target, modality_of_channel


class MsdLayout:
    """A list of pairs of image and label."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .96 where ``dataset.json`` lists pairs whose files exist as they are named."""
        if not root.is_dir():
            return 0.0
        try:
            pairs = _pairs(described(root))
        except HounsfieldError:
            return 0.0
        return 0.96 if any((root / image).is_file() for image, _ in pairs[:20]) else 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort; each channel is an input, masks are targets, answers come from a table that names cases.

        Raises
        ------
        CohortError
            If it cannot be understood.
        """
        files = list_files(root)
        return cohort_of_cases(_found(files, described(root)), files, roles, told=answers_beside(files, roles))


def _pairs(content: Mapping[str, object]) -> list[tuple[str, str | None]]:
    """Return the image and the label of each listed case, as paths relative to the folder."""
    listed = content.get("training")
    found: list[tuple[str, str | None]] = []
    for item in listed if isinstance(listed, list) else []:
        image, label = (item.get("image"), item.get("label")) if isinstance(item, dict) else (item, None)
        if isinstance(image, str):
            found.append((clean_path(image), clean_path(label) if isinstance(label, str) else None))
    return found


def _found(files: Files, content: Mapping[str, object]) -> Found:
    there = set(files.images)
    told = channels_of(content)
    several = len(told) > 1 and str(content.get("tensorImageSize", "4D")).upper() != "3D"
    names = input_names(told) if several else ["image"]
    cases, aside = [], []
    pairs = _pairs(content)
    for image, label in pairs:
        name = stem(PurePosixPath(image).name)
        if image not in there or (label is not None and label not in there):
            aside.append(
                SetAside(sample=name, reason="image file missing" if image not in there else "mask file missing")
            )
            continue
        reader = reader_by_ending(image)
        whole = Ref(reader, image)
        parts = {n: Ref(reader, image, (("axis4", "channels"), ("channel", i))) for i, n in enumerate(names)}
        masks = {MASK: Ref(reader_by_ending(label), label)} if label is not None else {}
        cases.append(Case(id=name, inputs=parts if several else {"image": whole}, masks=masks))
    if not cases:
        raise CohortError(
            f"None of the {len(pairs)} images that dataset.json lists exists.",
            expected="imagesTr and labelsTr beside it",
            next_step="copy them there",
        )
    tests = content.get("test")
    notes = [f"{len(tests)} test images have no answer and are left out."] if isinstance(tests, list) and tests else []
    return Found(
        layout="msd",
        cases=tuple(cases),
        masks=(mask_target(content),) if any(c.masks for c in cases) else (),
        modalities={n: modality_of_channel(t) for n, t in zip(names, told, strict=False)},
        notes=tuple(notes),
        aside=tuple(aside),
    )
