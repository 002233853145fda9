"""Deep features of a measurement: embeddings of whole images and of regions by a trained model's encoders."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hounsfield.bundle.atomic import write_bytes
from hounsfield.core.cohort import SetAside
from hounsfield.core.errors import InputError
from hounsfield.core.image import Grid, Image
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import Float64Array
from hounsfield.workflow.measure_regions import Key, Seen, seen

MARGIN = 0.1
"""Share of a region's size by which its crop is wider to each side, and at least `LEAST` voxels."""
LEAST = 2


@dataclass(frozen=True)
class Deep:
    """Embeddings.

    Parameters
    ----------
    rows : tuple of (Key, tuple of numpy.ndarray)
        Case, mask, label, part; label 0 is the whole image. One ``c`` for each member of the ensemble.
    members, width : int
        How many members there are, and how many values a row has.
    bundle : str
        Digest of the bundle's manifest.
    apart : tuple of SetAside
    """

    rows: tuple[tuple[Key, tuple[Float64Array, ...]], ...] = field(repr=False)
    members: int
    width: int
    bundle: str
    apart: tuple[SetAside, ...] = ()


def embed(bundle: Path, sources: tuple[Path, Path], *, parts: bool = False, progress: Progress = SILENT) -> Deep:
    """Embed every image and the crop around every region.

    Parameters
    ----------
    bundle : pathlib.Path
        Run folder or bundle of a model of one input.
    sources : pair of pathlib.Path
        Images and masks.
    parts : bool
        Whether each connected part of a label is a region of its own.
    progress : Progress

    Raises
    ------
    BundleError
        If the bundle cannot be used.
    InputError
        If no image could be embedded.

    Notes
    -----
    A crop is prepared as the model's own images are: brought to its size, intensities within the window it learned. The
    encoder has seen whole images; that what it makes of a crop means something is for a validation to show.
    """
    from hounsfield.bundle.run_folder import find_bundle
    from hounsfield.bundle.sealed import bundle_digest
    from hounsfield.learn.embedding import Embedder
    from hounsfield.workflow.forecast.unserved import refuse_forecast
    from hounsfield.workflow.opening import open_bundle

    contents = open_bundle(bundle)
    refuse_forecast(contents, "deep")
    embedder = Embedder(contents)
    digest = bundle_digest(find_bundle(bundle))
    keys: list[Key] = []
    rows: list[tuple[Key, tuple[Float64Array, ...]]] = []
    apart: list[SetAside] = []

    def images() -> Iterator[tuple[str, Image]]:
        case = None
        for region in seen(*sources, parts=parts):
            if region.key[0] != case:
                case = region.key[0]
                keys.append((case, "", 0, 0))
                yield str(len(keys) - 1), region.image
            keys.append(region.key)
            yield str(len(keys) - 1), crop(region)

    with progress.step("Embedding", None) as shown:
        for place, found in embedder.embed(images()):
            key = keys[int(place)]
            if isinstance(found, str):
                words = [key[0], key[1], f"label {key[2]}" if key[2] else "", f"part {key[3]}" if key[3] else ""]
                apart.append(SetAside(sample=" ".join(w for w in words if w), reason=found))
            else:
                rows.append((key, found))
            shown.advance()
    if not rows:
        reason = apart[0].reason if apart else "none was read"
        raise InputError(
            f"None of {len(keys)} images and regions could be embedded: {reason}.",
            expected="images as the model was trained on",
            next_step="choose another bundle",
        )
    width = sum(len(one) for one in rows[0][1])
    return Deep(tuple(rows), embedder.members, width, digest, tuple(apart))


def crop(region: Seen) -> Image:
    """Return a region's bounding box, a little wider, as an image that lies where it lay."""
    image = region.image
    size = region.scene.array.shape
    box = []
    for b, n in zip(region.outline.box, size, strict=True):
        margin = max(LEAST, round(MARGIN * (b.stop - b.start)))
        box.append(slice(max(0, b.start - margin), min(n, b.stop + margin)))
    cut = tuple(box[1:]) if image.ndim == 2 else tuple(box)
    array = np.ascontiguousarray(image.array[(slice(None), *cut)])
    if image.grid is None:
        return Image(array, None, image.modality, image.units)
    moved = np.array(image.grid.affine_ras, dtype=np.float64)
    first = np.array([box[2].start, box[1].start, box[0].start], dtype=np.float64)
    moved[:3, 3] += moved[:3, :3] @ first
    return Image(array, Grid(moved), image.modality, image.units)


def deep_file(out: Path) -> Path:
    """Return the name of the embeddings beside a table."""
    return out.with_name(f"{out.stem}_deep.parquet")


def write_deep(found: Deep, out: Path) -> None:
    """Write embeddings beside the table ``out``: one row for each image and region, one column for each value."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, pa.Array] = {
        name: pa.array([key[n] for key, _ in found.rows], kind)
        for n, (name, kind) in enumerate(
            (("case", pa.string()), ("mask", pa.string()), ("label", pa.int64()), ("part", pa.int64()))
        )
    }
    for member in range(found.members):
        values = np.stack([of[member] for _, of in found.rows])
        digits = len(str(values.shape[1] - 1))
        for n in range(values.shape[1]):
            columns[f"deep_{member}_{n:0{digits}d}"] = pa.array(values[:, n], pa.float64())
    told = json.dumps({"schema_version": 1, "bundle": found.bundle, "margin": MARGIN})
    table = pa.table(columns).replace_schema_metadata({b"hounsfield": told.encode()})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    write_bytes(deep_file(out), sink.getvalue())
