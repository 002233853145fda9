"""The table of lesions: every piece of every class, measured."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from hounsfield.core.annotation import Annotation, Source
from hounsfield.data.annotations.files import misfit, refuse, stem, write_whole
from hounsfield.geometry.findings import AIR_HU, Finding, findings, midline_mm, side

FOLDER = "lesions"
TABLE = "lesions.csv"
COLUMNS = (
    "case", "class", "lesion", "voxels", "volume_mm3", "volume_ml", "area_mm2", "longest_mm", "perpendicular_mm",
    "longest_3d_mm", "centroid_right_mm", "centroid_anterior_mm", "centroid_superior_mm", "centroid_x", "centroid_y",
    "centroid_z", "slice", "side", "mean", "std", "unit", "probability",
)  # fmt: skip


class LesionsWriter:
    """Writes ``lesions.csv``: a row for every piece of every class.

    Notes
    -----
    Pieces touch at a face, an edge or a corner. ``longest_mm`` and ``perpendicular_mm`` lie in ``slice`` (from 0, as
    the array has it), the one where the piece is longest. Centroids are in mm to the patient's right, front and head
    (RAS; DICOM's LPS has the first two negated), and in voxels. ``side`` is the patient's, from the middle of what was
    imaged; it is empty where no middle is known (`geometry.findings.midline_mm`). What needs a scale is empty where
    the image has none; ``mean`` and ``std`` are of images with one channel. ``probability`` is the mean over the piece,
    where probabilities were kept. Each case has a file of its own until `finish` joins them.
    """

    def accepts(self, answer: Annotation, source: Source) -> str:
        """Refuse only what does not lie on its image."""
        return misfit(answer, source)

    def write(self, answer: Annotation, source: Source, folder: Path) -> tuple[Path, ...]:
        """Write the rows of one annotation."""
        refuse(self.accepts(answer, source), source, instead="the annotation on the grid of its image")
        content = _text([COLUMNS, *lesion_rows(answer, source)])
        return (write_whole(folder / FOLDER / f"{stem(source.name)}.csv", content),)

    def finish(self, folder: Path) -> tuple[Path, ...]:
        """Join the rows of all cases, in the order of their names."""
        parts = sorted((folder / FOLDER).glob("*.csv"))
        if not parts:
            return ()
        rows: list[Iterable[str]] = [COLUMNS]
        for part in parts:
            with part.open(encoding="utf-8-sig", newline="") as stream:
                rows += list(csv.reader(stream))[1:]
        return (write_whole(folder / TABLE, _text(rows)),)


def lesion_rows(answer: Annotation, source: Source) -> list[tuple[str, ...]]:
    """Return a row for every piece of every class, as `COLUMNS` says; numbers as text, empty where unknown."""
    image = source.image
    affine = image.grid.affine_ras if image.grid is not None else None
    values = image.array[0] if image.channels == 1 else None
    middle = None
    if affine is not None and values is not None and answer.ndim == 3:
        middle = midline_mm(values, affine, air=AIR_HU if image.units == "HU" else None)
    rows = []
    for index, name in enumerate(answer.classes):
        held = answer.probability(index)
        for number, found in enumerate(findings(answer.mask(index), affine, values=values), start=1):
            piece = found.component
            likely = None if held is None else float(held[piece.box][piece.inside].mean())
            unit = image.units if found.mean is not None else ""
            rows.append((source.name, name, str(number), *_measures(found), side(found.centroid_ras, middle),
                         _said(found.mean), _said(found.std), unit, _said(likely)))  # fmt: skip
    return rows


def _measures(found: Finding) -> tuple[str, ...]:
    flat = len(found.centroid) == 2
    ml = None if found.volume_mm3 is None else found.volume_mm3 / 1000
    lengths = (found.volume_mm3, ml, found.area_mm2, found.longest_mm, found.across_mm, found.longest_3d_mm)
    place = found.centroid_ras or (None, None, None)
    voxel = (found.centroid[-1], found.centroid[-2], None if flat else found.centroid[0])
    numbers = tuple(_said(v) for v in (*lengths, *place, *voxel))
    return (str(found.component.voxels), *numbers, "" if flat else str(found.slice))


def _said(value: float | None) -> str:
    """Return a number as text with six digits."""
    return "" if value is None else f"{value:.6g}"


def _text(rows: Iterable[Iterable[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    # the mark makes spreadsheets read names in every script
    return out.getvalue().encode("utf-8-sig")
