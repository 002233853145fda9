"""Rows on signals are made of whatever results there are."""

import json
from pathlib import Path

import pytest
from benchmarks import cells, tables
from benchmarks.signal_rows import signal_rows, signals

BEATS: dict[str, object] = {
    "accuracy": 0.94,
    "mean_sensitivity": 0.68,
    "jk": 0.75,
    "intervals": {"accuracy": [0.9, 0.96], "mean_sensitivity": [0.6, 0.7], "jk": [0.6, 0.8]},
    **{f"{figure}:{c}": 0.5 for figure in ("sensitivity", "ppv") for c in "NSVF"},
    "cost": {"seconds": 840.0},
}
STAYS = {
    "auroc": 0.835,
    "event_1": 0.47,
    "intervals": {"auroc": [0.82, 0.85], "event_1": [0.43, 0.51]},
    "cost": {"seconds": 1200.0},
}
AREA = {"value": 0.91, "low": 0.8, "high": 0.97}
AFIB: dict[str, object] = {
    "figures": {"auroc": AREA, "sensitivity": {**AREA, "value": 0.85}, "ppv": {**AREA, "value": 0.83}},
    "baselines": {
        "prevalence": {"figures": {"auroc": {"value": 0.5, "low": 0.5, "high": 0.5}}, "difference": {}},
        "kernels": {
            "figures": {"auroc": {**AREA, "value": 0.9}},
            "difference": {"auroc": {"value": 0.01, "low": -0.02, "high": 0.04}},
        },
        "silent": {"figures": {"auroc": {"value": None}}},
    },
    "by_record": {"burden_error": 0.06, "intervals": {"burden_error": [0.02, 0.11]}},
    "cost": {"seconds": 330.0},
}
SPAN = {"value": 4.0, "low": 3.5, "high": 4.5}
FORECAST = {
    "name": "next reading",
    "best_baseline": "smoothing",
    "saved": {"value": 0.12, "low": 0.1, "high": 0.14},
    "methods": {"network": {"mae": SPAN, "coverage": {"value": 0.902}}, "smoothing": {"mae": SPAN}},
}
RESULTS: dict[str, object] = {
    "signals-mitbih-official": {
        "command": "python -m benchmarks.accuracy.signals.mitbih --only official --seeds 1 --minutes 14",
        "seeds": {"0": BEATS},
        "must": {"accuracy": {"wanted": 0.93, "met": True}, "mean_sensitivity": {"wanted": 0.7, "met": False}},
        "aim": {"accuracy": {"wanted": 0.95, "met": False}},
        "others": {"somebody 2019": {"accuracy": 0.945, "mean_sensitivity": 0.703, "jk": 0.773}},
    },
    "signals-rhythms": {
        "left_out": "201",
        "networks": {"planned": {"seeds": {"0": AFIB}}, "recurrent": {"seeds": {"0": {**AFIB, "baselines": {}}}}},
    },
    "signals-stays-network": {
        "command": "python -m benchmarks.accuracy.signals.stays_network --only network --seeds 1 --minutes 20",
        "seeds": {"0": STAYS},
        "must": {"auroc": {"wanted": 0.83, "met": True}},
        "aim": {},
        "others": {"SAPS-I": {"auroc": 0.66, "event_1": 0.31}},
    },
    "signals-kernels": {
        "sets": {
            "ECG200": {
                "accuracy": 0.92,
                "interval": [0.85, 0.96],
                "seconds": {"fit_seconds": 3.3},
                "published_rocket": 0.906,
                "neighbours": {"accuracy": 0.88},
                "must": 0.9,
                "aim": 0.93,
                "met": True,
            },
            "other": {
                "accuracy": 0.5,
                "interval": [0.4, 0.6],
                "seconds": {"fit_seconds": 1.0},
                "published_rocket": 0.5,
                "neighbours": {"accuracy": 0.4},
            },
        },
        "others_below_rocket": -0.0089,
        "others_may_be_below": 0.01,
        "others_met": True,
    },
    "signals-forecast-bound": {"command": "python -m benchmarks.accuracy.signals.forecast_bound", "sets": {}},
    "signals-forecast-icu": {
        "command": "python -m benchmarks.accuracy.signals.forecast --only icu --seed 0",
        "figures": {
            "method": "network",
            "unit": "mmHg",
            "outcomes": [FORECAST, {**FORECAST, "name": "mean within 1 h"}],
        },
        "met": {"next reading": {"saved_10": True, "saved_20": False, "coverage": True}},
        "minutes": 12.0,
    },
}


@pytest.fixture(autouse=True)
def _written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    for name, content in RESULTS.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_every_result_has_its_rows() -> None:
    made = signals()
    for expected in (
        "| mitbih_arrhythmia DS1 → DS2, official | `classify` | took 14.0 min | accuracy 0.940 (0.900–0.960), mean "
        "sensitivity 0.680 (0.600–0.700), jk 0.750 (0.600–0.800); sensitivity/PPV N 0.500/0.500",
        "accuracy > 0.93: met, aim 0.95 missed; mean sensitivity > 0.7: missed | somebody 2019 0.945/0.703/0.773 |",
        "| mitbih_arrhythmia DS1 → DS2, atrial fibrillation, planned | `classify` | took 5.5 min | AUC 0.910 "
        "(0.800–0.970), sensitivity 0.850 (0.800–0.970), PPV 0.830 (0.800–0.970); share of a record off by 0.060 "
        "(0.020–0.110) | AUC above kernels 0.010 (-0.020–0.040) | prevalence AUC 0.500 (0.500–0.500); kernels AUC "
        "0.900 (0.800–0.970) |",
        "| mitbih_arrhythmia DS1 → DS2, atrial fibrillation, recurrent | ",
        "| cinc2012_icu, death, set a → b, network | `classify` | took 20.0 min | AUC 0.835 (0.820–0.850), event 1",
        "AUC > 0.83: met | SAPS-I AUC 0.66, event 1 0.31 |",
        "| ECG200, random kernels | `classify` | took 3.3 s | accuracy 0.9200 (0.850–0.960) | 0.9: met, aim 0.93 miss",
        "| other, random kernels | `classify` | took 1.0 s | accuracy 0.5000 (0.400–0.600) | – |",
        "-0.0089 under published ROCKET | at most 0.01: met |",
        "| icu, next reading | `prognose` | took 12 min in all | MAE 4.000 (3.500–4.500) mmHg, 12.0% (10.0–14.0) "
        "saved; 90% interval covers 90.2% | 10% saved: met, aim 20% missed; covers 87–93%: met | smoothing MAE 4.000",
    ):
        assert expected in made, expected
    assert len(signal_rows()) == 9


def test_the_readmes_have_the_first_of_each() -> None:
    made = tables.table("README.md").splitlines()[2:]
    assert [line.split(" | ")[0].strip("| ") for line in made] == [
        "mitbih_arrhythmia DS1 → DS2, official",
        "mitbih_arrhythmia DS1 → DS2, atrial fibrillation, planned",
        "ECG200, random kernels",
        "icu, next reading",
    ]
    assert "用时 14.0 分钟" in tables.table("README.zh-CN.md")
