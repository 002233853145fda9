"""Predictions as they come, one at a time."""

import json
from collections.abc import Iterable
from typing import TextIO

from hounsfield.core.prediction import Prediction, TargetPrediction
from hounsfield.core.types import Json

SHOWN = 50


def print_predictions(predictions: Iterable[Prediction], out: TextIO) -> None:
    """Print one JSON object; its list is written as the predictions come, so memory stays the same."""
    out.write('{"schema_version": 1, "predictions": [')
    for place, prediction in enumerate(predictions):
        out.write(",\n" if place else "\n")
        out.write(json.dumps(prediction_json(prediction)))
        out.flush()
    out.write("\n]}\n")


def show_predictions(predictions: Iterable[Prediction], out: TextIO, *, written: bool) -> None:
    """Print one line per prediction, the first ones only where all are written to a file."""
    count = refused = 0
    for prediction in predictions:
        count += 1
        refused += bool(prediction.refusal)
        if not written or count <= SHOWN:
            print(prediction_line(prediction), file=out, flush=True)
    if count > SHOWN and written:
        print(f"... and {count - SHOWN} more", file=out)
    rest = f", {refused} refused" if refused else ""
    where = "; see predictions.csv and predictions.json in the folder given" if written else ""
    print(f"{count} inputs{rest}{where}. Research software, not a medical device.", file=out)


def prediction_json(prediction: Prediction) -> Json:
    """Return a prediction as a JSON value."""
    targets: dict[str, Json] = {name: _target_json(target) for name, target in prediction.targets.items()}
    return {
        "sample": prediction.sample,
        "targets": targets,
        "flags": list(prediction.flags),
        "refusal": prediction.refusal,
    }


def _target_json(target: TargetPrediction) -> Json:
    return {
        "value": list(target.value) if isinstance(target.value, tuple) else target.value,
        "probabilities": {name: float(p) for name, p in target.probabilities.items()},
        "at_operating_point": target.at_operating_point,
        **({} if target.pointed_out is None else {"pointed_out": list(target.pointed_out)}),
        **({"sizes": dict(target.sizes), "size_unit": target.size_unit} if target.sizes else {}),
    }


def prediction_line(prediction: Prediction) -> str:
    """Return what is said of one sample on one line."""
    if prediction.refusal:
        return f"{prediction.sample}: refused: {prediction.refusal}"
    several = len(prediction.targets) > 1
    answers = [(f"{name} = " if several else "") + _answer(target) for name, target in prediction.targets.items()]
    doubt = f"  [doubtful: {'; '.join(prediction.flags)}]" if prediction.flags else ""
    return f"{prediction.sample}: {'; '.join(answers)}{doubt}"


def _answer(target: TargetPrediction) -> str:
    if target.sizes:
        return _marked(target)
    if isinstance(target.value, tuple):
        value = " + ".join(target.value) or "none"
    elif isinstance(target.value, str):
        value = target.at_operating_point or target.value
    else:
        value = f"{target.value:.4g}"
    order = sorted(target.probabilities.items(), key=lambda item: -item[1])
    likely = ", ".join(f"{name} {p:.3f}" for name, p in order[:5])
    told = f"{value} ({likely})" if likely else value
    named = set(target.value) if isinstance(target.value, tuple) else {value}
    if target.pointed_out is None or set(target.pointed_out) == named:
        return told
    return f"{told}, pointed out: {' + '.join(target.pointed_out) or 'none'}"


def _marked(target: TargetPrediction) -> str:
    """Say how much is marked: ``vessels 27,229 voxels``, ``hippocampus 3.41 ml``."""
    digits = 2 if target.size_unit == "ml" else 0
    sizes = ", ".join(f"{name} {size:,.{digits}f} {target.size_unit}" for name, size in target.sizes.items())
    return sizes if target.expected_dice is None else f"{sizes} (expected Dice {target.expected_dice:.2f})"
