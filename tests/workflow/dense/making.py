"""Small cohorts of pictures and volumes with masks, whose answer is known: bright discs and balls."""

from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from hounsfield.core.image import Grid, Image
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.geometry.affines import reorient


def disc(number: int, *, size: tuple[int, int] = (40, 46)) -> tuple[AnyArray, BoolArray]:
    """Return a picture, uint8 ``y x``, and the mask of the bright disc in it, bool; every fifth has none."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[: size[0], : size[1]]
    picture = 70 + 12 * rng.standard_normal(size)
    mask = np.zeros(size, dtype=np.bool_)
    if number % 5:
        centre, radius = (rng.uniform(12, size[0] - 12), rng.uniform(12, size[1] - 12)), rng.uniform(6, 10)
        mask = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2
        picture[mask] += 70
    return np.clip(picture, 0, 255).astype(np.uint8), mask


def write_pictures(folder: Path, *, count: int = 20) -> Path:
    """Write pictures and masks with a table, official parts and one case without a mask."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    lines = ["id,split,image,mask"]
    for n in range(count):
        picture, mask = disc(n)
        part = ("train", "train", "train", "val", "test")[n % 5 if n % 5 != 4 or n % 2 else 0]
        Pillow.fromarray(picture).save(folder / "images" / f"p{n:02d}.png")
        Pillow.fromarray(mask).save(folder / "masks" / f"p{n:02d}.png")
        lines.append(f"p{n:02d},{part},images/p{n:02d}.png,masks/p{n:02d}.png")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def ball(number: int, *, size: tuple[int, int, int] = (18, 24, 20)) -> tuple[AnyArray, AnyArray]:
    """Return a volume, int16 ``z y x``, and its labels, uint8: 1 a bright ball, 2 a dark one beside it."""
    rng = np.random.default_rng(100 + number)
    z, y, x = np.mgrid[: size[0], : size[1], : size[2]]
    volume = 100 + 20 * rng.standard_normal(size)
    labels = np.zeros(size, dtype=np.uint8)
    centre = np.array(size) / 2 + rng.uniform(-2, 2, 3)
    for value, shift in ((1, -4.0), (2, 4.0)):
        inside = (z - centre[0]) ** 2 + (y - centre[1] - shift) ** 2 + (x - centre[2]) ** 2 < 3.6**2
        labels[inside] = value
        volume[inside] += 200 if value == 1 else -90
    return volume.astype(np.int16), labels


def affine(number: int) -> Float64Array:
    """Return an affine that is turned otherwise in every case: 1.2 x 1 x 1.5 mm."""
    matrix = np.diag([1.2, 1.0, 1.5, 1.0])
    if number % 2:
        matrix[0, 0], matrix[0, 3] = -1.2, 30.0
    if number % 3 == 1:
        matrix = matrix[:, [1, 0, 2, 3]]
    return matrix


def write_volumes(folder: Path, *, count: int = 12) -> Path:
    """Write volumes and label maps as a Decathlon task, some of them turned."""
    (folder / "imagesTr").mkdir(parents=True)
    (folder / "labelsTr").mkdir()
    for n in range(count):
        volume, labels = ball(n)
        for place, array in (("imagesTr", volume), ("labelsTr", labels)):
            turned, matrix = reorient(array[None], np.diag([1.2, 1.0, 1.5, 1.0]), ("RAS", "LPS", "ASR")[n % 3])
            write_nifti(folder / place / f"b_{n:02d}.nii.gz", Image(np.ascontiguousarray(turned), Grid(matrix)))
    entries = ", ".join(
        f'{{"image": "./imagesTr/b_{n:02d}.nii.gz", "label": "./labelsTr/b_{n:02d}.nii.gz"}}' for n in range(count)
    )
    (folder / "dataset.json").write_text(
        f'{{"name": "balls", "modality": {{"0": "MRI"}}, "labels": {{"0": "background", "1": "near", "2": "far"}}, '
        f'"numTraining": {count}, "training": [{entries}], "test": []}}'
    )
    return folder
