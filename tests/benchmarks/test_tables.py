"""Tables are made of whatever results there are."""

import json
from pathlib import Path

import pytest
from benchmarks import cells, tables

FIGURE = {"value": 0.85, "low": 0.8, "high": 0.9}


def _results(folder: Path) -> None:
    figures = {"auroc": FIGURE, "accuracy": FIGURE}
    verdict = {"wanted": 0.83, "value": 0.85, "above": 0.02, "met": True}
    accuracy = {
        "data": "toy",
        "command": "hu train toy --minutes 20 --folds 5 --seed 0",
        "folds": 5,
        "part": "cv",
        "figures": figures,
        "must": {"auroc": verdict},
        "aim": {"auroc": {**verdict, "wanted": 0.9, "met": False}},
        "members": {"supervised": 5, "features": 1},
        "baselines": {"logistic": {"metrics": figures}},
        "without_faulty": figures,
        "textbook": figures,
        "textbook_excluded": True,
        "network_minus_textbook": {"auroc": {"value": 0.2, "low": 0.1, "high": 0.3}},
        "cost": {"seconds": 1190.0},
    }
    placed = {"official": 0.85, "low": 0.8, "high": 0.9, "inside": True}
    part = {"predicted": 1.0, "taken": 1.1, "error": -0.09, "met": True}
    steps = {"ours, bfloat16": 4.0, "float32": 1.5}
    whole: dict[str, object] = {
        "toy-seed0": accuracy,
        "toy-seed1": {**accuracy, "figures": {**figures, "auroc": {**FIGURE, "value": 0.87}}},
        "annotate-against-nnunet": {
            "nnunet": {"half": {"seconds": 1800.0, "dice": FIGURE}, "seconds_to_goal": None},
            "nnunet_stock": {"end": {"seconds": 3600.0, "dice": FIGURE}, "seconds_to_goal": 1795.0},
            "hounsfield": {"least": {"seconds": 114.2, "dice": FIGURE}, "seconds_to_goal": 114.2},
        },
        "speed-radiomics": {
            "cases": [
                {
                    "case": "a ball",
                    "seconds": {
                        "ours_same": 0.001,
                        "pyradiomics_same": 0.012,
                        "ours_whole": 0.003,
                        "pyradiomics": 0.013,
                    },
                    "features": {"ours_same": 102, "ours_whole": 485},
                    "ratio": 12.0,
                    "ratio_whole_set": 4.33,
                }
            ]
        },
        "toy-resplits": {"data": "toy", "auroc": placed, "accuracy": {**placed, "inside": False}},
        "speed-profile": {
            "sizes": {
                "28": {
                    "milliseconds_per_step": 50,
                    "shares": {"forward": 0.3, "backward": 0.65},
                    "inside": 0.95,
                    "met": True,
                }
            }
        },
        "speed-throughput": {
            "sizes": {
                "28": {
                    "ours": "ours, bfloat16",
                    "one_thread_steps_per_second": steps,
                    "ratio": 2.67,
                    "machine_ratio": 2.9,
                    "met": True,
                }
            }
        },
        "speed-memory": {
            "peak_mib": {"2000": {"train": 600, "predict": 500}, "20000": {"train": 700, "predict": 520}},
            "ratio": {"train": 1.17, "predict": 1.04},
            "met": True,
        },
        "speed-cost": {"with_minutes": {"toy-seed0": {"seconds": part}}, "without_minutes": {"28": {"seconds": part}}},
        "leave-one-out": {
            "sets": {
                "toy": {
                    "variants": {
                        "unchanged": {"figures": {"auroc": {"value": 0.9}}},
                        "one network": {
                            "figures": {"auroc": {"value": 0.88}},
                            "minus_plan": {"auroc": {"value": -0.02, "low": -0.03, "high": 0.01}},
                        },
                    }
                }
            }
        },
        "speed-reference": {
            "reference": {
                "complete": False,
                "epochs_run": 3,
                "best_validation_auc": 0.99,
                "seconds_100_epochs": 8600.0,
            },
            "verdict": {
                "targets_are_of_whole_runs": False,
                "by_run": [
                    {
                        "target": 0.99,
                        "best_epoch": 2.0,
                        "reached": 100.0,
                        "times_sooner_than_100_epochs": 86.0,
                        "times_sooner_than_its_best_epoch": 1.72,
                        "met": True,
                    }
                ],
            },
        },
    }
    for name, content in whole.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_every_result_has_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    assert tables.details() == ""
    _results(tmp_path)
    made = tables.details()
    for expected in (
        "| toy | cv | 0.850 (0.800–0.900) |",
        "auroc > 0.83: met (+0.020), aim 0.9 missed",
        "less the textbook CNN 0.200 (0.100–0.300): met",
        "5 supervised + 1 features | 19.8 |",
        "| nnU-Net, stock schedule, end | 3600 | 0.850 (0.800–0.900) | 1795 |",
        "| nnU-Net, cut schedule, half | 1800 | 0.850 (0.800–0.900) | – |",
        "| hounsfield, least | 114 | 0.850 (0.800–0.900) | 114 |",
        "| a ball | the same features (102) | 1.00 | 12.00 | 12.0 |",
        "| a ball | all of IBSI-1 but the autocorrelations (485) | 3.00 | 13.00 | 4.3 |",
        "| toy | 2 | 0.860 (0.850–0.870) |",
        "| toy | AUC | 0.850 | 0.800–0.900 | inside |",
        "| toy | accuracy | 0.850 | 0.800–0.900 | outside |",
        "| 28 | 50 ms | backward 65.0%, forward 30.0% | 95.0% | met |",
        "| 28 | 4.00 | 1.50 | 2.67 | 2.90 | met |",
        "| train | 600 MiB (2000) | 700 MiB (20000) | 1.17 | met |",
        "| toy | unchanged | 0.9000 | – |",
        "| toy | one network | 0.8800 | -0.0200 (-0.030 to +0.010) |",
        "| generated, 28 px, no minutes | -9% met | – | – |",
        "| 0.9900 (epoch 2 of a few epochs) | 8600 s | 100 s | 86.0 times | 1.7 times | met |",
    ):
        assert expected in made, expected


