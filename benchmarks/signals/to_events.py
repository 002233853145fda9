"""Writes cinc2012_icu as an event table and a table of outcomes, for sets a (train) and b (test) together.

``python -m benchmarks.signals.to_events OUT`` makes ``OUT/events.parquet`` (record, time_min, variable, value, unit)
and ``OUT/outcomes.csv`` (one row for each stay).
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.record import data_root

SETS = {"a": "train", "b": "test"}
UNITS = {
    "ALP": "IU/L", "ALT": "IU/L", "AST": "IU/L", "Albumin": "g/dL", "BUN": "mg/dL", "Bilirubin": "mg/dL",
    "Cholesterol": "mg/dL", "Creatinine": "mg/dL", "DiasABP": "mmHg", "Glucose": "mg/dL", "HCO3": "mmol/L",
    "HCT": "%", "HR": "1/min", "K": "mmol/L", "Lactate": "mmol/L", "MAP": "mmHg", "Mg": "mmol/L", "NIDiasABP": "mmHg",
    "NIMAP": "mmHg", "NISysABP": "mmHg", "Na": "mmol/L", "PaCO2": "mmHg", "PaO2": "mmHg", "Platelets": "1/nL",
    "RespRate": "1/min", "SaO2": "%", "SysABP": "mmHg", "Temp": "Cel", "TroponinI": "ug/L", "TroponinT": "ug/L",
    "Urine": "mL", "WBC": "1/nL", "Weight": "kg",
}  # fmt: skip
"""Units as the challenge gives them; FiO2, GCS, MechVent and pH have none."""
ICU = {1: "coronary", 2: "cardiac surgery", 3: "medical", 4: "surgical"}
HEADS = (
    "record", "set", "split", "death", "age", "gender", "height_cm", "weight_kg", "icu", "saps_i", "sofa",
    "stay_days", "survival_days",
)  # fmt: skip
"""Columns of the outcomes: what is known at the door is age to icu, what was learned later is not for a model."""

Numbers = npt.NDArray[np.float64]


def write_stays(source: Path, folder: Path) -> int:
    """Write both tables; return the number of events."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    tables = []
    with (folder / "outcomes.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADS)
        for name, split in SETS.items():
            with np.load(source / f"set_{name}.npz", allow_pickle=False) as z:
                content = {key: z[key] for key in z.files}
            for row, record in enumerate(content["record_id"]):
                general, outcomes = content["general"][row], content["outcomes"][row]
                writer.writerow([int(record), name, split, int(outcomes[4]), *_known(general), *_later(outcomes)])
            order = np.lexsort((content["var"], content["minute"], content["rec"]))
            variable = content["var_names"][content["var"][order]].astype(str)
            columns = {
                "record": content["record_id"][content["rec"][order]].astype(str),
                "time_min": content["minute"][order],
                "variable": variable,
                "value": content["value"][order],
                "unit": np.array([UNITS.get(v, "") for v in content["var_names"]])[content["var"][order]],
            }
            tables.append(pa.table(columns))
    table = pa.concat_tables(tables)
    for head in ("record", "variable", "unit"):
        at = table.column_names.index(head)
        table = table.set_column(at, head, table.column(at).dictionary_encode())
    pq.write_table(table, folder / "events.parquet", compression="zstd")
    return int(table.num_rows)


def _known(general: Numbers) -> list[object]:
    """Return what is known at the door; empty where it is not."""
    age, gender, height, icu, weight = (float(v) for v in general)
    sex = {0.0: "female", 1.0: "male"}.get(gender, "")
    return [
        int(age) if age >= 0 else "",
        sex,
        *(f"{v:g}" if v > 0 else "" for v in (round(height, 1), round(weight, 1))),
        ICU.get(int(icu), ""),
    ]


def _later(outcomes: npt.NDArray[np.int32]) -> list[object]:
    """Return severity scores, days of the stay and days of survival; empty where they are not known."""
    return [int(v) if v >= 0 else "" for v in outcomes[:4]]


def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    print(f"{write_stays(data_root() / 'cinc2012_icu', out)} events in Parquet", flush=True)


if __name__ == "__main__":
    main()
