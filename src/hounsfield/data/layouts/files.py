"""Images without answers: a folder, or a list of files and folders."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Roles, Sample, Schema
from hounsfield.core.errors import CohortError, ReadError
from hounsfield.data.files import IMAGE_ENDINGS, ending, list_files, looks_like_mask, reader_by_ending, stem
from hounsfield.data.layouts.medmnist import elements
from hounsfield.data.readers import reader_for
from hounsfield.data.rows import unique_ids
from hounsfield.data.volume.facts import READERS as VOLUMES
from hounsfield.data.volume.facts import headers_of


class FilesLayout:
    """Every image of a folder, in the order of their paths."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .1 where there is any image: only when no other layout knows better."""
        if root.is_file():
            return 0.1 if ending(root.name) in IMAGE_ENDINGS else 0.0
        return 0.1 if root.is_dir() and list_files(root).images else 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort without answers."""
        return cohort_of_files([root])


def cohort_of_files(sources: Sequence[Path]) -> Cohort:
    """Return the cohort, without answers, of files and folders.

    Raises
    ------
    CohortError
        If a path does not exist, or no file can be an image.
    """
    found: list[tuple[Path, str]] = []
    for source in sources:
        if source.is_dir():
            files = list_files(source)
            found += [(source, p) for p in files.images if not looks_like_mask(p)]
        elif source.is_file():
            found.append((source.parent, source.name))
        else:
            raise CohortError("A path does not exist.", expected="image files or folders", next_step="check the paths")
    if not found:
        raise CohortError(
            "No images were found.",
            expected="PNG, JPEG, WebP, TIFF, BMP, NIfTI, NRRD, MetaImage or npy files",
            next_step="check the folder",
        )
    root = _common_root([base for base, _ in found])
    paths = list(dict.fromkeys((base.resolve() / p).relative_to(root).as_posix() for base, p in found))
    stems = Counter(stem(p) for p in paths)
    named: list[tuple[str, Ref]] = []
    for path in paths:
        name = stem(path) if stems[stem(path)] == 1 else path
        inner = _inside_archive(root, path)
        named += [(k if len(paths) == 1 else f"{name}/{k}", ref) for k, ref in inner]
        if not inner:
            named.append((name, Ref(_reader(root, path), path)))
    ids = unique_ids([name for name, _ in named])
    samples = tuple(
        Sample(id=i, patient=i, inputs={"image": (Reading(ref),)}) for i, (_, ref) in zip(ids, named, strict=True)
    )
    first = next((ref for _, ref in named if ref.reader in VOLUMES), None)
    ndim = headers_of(root, [first]).ndim if first is not None else 2
    schema = Schema(inputs=(InputSpec(name="image", ndim=ndim),), layout="files")
    name = sources[0].resolve().name if len(sources) == 1 else root.name
    return Cohort(name=name, root=str(root), samples=samples, schema=schema, set_aside=())


def _inside_archive(root: Path, path: str) -> list[tuple[str, Ref]]:
    """Return the pictures of an archive of many; none for other files and for what cannot be read."""
    if ending(path) != ".npz":
        return []
    try:
        found = elements(root / path)
    except ReadError:
        return []
    return [(name, Ref(ref.reader, path, ref.part)) for name, ref in found]


def _reader(root: Path, path: str) -> str:
    """Return the reader by the ending, or by the content where the name has none that is known, as on a DICOM disk."""
    if ending(path) in IMAGE_ENDINGS:
        return reader_by_ending(path)
    try:
        return reader_for(root / path) or reader_by_ending(path)
    except ReadError:  # it will be set aside with this reason when it is read
        return reader_by_ending(path)


def _common_root(bases: Sequence[Path]) -> Path:
    return Path(os.path.commonpath([b.resolve() for b in bases]))
