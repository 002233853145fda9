"""Run an exported model with onnxruntime and NumPy alone: python exported.py model.onnx."""

import base64
import json
import sys

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
about = json.loads(session.get_modelmeta().custom_metadata_map["hounsfield"])

largest = 0.0
for case in about["self_test"]["cases"]:
    stored = {
        n: np.frombuffer(base64.b64decode(i["data"]), "<f4").reshape(i["shape"]) for n, i in case["inputs"].items()
    }
    answers = session.run(list(case["outputs"]), stored)
    largest = max(largest, *(np.abs(a - w).max() for a, w in zip(answers, case["outputs"].values(), strict=True)))
print(f"{len(about['self_test']['cases'])} self-tests, largest difference {largest:.1e}")

(taken,) = about["inputs"]
image = np.full((1, *(40, 200, 300)[3 - taken["axes"].count(" ") :]), 128, np.float32)  # yours, as its file stores it
for target, answer in zip(about["targets"], session.run(None, {taken["name"]: image}), strict=True):
    said = dict(zip(target["classes"], answer.tolist(), strict=True)) if target["classes"] else answer.tolist()
    print(target["target"], said)
    if target["kind"] == "categorical" and len(target["classes"]) > 2:
        print("called:", max(said, key=lambda name: said[name] * target["class_factors"].get(name, 1.0)))
