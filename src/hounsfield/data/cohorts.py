"""From whatever a user has to a cohort: the layout with the strongest claim understands it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

from hounsfield.core.cohort import Cohort, Roles, Sample
from hounsfield.core.errors import CohortError
from hounsfield.data.cohort_file import cohort_yaml, samples_csv
from hounsfield.data.files import IMAGE_ENDINGS, TABLE_ENDINGS, ending, list_files
from hounsfield.data.layouts import LAYOUTS
from hounsfield.data.marks import mark
from hounsfield.data.masks import with_matching_masks
from hounsfield.data.protocols import Layout
from hounsfield.data.table import tables_kept

__all__ = [
    "check_trainable",
    "cohort_yaml",
    "digest",
    "explore",
    "recordings",
    "samples_csv",
    "understand",
    "unlabelled",
]

WITHOUT_IMAGES = frozenset({"wfdb", "edf", "waveforms", "events", "ucr", "columns", "table"})
"""Layouts whose samples look at signals and rows."""

CERTAIN = 1.0
"""No claim is stronger: what a person declared. No other layout is then asked, which would read all tables anew."""
_FEW_TABLES = 20

Item = Sample | Mapping[str, object]


def understand(source: str | Path | Iterable[Item], roles: Roles | None = None) -> Cohort:
    """Find out what a data set is.

    Parameters
    ----------
    source : str, pathlib.Path or iterable
        A folder, a table, an ``.npz`` archive, a ``cohort.yaml``, or samples in memory: `Sample` values, or
        mappings with ``image`` (array or path), the answers, and where known ``patient``, ``part`` and ``id``.
    roles : Roles, optional
        What the user said of it; always wins over what is inferred.

    Returns
    -------
    Cohort
        With answers; ``schema.notes`` and ``schema.unsure`` say what was understood.

    Raises
    ------
    CohortError
        If it cannot be understood or has no answers; the message lists what was found.
    """
    cohort = _understood(source, roles or Roles())
    if not cohort.schema.targets and isinstance(source, str | Path):
        raise _no_answers(Path(source), cohort)
    return cohort


def explore(source: str | Path | Iterable[Item], roles: Roles | None = None) -> Cohort:
    """Find out what a data set is, also without answers where there is more to show than samples.

    Parameters
    ----------
    source, roles
        As for `understand`.

    Raises
    ------
    CohortError
        As `understand`, but not where a layout lists what it found, as on a disk without a table of answers.
    """
    cohort = _understood(source, roles or Roles())
    if not cohort.schema.targets and not cohort.listings and isinstance(source, str | Path):
        raise _no_answers(Path(source), cohort)
    return cohort


def recordings(source: str | Path | Iterable[Item], roles: Roles | None = None) -> Cohort:
    """Find out what a data set is where the answers lie in what was recorded, so that it needs no others.

    Parameters
    ----------
    source, roles
        As for `understand`.

    Raises
    ------
    CohortError
        If it cannot be understood.
    """
    return _understood(source, roles or Roles())


def _understood(source: str | Path | Iterable[Item], roles: Roles) -> Cohort:
    if not isinstance(source, str | Path):
        from hounsfield.data.layouts.iterable import from_iterable

        return from_iterable(source, roles)
    root = Path(source)
    if not root.exists():
        raise CohortError(
            f"There is no file or folder named {root.name!r}.",
            expected="a folder of images and answers, a table, or an .npz archive",
            next_step="check the path",
        )
    with tables_kept():
        return _of_strongest(root, roles)


def _of_strongest(root: Path, roles: Roles) -> Cohort:
    strength, best = 0.0, ""
    for name in LAYOUTS:
        claim = _layout(name).claims(root, roles)
        strength, best = max((strength, best), (claim, name), key=lambda found: found[0])
        if strength >= CERTAIN:
            break
    if strength <= 0:
        raise _nothing(root)
    if best in WITHOUT_IMAGES:
        return _layout(best).cohort(root, roles)
    if best in ("dicom", "declared"):
        return with_matching_masks(_layout(best).cohort(root, roles))
    from hounsfield.data.layouts.dicom_disk import PHASES
    from hounsfield.data.layouts.phases import with_chosen_moments, with_moments_as_inputs

    if roles.image == PHASES:
        return with_matching_masks(with_moments_as_inputs(_layout(best).cohort(root, replace(roles, image=None))))
    return with_matching_masks(with_chosen_moments(_layout(best).cohort(root, roles)))


def unlabelled(paths: Sequence[str | Path], roles: Roles | None = None) -> Cohort:
    """Return a cohort without answers for prediction.

    Parameters
    ----------
    paths : sequence of str or pathlib.Path
        Image files and folders; a folder's images are taken in the order of their paths. Of one DICOM disk each study
        is a sample.
    roles : Roles, optional
        What the user said, such as which series are meant.

    Raises
    ------
    CohortError
        If a path does not exist or there is no image.
    """
    from hounsfield.data.layouts.dicom import disk_without_answers
    from hounsfield.data.layouts.files import cohort_of_files
    from hounsfield.data.layouts.phases import with_chosen_moments

    if len(paths) == 1 and (disk := disk_without_answers(Path(paths[0]), roles or Roles())) is not None:
        return disk
    return with_chosen_moments(cohort_of_files([Path(p) for p in paths]))


def check_trainable(cohort: Cohort) -> None:
    """Refuse a cohort whose primary answer has one class only.

    Raises
    ------
    CohortError
        If there is nothing to tell apart.
    """
    target = cohort.schema.targets[0] if cohort.schema.targets else None
    if target is None:
        raise CohortError("There are no answers.", expected="labels", next_step="name the column with --target")
    if target.kind in ("categorical", "ordinal"):
        present = {s.targets.get(target.name) for s in cohort.samples} - {None}
        if len(present) < 2:
            raise CohortError(
                f"All {len(cohort)} samples have the same answer to {target.name!r}.",
                expected="at least two classes",
                next_step="add samples of another class, or name another column with --target",
            )


def digest(cohort: Cohort, *, without_test_answers: bool = True) -> str:
    """Return a SHA-256 that changes when the cohort does.

    Parameters
    ----------
    cohort : Cohort
        What to sum up.
    without_test_answers : bool
        Whether the answers of an official test part are left out, as for everything that training may see.

    Returns
    -------
    str
        64 hexadecimal digits over sample ids, patients, parts, refs, what they hold, and answers.

    Notes
    -----
    Arrays in memory count byte by byte, files by size and their first and last 64 KiB: every file of a DICOM series,
    and both of a header and its voxels. ``.npz`` archives count by the checksums of their members other than labels,
    tables of answers by the answers that were read from them.
    """
    marks: dict[str, str] = {}
    total = hashlib.sha256()
    for spec in cohort.schema.targets:
        total.update(json.dumps([spec.name, spec.kind, spec.classes, spec.positive]).encode())
    for sample in cohort.samples:
        refs = [r.ref for name in sorted(sample.inputs) for r in sample.inputs[name]]
        hidden = without_test_answers and sample.part == "test"
        line = [
            sample.id,
            sample.patient,
            sample.part,
            sample.time_days,
            [[r.key(), mark(cohort, r, marks)] for r in refs],
            None if hidden else sorted(sample.targets.items()),
            None if hidden else sorted((k, v.key(), mark(cohort, v, marks)) for k, v in sample.masks.items()),
        ]
        total.update(json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return total.hexdigest()


def _layout(name: str) -> Layout:
    return cast("type[Layout]", LAYOUTS.resolve(name))()


def _nothing(root: Path) -> CohortError:
    if root.is_file():
        return CohortError(
            f"{root.name!r} is not a data set that this version knows.",
            expected="a folder, a table, or an .npz archive with train and test arrays",
            next_step="give the folder that holds the images and the answers",
        )
    files = list_files(root)
    if not files.images and files.escaping:
        return CohortError(
            f"The folder {root.name!r} holds {len(files.escaping)} links that lead outside and are not followed.",
            expected="the images themselves",
            next_step="give the folder that they lie in, or copy them",
        )
    if not files.paths:
        return CohortError(
            f"The folder {root.name!r} is empty.",
            expected="images and answers",
            next_step="check the path",
        )
    if files.tables and len(files.tables) == len(files.paths) <= _FEW_TABLES:
        from hounsfield.data.layouts.manifest import read_tables

        sheets, faults = read_tables(files)
        if faults and not sheets:
            return CohortError(
                faults[0], expected="a table that can be read", next_step="save it again as CSV in UTF-8"
            )
    return CohortError(
        f"The folder {root.name!r} holds no images: {_listing(files.paths)}.",
        expected="PNG, JPEG, WebP, TIFF, BMP, NIfTI, NRRD, MetaImage, npz or npy files, signals (WFDB, EDF) or a table",
        next_step="check the path, or convert the images",
    )


def _no_answers(root: Path, cohort: Cohort) -> CohortError:
    if cohort.schema.layout == "dicom" and not cohort.schema.columns:
        return CohortError(
            f"There are no labels: {root.name!r} holds {len(cohort)} DICOM studies, and no table says what they show.",
            expected="a table with a column of accession numbers, patients or UIDs, and a column of answers",
            next_step="name it with --labels; hu inspect lists the studies",
        )
    if cohort.schema.layout in WITHOUT_IMAGES - {"table", "ucr"}:
        count = len(cohort)
        return CohortError(
            f"There are no labels: {root.name!r} holds {count} record{'s' if count > 1 else ''}, and nothing says what "
            "they show.",
            expected="a table with columns of record names and of answers, folders of classes, or annotations",
            next_step="name a column with --target, or add a labels.csv; to forecast the series themselves, add "
            "--task prognose; to predict, use hu predict",
        )
    if cohort.schema.layout in ("manifest", "table"):
        used = ", ".join(f"{c.column} ({c.role})" for c in cohort.schema.columns)
        return CohortError(
            f"No column of the table is an answer: {used}.",
            expected="a column of labels",
            next_step="name it with --target",
        )
    from hounsfield.data.layouts.class_folders import NO_CLASS
    from hounsfield.data.layouts.described import NAME as DESCRIPTION
    from hounsfield.data.masks_beside import PAIRS, is_mask

    paths = list_files(root).paths if root.is_dir() else (root.name,)
    folders = {p.split("/")[-2] if "/" in p else "" for p in paths if ending(p) in IMAGE_ENDINGS}
    named = [p for p in paths if ending(p) in (".dcm", ".dicom")]
    if named and len(named) == sum(ending(p) in IMAGE_ENDINGS for p in paths) and not _any_dicom(root, named):
        return CohortError(
            f"None of the {len(named)} files named .dcm in {root.name!r} is a DICOM file by its content.",
            expected="DICOM files, with any name, or pictures",
            next_step="export them again, or rename them to what they are",
        )
    masks = sum(is_mask(p) for p in paths if ending(p) in IMAGE_ENDINGS)
    if masks and DESCRIPTION in paths:
        return CohortError(
            f"There are masks in {root.name!r}, and its {DESCRIPTION} is damaged or names none of its images.",
            expected="a JSON file that lists the images and says what the numbers in their masks mean",
            next_step=f"correct it, or take it away: masks are then told by their names ({PAIRS})",
        )
    if masks:
        return CohortError(
            f"There are no labels: {root.name!r} holds {_listing(paths)}; {masks} are masks by their names, and none "
            "has the name of an image.",
            expected=f"a mask beside each image: {PAIRS}",
            next_step="rename the masks after their images, or add a labels.csv with columns of images and of masks",
        )
    only = next(iter(folders)) if len(folders) == 1 else ""
    if only and only.casefold() not in NO_CLASS:
        return CohortError(
            f"There is one class only: {root.name!r} holds {_listing(paths)}, all in the folder {only!r}.",
            expected="at least two folders, one for each class, or a table of answers",
            next_step="add the images of another class, or a labels.csv; to predict, use hu predict",
        )
    return CohortError(
        f"There are no labels: {root.name!r} holds {_listing(paths)}, and no table or folders say what they show.",
        expected="one folder for each class, or a table with a column of file names and a column of answers",
        next_step="add a labels.csv, or sort the images into folders; to predict, use hu predict",
    )


def _any_dicom(root: Path, paths: Sequence[str]) -> bool:
    """Return whether the beginning of any of the first files is that of a DICOM file."""
    from hounsfield.data.dicom.headers import looks_like_dicom

    for path in paths[:100]:
        with suppress(OSError), (root / path if root.is_dir() else root).open("rb") as file:
            if looks_like_dicom(file.read(1024)):
                return True
    return False


def _listing(paths: Sequence[str]) -> str:
    kinds = Counter(
        "images" if ending(p) in IMAGE_ENDINGS else "tables" if ending(p) in TABLE_ENDINGS else "other files"
        for p in paths
    )
    return ", ".join(f"{n} {k if n > 1 else k.rstrip('s')}" for k, n in kinds.most_common())
