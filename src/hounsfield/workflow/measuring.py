"""Measuring: image biomarkers of regions, one row for each, with the processing that gave them."""

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.cohort import SetAside
from hounsfield.core.errors import HounsfieldError, InputError, ReadError
from hounsfield.core.image import Grid, Image
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import AnyArray
from hounsfield.geometry.affines import shear_deg
from hounsfield.science.radiomics.settings import PRESETS, Settings, preset, settings_from
from hounsfield.workflow.feature_tables import check_out
from hounsfield.workflow.measure_cases import Case, Loaded, LoadedMask, clause, find_cases, one_channel
from hounsfield.workflow.measured import Measured, Record, Row, Source, differences, read_record, write

if TYPE_CHECKING:
    from hounsfield.science.radiomics.region import Outline, Scene
    from hounsfield.science.radiomics.responses import Filtered

MOST_SHEAR_DEG = 0.5


@dataclass(frozen=True)
class MeasureWishes:
    """What is asked of a measurement.

    Parameters
    ----------
    settings : Settings
    parts : bool
        Whether each connected part of a label is a region of its own.
    threads : int or None
        How many cases are measured side by side; None takes the machine's processors.
    """

    settings: Settings = PRESETS["default"]
    parts: bool = False
    threads: int | None = None


@dataclass(frozen=True)
class _Found:
    """What one case gave."""

    rows: tuple[Row, ...] = field(repr=False)
    apart: tuple[SetAside, ...] = ()
    source: Source | None = None


def measure(
    images: Path,
    masks: Path,
    *,
    out: Path | None = None,
    wishes: MeasureWishes | None = None,
    progress: Progress = SILENT,
) -> Measured:
    """Measure every region of every image that has a mask.

    Parameters
    ----------
    images, masks : pathlib.Path
        Two files, two folders, or DICOM folders; see `hounsfield.workflow.measure_cases.find_cases`.
    out : pathlib.Path or None
        Parquet file to write; CSV, record and what was set aside are written beside it.
    wishes : MeasureWishes or None
    progress : Progress

    Returns
    -------
    Measured
        Cases, masks and regions that fail are set aside with the reason, and the others are measured.

    Raises
    ------
    InputError
        If there is no case, or none could be measured.
    RunExistsError
        If `out` exists.
    """
    wishes = wishes or MeasureWishes()
    if out is not None:
        check_out(out)
    base = out.parent if out is not None else Path.cwd()
    measured = _measured(images, masks, wishes, base=base, progress=progress)
    if out is not None:
        write(measured, out)
    return measured


def repeat(
    table: Path, *, out: Path | None = None, sources: tuple[Path, Path] | None = None, progress: Progress = SILENT
) -> Measured:
    """Measure again what a table records, and compare.

    Parameters
    ----------
    table : pathlib.Path
        Parquet file that `measure` wrote.
    out : pathlib.Path or None
        Where to write the new one; None only compares.
    sources : pair of pathlib.Path or None
        Images and masks, where they have moved; None takes them from where they lay.
    progress : Progress

    Returns
    -------
    Measured
        `changed` says what differs; empty where the bytes are the same.

    Raises
    ------
    InputError
        If the file is no such table, or images and masks are no longer there.
    """
    record = read_record(table)
    if sources is None and not record.images:
        raise InputError(
            f"{table.name} was measured on arrays in memory.",
            expected="a table that was measured on files",
            next_step="give IMAGES and MASKS",
        )
    images, masks = sources or (table.parent / record.images, table.parent / record.masks)
    if out is not None:
        check_out(out)
    wishes = MeasureWishes(settings=record.settings, parts=record.parts)
    measured = _measured(images, masks, wishes, base=table.parent, progress=progress)
    # where images lie is no part of the result
    kept = measured.record.model_copy(update={"images": record.images, "masks": record.masks})
    measured = replace(measured, record=kept)
    measured = replace(measured, changed=differences(table.read_bytes(), measured.parquet()))
    if out is not None:
        write(measured, out)
    return measured


