"""Conversion: every volume of a DICOM tree to NIfTI, the masks drawn on it beside it, and a picture to look at."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hounsfield.bundle.atomic import check_folder, make_folder, write_bytes, write_text
from hounsfield.core.errors import InputError, ReadError, RunExistsError, case_id
from hounsfield.core.image import Image
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import BoolArray
from hounsfield.data.dicom.apart import is_mask
from hounsfield.data.dicom.assembling import Volume, assemble, read_volume, volume_uptake
from hounsfield.data.dicom.drawn import drawn_on, read_masks
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.index import index_tree
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.workflow.converted import (
    Converted,
    LeftOut,
    Written,
    left_out,
    mask_row,
    mask_word,
    unused,
    volume_names,
    volume_row,
)
from hounsfield.workflow.feature_tables import rows_csv
from hounsfield.workflow.overlays import overlay

TABLE, APART = "volumes.csv", "apart.csv"


@dataclass
class _Work:
    """What a conversion reads from and writes to, and what it has done so far."""

    source: Path
    out: Path
    written: list[Written] = field(default_factory=list)
    apart: list[LeftOut] = field(default_factory=list)


def convert(
    source: Path, out: Path, *, series: str | None = None, overwrite: bool = False, progress: Progress = SILENT
) -> Converted:
    """Write every volume of a DICOM tree as NIfTI, its masks beside it, and an overlay of both.

    Parameters
    ----------
    source : pathlib.Path
        Folder or archive of DICOM files.
    out : pathlib.Path
        Folder to write to; made if it does not exist.
    series : str or None
        Only the volumes of series that a query matches, such as ``Modality == 'CT' and SliceThickness <= 3``.
    overwrite : bool
        Whether files in `out` may be replaced by files of the same name.
    progress : Progress

    Returns
    -------
    Converted
        What was written, and what was set apart with the reason.

    Raises
    ------
    RunExistsError
        If the folder holds something already and `overwrite` is False.
    InputError
        If the query cannot be understood, no volume matches it, or `out` lies inside `source`.

    Notes
    -----
    Names are made of the modality and a case id, never of a description or a number of the headers: descriptions are
    free text, in which names of patients stand. ``volumes.csv`` says what is what, ``apart.csv`` what was set apart.
    A volume with missing or unevenly spaced slices is set apart: no NIfTI affine is right for it.
    """
    _check_folders(source, out, overwrite=overwrite)
    index = index_tree(source, progress=progress)
    if not index.entries:
        raise _no_dicom(source, len(index.problems))
    assembly = assemble(index.entries, root=source)
    volumes = _chosen(assembly.volumes, series)
    work = _Work(source, out)
    work.apart += [LeftOut(case=case_id(p.sample), reason=p.reason) for p in index.problems]
    work.apart += [left_out(entry, reason) for entry, reason in assembly.apart if not is_mask(entry)]
    drawn = _masks_by_volume(work, [e for e, _ in assembly.apart if is_mask(e)], assembly.volumes)
    make_folder(out)
    with progress.step("Converting", len(volumes)) as shown:
        for volume, name in zip(volumes, volume_names(volumes), strict=True):
            _convert_volume(work, volume, name, drawn[id(volume)])
            shown.advance()
    write_text(out / TABLE, rows_csv(Written, work.written))
    write_text(out / APART, rows_csv(LeftOut, work.apart))
    return Converted(
        files=len(index.entries), written=tuple(work.written), apart=tuple(work.apart), notes=assembly.notes
    )


def _check_folders(source: Path, out: Path, *, overwrite: bool) -> None:
    if not source.exists():
        raise InputError(
            "The source does not exist.", expected="a folder or archive of DICOM files", next_step="check the path"
        )
    if out.resolve().is_relative_to(source.resolve()):
        raise InputError(
            "The output would lie inside the source.", expected="another folder", next_step="choose another OUT"
        )
    check_folder(out)
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not overwrite)):
        raise RunExistsError(
            f"{out.name} exists already and is not an empty folder.",
            expected="a new or empty folder",
            next_step="choose another OUT, or add --overwrite",
        )


def _no_dicom(source: Path, damaged: int) -> InputError:
    return InputError(
        f"There is no DICOM file in {source.name!r}"
        + (f": {damaged} are named like one, or are damaged." if damaged else "."),
        expected="a folder or archive of DICOM files, known by their content",
        next_step="check the path",
    )


def _chosen(volumes: Sequence[Volume], series: str | None) -> list[Volume]:
    if series is None:
        return list(volumes)
    from hounsfield.data.dicom.query import parse_query

    query = parse_query(series)
    chosen = [v for v in volumes if query.matches(v.first)]
    if not chosen:
        raise InputError(
            f"None of the {len(volumes)} volumes matches the query.",
            expected="a query that at least one series fulfils",
            next_step="leave --series out to see what is there",
        )
    return chosen


def _masks_by_volume(work: _Work, entries: Sequence[Entry], volumes: Sequence[Volume]) -> defaultdict[int, list[Entry]]:
    """Find the volume that each mask object was drawn on."""
    found: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        try:
            volume = drawn_on(work.source, entry, volumes)
        except ReadError as error:
            work.apart.append(left_out(entry, _clause(error)))
            continue
        if volume is None:
            work.apart.append(left_out(entry, "a mask of images that are not here or were set apart"))
        else:
            found[id(volume)].append(entry)
    return found


def _convert_volume(work: _Work, volume: Volume, name: str, drawn: Sequence[Entry]) -> None:
    file = f"{name}.nii.gz"
    try:
        if not volume.regular:
            raise ReadError(f"Case {name}: a volume that NIfTI cannot place, {'; '.join(volume.notes)}.")
        image = read_volume(work.source, volume)
    except ReadError as error:
        work.apart.append(left_out(volume.first, f"{_clause(error)} ({len(volume.entries)} files)"))
        return
    write_nifti(work.out / file, image)
    row = volume_row(volume, file, image.units)
    work.written.append(row.model_copy(update={"notes": "; ".join(n for n in (row.notes, _uptake(work, volume)) if n)}))
    masks = _write_masks(work, volume, image, (name, drawn))
    if masks:
        picture = f"{name}_overlay.png"
        write_bytes(work.out / picture, overlay(image, masks))
        work.written.append(Written(file=picture, kind="overlay", of=file))


def _uptake(work: _Work, volume: Volume) -> str:
    """Say what the values of a PET are: SUV, or why not."""
    return volume_uptake(work.source, volume).told if volume.modality == "PT" else ""


def _write_masks(work: _Work, volume: Volume, image: Image, named: tuple[str, Sequence[Entry]]) -> list[BoolArray]:
    """Write the masks drawn on a volume and return them for the overlay."""
    name, drawn = named
    used = {f"{name}_overlay"}
    shown: list[BoolArray] = []
    for entry in drawn:
        try:
            found = read_masks(work.source, entry, volume)
        except ReadError as error:
            work.apart.append(left_out(entry, _clause(error)))
            continue
        for mask in found.masks:
            file = unused(f"{name}_{mask_word(mask, found.naming)}", used) + ".nii.gz"
            array = mask.array.astype(np.uint8) if mask.array.dtype == np.bool_ else mask.array
            write_nifti(work.out / file, Image(array[None], image.grid, modality="SEG"))
            work.written.append(mask_row(mask, entry, file, f"{name}.nii.gz"))
            shown.append(np.asarray(mask.array, dtype=np.float32) > 0.5)
    return shown


def _clause(error: ReadError) -> str:
    """Return the reason of an error without the case that it names: the row names it."""
    return (error.found.partition(": ")[2] or error.found).rstrip(".")
