"""The literature's protocol flatters noise; the bootstrap with the selection inside does not; the tables are joined."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.accuracy.rows_sts import MODALITIES, SUV, read_features, selected_inside, selected_outside, weighted

from hounsfield.core.streams import stream
from tests.data_room.folders import table


def test_the_weight_goes_from_632_to_1() -> None:
    assert weighted(0.8, 0.8) == pytest.approx(0.8)
    assert weighted(0.7, 0.9) == pytest.approx(0.368 * 0.7 + 0.632 * 0.9)
    # wholly overfitted: what was left out alone counts, and chance is the least
    assert weighted(1.0, 0.5) == pytest.approx(0.5)
    assert weighted(1.0, 0.3) == pytest.approx(0.5)
    over = (0.3 - 0.1) / (0.5 - 0.1)
    weight = 0.632 / (1 - 0.368 * over)
    assert weighted(0.9, 0.7) == pytest.approx((1 - weight) * 0.9 + weight * 0.7)


def test_noise_is_flattered_by_selection_outside_alone() -> None:
    values, truth = stream(0, "noise").normal(size=(50, 60)), np.arange(50) % 5 < 2
    taken, figures = selected_outside(values, truth, draws=8)
    assert len(set(taken)) == len(taken) == 4
    assert figures[-1] > 0.75
    assert selected_inside(values, truth, [f"f{n}" for n in range(60)], draws=8) < 0.65


def test_features_are_read_in_the_order_of_the_answers(tmp_path: Path) -> None:
    folder = tmp_path
    table(
        folder / "labels.csv",
        [{"case": f"c{i}", SUV: 2.5 + i, "lung_metastasis": ("no", "yes")[i % 2]} for i in range(4)],
    )
    for n, modality in enumerate(MODALITIES):
        rows = [
            {"case": f"c{i}", "mask": "", "label": 1, "part": 0, "voxels": 9, "notes": "", "missing": "",
             "stat_mean": 10.0 * n + i, "morph_volume": 5.0 + i}
            for i in (3, 1, 0, 2)
        ]  # fmt: skip
        pq.write_table(pa.table({k: [r[k] for r in rows] for k in rows[0]}), folder / f"{modality}.parquet")
    names, values, truth, suv_max = read_features(folder)
    assert names == ("ct_stat_mean", "ct_morph_volume", "pet_stat_mean", "mr_t1_stat_mean")
    assert values[:, 2].tolist() == [10.0, 11.0, 12.0, 13.0]
    assert truth.tolist() == [False, True, False, True]
    assert suv_max.tolist() == [2.5, 3.5, 4.5, 5.5]