def as_image(value: object, spacing_mm: Sequence[float] | None) -> Image:
    """Return an image or an array as an image of one channel.

    Parameters
    ----------
    value : Image or numpy.ndarray
        An array is ``z y x`` or ``y x``.
    spacing_mm : sequence of float or None
        Of an array's voxels, along its axes; None where it is not known.

    Raises
    ------
    InputError
        If it is neither, or the spacing does not fit.
    """
    if isinstance(value, Image):
        return value
    if not isinstance(value, np.ndarray) or value.ndim not in (2, 3) or value.dtype.kind not in "buif":
        raise InputError(
            "Image and mask are not both paths, nor arrays.",
            expected="two paths, or two of Image and arrays of numbers z y x (y x for a plane)",
            next_step="read the file, or give both as paths",
        )
    if spacing_mm is None:
        return Image(value[None])
    given = [float(s) for s in spacing_mm]
    if len(given) != value.ndim or not all(0 < s < np.inf for s in given):
        raise InputError(
            f"spacing_mm has {len(given)} values for an array of {value.ndim} axes.",
            expected="a length above 0 for each axis of the array, in its order",
            next_step="give spacing_mm=(z, y, x)",
        )
    x, y, z = (*given[::-1], 1.0)[:3]
    return Image(value[None], Grid(np.diag([x, y, z, 1.0])))


def measure_arrays(
    image: Image, mask: Image, *, out: Path | None = None, wishes: MeasureWishes | None = None
) -> Measured:
    """Measure the regions of one image that is in memory.

    Parameters
    ----------
    image : Image
        One channel; a grid says how large its voxels are.
    mask : Image
        A label map of the same size.
    out : pathlib.Path or None
        Parquet file to write; such a table cannot be repeated, as it does not know where its image lies.
    wishes : MeasureWishes or None

    Raises
    ------
    InputError
        If sizes differ.
    ReadError
        If no region can be measured; the message says why.
    """
    wishes = wishes or MeasureWishes()
    if out is not None:
        check_out(out)
    if image.size != mask.size:
        raise InputError(
            f"The image has {image.size} voxels, the mask {mask.size}.",
            expected="a mask of the image's size",
            next_step="bring the mask to the image's grid",
        )
    found = _measure_loaded("", Loaded(image, (LoadedMask("", one_channel(mask.array)),)), wishes)
    if not found.rows:
        raise ReadError(f"{found.apart[0].reason}.", expected="a region that can be measured")
    measured = Measured(found.rows, _record("", "", wishes, [found], ()))
    if out is not None:
        write(measured, out)
    return measured


def read_settings(name: str) -> Settings:
    """Return settings by name, or from a YAML file.

    Raises
    ------
    InputError
        If there are none of that name, or the file is no settings.
    """
    if not name.lower().endswith((".yaml", ".yml")):
        return preset(name)
    from hounsfield.bundle.yaml_text import YamlError, parse_yaml

    path = Path(name)
    try:
        return settings_from(parse_yaml(path.read_text(encoding="utf-8-sig")))
    except (OSError, UnicodeDecodeError, YamlError) as error:
        raise InputError(
            f"{path.name} cannot be read as settings.",
            expected="YAML in UTF-8, as `hu measure --show default` prints it",
            next_step="correct the file, or name settings: " + ", ".join(PRESETS),
        ) from error


def _measured(images: Path, masks: Path, wishes: MeasureWishes, *, base: Path, progress: Progress) -> Measured:
    cases, aside = find_cases(images, masks)
    threads = max(1, min(wishes.threads or os.cpu_count() or 1, len(cases)))
    found = []
    with progress.step("Measuring", len(cases)) as shown:
        for one in _in_order(cases, wishes, threads):
            found.append(one)
            shown.advance()
    if not any(f.rows for f in found):
        reasons = [a.reason for f in found for a in f.apart]
        raise InputError(
            f"None of {len(cases)} cases could be measured: {reasons[0]}.",
            expected="at least one region that can be measured",
            next_step="look at the masks",
        )
    places = [Path(os.path.relpath(p.resolve(), base.resolve())).as_posix() for p in (images, masks)]
    rows = tuple(r for f in found for r in f.rows)
    return Measured(rows, _record(places[0], places[1], wishes, found, aside))


def _record(
    images: str, masks: str, wishes: MeasureWishes, found: Iterable[_Found], aside: Sequence[SetAside]
) -> Record:
    from importlib.metadata import version

    found = list(found)
    return Record(
        hounsfield=version("hounsfield"),
        numpy=np.__version__,
        scipy=version("scipy"),
        numba=version("numba"),
        images=images,
        masks=masks,
        parts=wishes.parts,
        settings=wishes.settings,
        sources=tuple(f.source for f in found if f.source is not None),
        apart=(*aside, *(a for f in found for a in f.apart)),
    )


