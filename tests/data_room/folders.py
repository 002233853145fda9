"""Small folders of synthetic images for the tests of this room."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, size: tuple[int, int] = (24, 20)) -> np.ndarray:
    """Return a grey picture, ``y x`` uint8."""
    return np.random.default_rng(seed).integers(0, 255, size, dtype=np.uint8)


def save(path: Path, seed: int = 0, size: tuple[int, int] = (24, 20)) -> Path:
    """Write a picture and make its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(seed, size)).save(path)
    return path


def save_mask(path: Path) -> Path:
    """Write a picture of one bit per pixel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(1) > 127).save(path)
    return path


def table(path: Path, rows: Sequence[Mapping[str, object]], *, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """Write a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def manifest(root: Path, count: int = 24, *, extra: Iterable[Mapping[str, object]] = ()) -> Path:
    """Write `count` images and a table with path, label (0, 1) and patient (two images each)."""
    more = list(extra) or [{} for _ in range(count)]
    rows = []
    for i in range(count):
        save(root / f"img/case_{i:03d}.png", i)
        rows.append({"path": f"img/case_{i:03d}.png", "label": i % 4 // 2, "patient": f"P{i // 2}", **more[i]})
    table(root / "labels.csv", rows)
    return root