def test_a_readme_has_one_row_per_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    _results(tmp_path)
    made = tables.table("README.md")
    assert made.count("| toy |") == 1
    assert "20 min, 5 folds, took 19.8" in made
    assert "textbook CNN AUC 0.850" in made


def test_masks_have_rows_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _results(tmp_path)
    metrics = dict.fromkeys(("dice", "pixel_auroc", "quality_rank", "size_rank", "false_positive_rate"), FIGURE)
    found = {
        "command": "hu train toys --task annotate --minutes 9 --folds 5 --seed 0",
        "part": "cv",
        "samples": 40,
        "metrics": metrics,
        "baselines": {"otsu": {"dice": {"value": 0.3, "low": 0.2, "high": 0.4}}},
        "must": {"dice": 0.8, "pixel_auroc": 0.9},
        "must_reached": {"dice": True, "pixel_auroc": False},
        "aim": {"dice": 0.9},
        "aim_reached": {"dice": False},
        "rank_reached": True,
        "cost": {"seconds": 480.0},
    }
    (tmp_path / "annotate-toys-seed0.json").write_text(json.dumps(found), encoding="utf-8")
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    first, second = tables.table("README.md").splitlines()[-2:]
    assert "`classify`" in first
    assert second == (
        "| toys | `annotate` | 9 min, 5 folds, took 8.0 | Dice 0.850 (0.800–0.900), pixel AUC 0.850 (0.800–0.900) "
        "| otsu Dice 0.300 (0.200–0.400) |"
    )
    made = tables.details()
    assert "dice > 0.8: met (+0.050), aim 0.9 missed; pixel AUC > 0.9: missed (-0.050)" in made
    assert "rank of the expected Dice: met (it 0.850 (0.800–0.900), size 0.850 (0.800–0.900))" in made
    assert made.count("**Masks**") == 1
