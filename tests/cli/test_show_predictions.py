import io
import json

from hounsfield.cli.show_predictions import print_predictions, show_predictions
from hounsfield.core.prediction import Prediction, TargetPrediction

VESSELS = TargetPrediction(value=27229.0, sizes={"vessels": 27229.0}, size_unit="voxels")
PARTS = TargetPrediction(value=3.412, sizes={"anterior": 1.6, "posterior": 1.812}, size_unit="ml", expected_dice=0.8712)


def test_a_mask_is_told_by_its_sizes() -> None:
    out = io.StringIO()
    show_predictions([Prediction("a", {"mask": VESSELS}), Prediction("b", {"mask": PARTS})], out, written=False)
    one, two, _ = out.getvalue().splitlines()
    assert one == "a: vessels 27,229 voxels"
    assert two == "b: anterior 1.60 ml, posterior 1.81 ml (expected Dice 0.87)"


def test_sizes_are_no_probabilities() -> None:
    out = io.StringIO()
    print_predictions([Prediction("b", {"mask": PARTS})], out)
    said = json.loads(out.getvalue())["predictions"][0]["targets"]["mask"]
    assert said["probabilities"] == {}
    assert (said["sizes"], said["size_unit"]) == ({"anterior": 1.6, "posterior": 1.812}, "ml")
