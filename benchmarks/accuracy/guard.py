"""How many foreign images the guard of a finished covid-ct run refuses, and how many of the run's own test slices.

python -m benchmarks.accuracy.guard RUN
"""

import argparse
import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from benchmarks.record import RESULTS, data_root, provenance
from hounsfield.core.streams import stream

COUNT = 100
KINDS = 5


def images(folder: str, column: str) -> list[Path]:
    """Return the files of a set, every so many of its table, as many as are counted."""
    root = data_root() / folder
    with (root / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    chosen = np.linspace(0, len(rows) - 1, COUNT).astype(int)
    return [root / rows[i][column] for i in chosen]


def noise(folder: Path, slices: list[Path]) -> list[Path]:
    """Write noise of five kinds: uniform, normal, grey with a little, salt and pepper, shuffled pixels of a slice."""
    made = []
    for number in range(COUNT):
        rng = stream(0, "noise", number)
        source = np.asarray(Image.open(slices[number % len(slices)]).convert("L"))
        shape = source.shape
        kind = number % KINDS
        values = (
            rng.uniform(0, 255, shape)
            if kind == 0
            else rng.normal(128, 60, shape)
            if kind == 1
            else rng.normal(rng.uniform(30, 220), 8, shape)
            if kind == 2
            else np.where(rng.random(shape) < 0.5, 0, 255)
            if kind == 3
            else rng.permutation(source.ravel()).reshape(shape)
        )
        path = folder / f"{number}.png"
        Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(path)
        made.append(path)
    return made


def main() -> None:
    """Measure and write ``results/guard.json``."""
    import hounsfield

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="finished run on covid-ct")
    asked = parser.parse_args()
    with (data_root() / "covid-ct" / "labels.csv").open(newline="", encoding="utf-8") as file:
        own = [data_root() / "covid-ct" / r["path"] for r in csv.DictReader(file) if r["split"] == "test"]
    with TemporaryDirectory() as scratch:
        sets = {
            "covid-ct, true test slices": own,
            "breast ultrasound (busi)": images("busi", "image"),
            "chest X-ray (cxr-lung-tb)": images("cxr-lung-tb", "image"),
            "noise of five kinds": noise(Path(scratch), own),
        }
        found = {}
        for name, paths in sets.items():
            said = list(hounsfield.predict(asked.run, paths))
            found[name] = {"images": len(said), "refused": sum(bool(s.refusal) for s in said)}
            print(name, found[name])
    result = {**provenance("python -m benchmarks.accuracy.guard RUN"), "sets": found}
    (RESULTS / "guard.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