def _in_order(cases: Sequence[Case], wishes: MeasureWishes, threads: int) -> Iterator[_Found]:
    """Yield what cases give in their order, at most `threads` of them in memory."""
    if threads == 1:
        yield from (_measure_case(case, wishes) for case in cases)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[_Found]] = deque()
        for case in cases:
            waiting.append(pool.submit(_measure_case, case, wishes))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _measure_case(case: Case, wishes: MeasureWishes) -> _Found:
    try:
        return _measure_loaded(case.name, case.load(), wishes)
    except HounsfieldError as error:
        return _Found((), (SetAside(sample=case.name, reason=clause(error)),))
    except MemoryError:
        return _Found((), (SetAside(sample=case.name, reason="it does not fit into memory"),))


def _measure_loaded(name: str, loaded: Loaded, wishes: MeasureWishes) -> _Found:
    from hounsfield.science.radiomics.diagnostics import image_diagnostics
    from hounsfield.science.radiomics.labels import marked, whole_numbers
    from hounsfield.science.radiomics.region import Scene
    from hounsfield.science.radiomics.responses import Filtered

    image = loaded.image
    grid = image.grid
    if grid is not None and shear_deg(grid.affine_ras) > MOST_SHEAR_DEG:
        raise ReadError("Its axes are not at right angles: distances between voxels are not its spacings.")
    spacing = grid.spacing_mm[::-1] if grid is not None else (1.0, 1.0, 1.0)
    array = one_channel(image.array)
    scene = Scene(array if array.ndim == 3 else array[None], spacing, planar=array.ndim == 2)
    settings, notes = _for_image(wishes.settings, placed=grid is not None)
    first = image_diagnostics(scene, settings) if settings.diagnostics else {}
    filtered = Filtered(scene, settings, placed=grid is not None)
    rows: list[Row] = []
    apart = list(loaded.apart)
    for mask in loaded.masks:
        where = f"{name} {mask.name}".strip()
        try:
            labels = whole_numbers(mask.labels.reshape(scene.array.shape))
        except ReadError as error:
            apart.append(SetAside(sample=where, reason=clause(error)))
            continue
        regions = marked(labels, parts=wishes.parts)
        if not regions:
            apart.append(SetAside(sample=where, reason="the mask is empty"))
        for region in regions:
            row = Row(name, mask.name, region.label, region.part, {}, notes=(*notes, *mask.notes))
            try:
                rows.append(_row(row, (scene, filtered), region.outline, (settings, first, grid is not None)))
            except ReadError as error:
                part = f" part {region.part}" if region.part else ""
                apart.append(SetAside(sample=f"{where} label {region.label}{part}".strip(), reason=clause(error)))
    digests = (_digest(array), tuple(_digest(m.labels) for m in loaded.masks))
    return _Found(tuple(rows), tuple(apart), Source(case=name, image=digests[0], masks=digests[1]))


def _row(
    row: Row,
    image: "tuple[Scene, Filtered]",
    outline: "Outline",
    told: tuple[Settings, dict[str, float], bool],
) -> Row:
    from hounsfield.science.radiomics.diagnostics import region_diagnostics
    from hounsfield.science.radiomics.extraction import features
    from hounsfield.science.radiomics.reasons import reasons
    from hounsfield.science.radiomics.region import process

    settings, first, placed = told
    scene, filtered = image
    region = process(scene, outline, settings)
    values, facts = features(region, settings, placed=placed)
    missing = reasons(values, facts)
    if settings.diagnostics:
        values = {**first, **region_diagnostics(scene, outline, region), **values}
    more, why = filtered.measured(region)
    return replace(row, values={**values, **more}, missing={**missing, **why}, voxels=facts.voxels)


def _for_image(settings: Settings, *, placed: bool) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings as they apply to an image, and what has to be said of it."""
    if placed or settings.interpolation is None:
        return settings, ()
    note = "not interpolated: the image does not say how large its voxels are"
    return settings.model_copy(update={"interpolation": None}), (note,)


def _digest(array: AnyArray) -> str:
    """Return a digest of an array's values, the same on every machine."""
    plain = np.ascontiguousarray(array)
    if plain.dtype.byteorder == ">":
        plain = plain.astype(plain.dtype.newbyteorder("<"))
    head = f"{plain.dtype.str}{plain.shape}".encode()
    return hashlib.blake2b(head + plain.tobytes(), digest_size=16).hexdigest()
