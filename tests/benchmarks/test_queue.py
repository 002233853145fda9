"""The simulation of a queue: who is drawn for what, and how seeds are summed up."""

import csv
from pathlib import Path

import numpy as np
import pytest
from benchmarks.accuracy.annotate.queue import divided, laid_out, shrunk, summary
from PIL import Image
from scipy.stats import ttest_rel


def test_parts_are_drawn_apart_and_again_alike() -> None:
    names = [f"c{n}" for n in range(60)]
    parts = divided(names, 3, first=10, held=20)
    assert [len(parts[k]) for k in ("first", "held", "pool")] == [10, 20, 30]
    assert sorted(name for own in parts.values() for name in own) == sorted(names)
    assert divided(names, 3, first=10, held=20) == parts
    assert divided(names, 4, first=10, held=20) != parts


def test_seeds_are_summed_up_with_a_paired_interval() -> None:
    rng = np.random.default_rng(0)
    found = [
        {way: {f"c{n}": float(rng.uniform(0.8, 0.9) + shift) for n in range(5)} for way, shift in ways}
        for ways in [(("first", -0.1), ("queue", 0.02), ("random", 0.0))] * 6
    ]
    told = summary(found)
    means = {way: [np.mean(list(seed[way].values())) for seed in found] for way in ("queue", "random")}
    wanted = ttest_rel(means["queue"], means["random"]).confidence_interval(0.95)
    apart = told["queue_minus_random"]
    assert isinstance(apart, dict)
    assert (apart["low"], apart["high"]) == pytest.approx((wanted.low, wanted.high))
    assert apart["value"] == pytest.approx(np.mean(means["queue"]) - np.mean(means["random"]))
    alone = summary(found[:1])["queue_minus_random"]
    assert isinstance(alone, dict)
    assert alone["low"] is None


def test_pictures_are_shrunk_and_listed(tmp_path: Path) -> None:
    lines = ["id,image,lung_mask"]
    for n in range(6):
        picture = np.zeros((40, 40), dtype=np.uint8)
        picture[8:20, 8:20] = 255
        Image.fromarray(picture).save(tmp_path / f"{n}.png")
        lines.append(f"c{n},{n}.png,{f'{n}.png' if n else ''}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    table = shrunk(tmp_path, tmp_path / "out", edge=20)
    assert sorted(table) == [f"c{n}" for n in range(1, 6)]
    small = np.array(Image.open(table["c1"][1]))
    assert small.shape == (20, 20)
    assert (small > 0).sum() == 36
    folder = laid_out(table, [f"c{n}" for n in range(1, 6)], ["c2"], tmp_path / "data")
    rows = list(csv.DictReader((folder / "labels.csv").read_text().splitlines()))
    assert [r["split"] for r in rows] == ["train"] * 4 + ["val", "test"]
    assert all((folder / r["image"]).exists() and (folder / r["mask"]).exists() for r in rows)
