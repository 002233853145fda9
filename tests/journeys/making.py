"""Small data sets as users have them: folders of pictures, tables, archives, and broken files."""

import csv
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from typer.testing import CliRunner, Result

from hounsfield.cli.app import app
from hounsfield.core.streams import stream
from hounsfield.workflow.training import Run, train
from hounsfield.workflow.wishes import Wishes

STEPS = 4
Pixels = np.typing.NDArray[np.uint8]


def picture(number: int, level: int, *, size: int = 32) -> Pixels:
    """Grey noise with a square as bright as the answer is high."""
    grey = stream(7, "journeys", number).normal(90, 20, (size, size))
    grey[size // 4 : size // 2, size // 4 : size // 2] += 60 * level
    return np.clip(grey, 0, 255).astype(np.uint8)


def save(path: Path, pixels: Pixels, *, mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).convert(mode).save(path)


def write_table(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])


def write_cohort(folder: Path, *, n: int = 30, parts: bool = False) -> list[list[object]]:
    """Write n pictures of n patients and a table; return its rows."""
    rows: list[list[object]] = []
    for i in range(n):
        save(folder / f"{i:02d}.png", picture(i, i % 2))
        part = ("train", "train", "train", "val", "test", "test")[i // 2 % 6]
        rows.append([f"{i:02d}.png", f"p{i:02d}", "yes" if i % 2 else "no", *([part] if parts else [])])
    head = ["image", "patient", "disease", *(["split"] if parts else [])]
    write_table(folder / "labels.csv", head, rows)
    return rows


def write_folders(root: Path, *, n: int = 30, classes: Sequence[str] = ("benign", "malignant"), first: int = 0) -> None:
    for i in range(n):
        level = i % len(classes)
        save(root / classes[level] / f"x{first + i:03d}.png", picture(first + i, level))


def bomb(path: Path, *, edge: int = 30_000) -> None:
    """Write a PNG of under 1 MB that would decode to ``edge`` times ``edge`` pixels."""
    squeeze = zlib.compressobj(9)
    rows = b"\0" * (edge + 1) * 100
    body = b"".join([*(squeeze.compress(rows) for _ in range(edge // 100)), squeeze.flush()])
    head = struct.pack(">IIBBBBB", edge, edge, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    made = [struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(made))


def hu(*words: object) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(app, [str(w) for w in words])


def quick(source: object, out: Path, **wishes: object) -> Run:
    """Train for a few steps."""
    asked = {"max_steps": STEPS, "threads": 1, **wishes}
    return train(source, out=out, wishes=Wishes(**asked))  # type: ignore[arg-type]  # any source, any wish


def everything_in(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*")) if folder.exists() else []
