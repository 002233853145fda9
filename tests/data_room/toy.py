"""A layout and a reader that live outside the package."""

from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, Reading, Ref, Roles, Sample, Schema, TargetSpec
from hounsfield.core.image import Header, Image


class ToyReader:
    def sniff(self, head: bytes, name: str) -> bool:
        return head.startswith(b"TOY1")

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        return Header((8, 8), 1, 8, "TOY", 4)

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        return Image(np.zeros((1, 8, 8), np.uint8))


class ToyLayout:
    def claims(self, root: Path, roles: Roles) -> float:
        return 0.99 if list(root.glob("*.toy")) else 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        paths = sorted(p.name for p in root.glob("*.toy"))
        samples = tuple(
            Sample(id=p, patient=p, inputs={"image": (Reading(Ref("toy", p)),)}, targets={"y": "a"}) for p in paths
        )
        target = TargetSpec(name="y", kind="categorical", classes=("a", "b"))
        return Cohort(name="toy", root=str(root), samples=samples, schema=Schema(targets=(target,), layout="toy"))
