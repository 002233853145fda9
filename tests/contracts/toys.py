"""One toy of each kind of part, as somebody would add it: one file, one line in its table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Roles, Sample, Schema, TargetSpec
from hounsfield.core.errors import ReadError
from hounsfield.core.image import Header, Image
from hounsfield.core.protocols import Decoding, TargetKind
from hounsfield.core.types import AnyArray, Float64Array, TargetValue
from hounsfield.learn.nn.network import Encoder, EncoderNetwork
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, read_options
from hounsfield.tasks.classify.categorical import CATEGORICAL, Categorical

MAGIC = b"TOY1"


class ToyTask:
    """Answers the first target only."""

    name = "toy"
    road = "vector"

    def claim(self, schema: Schema) -> float:
        return 0.0

    def accepts(self, schema: Schema) -> tuple[TargetSpec, ...]:
        return schema.targets[:1]

    def kind(self, target: TargetSpec) -> TargetKind:
        return CATEGORICAL


class ToyKind(Categorical):
    """Classes, counted as they are encoded."""

    asked: ClassVar[list[int]] = []

    def encode(self, target: TargetSpec, values: Sequence[TargetValue]) -> AnyArray:
        self.asked.append(len(values))
        return super().encode(target, values)

    def decode(self, target: TargetSpec, outputs: Float64Array, decoding: Decoding) -> Float64Array:
        found = super().decode(target, outputs, decoding)
        self.asked.append(len(found))
        return found


TOY_KIND = ToyKind()


class ToyOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToyEncoder(Encoder):
    """The mean of each quarter of the picture."""

    def __init__(self, shape: InputShape) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.map = nn.Linear(4 * shape.channels, 8)
        self.features = 8

    def forward(self, image: Tensor, context: Mapping[str, object]) -> Tensor:
        found: Tensor = self.map(self.pool(image).flatten(1)).float()
        return found


class ToyNetwork(EncoderNetwork):
    Options: ClassVar[type[BaseModel]] = ToyOptions

    def __init__(self, spec: NetworkSpec) -> None:
        read_options(spec, ToyOptions)
        super().__init__(spec, [ToyEncoder(shape) for shape in spec.inputs.values()])


class ToyReader:
    """``TOY1``, one byte for the edge, then grey bytes."""

    def sniff(self, head: bytes, name: str) -> bool:
        return head.startswith(MAGIC)

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        data = self._bytes(cohort, ref)
        return Header((data[4], data[4]), 1, 8, "TOY", len(data))

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        data = self._bytes(cohort, ref)
        return Image(np.frombuffer(data[5:], np.uint8).reshape(1, data[4], data[4]))

    def _bytes(self, cohort: Cohort, ref: Ref) -> bytes:
        data = (Path(cohort.root) / ref.path).read_bytes()
        if len(data) < 5 or len(data) != 5 + data[4] ** 2:
            raise ReadError("A toy file is cut short.", expected="edge times edge bytes", next_step="copy it again")
        return data


class ToyLayout:
    """``<number>_<answer>.toy`` in one folder."""

    def claims(self, root: Path, roles: Roles) -> float:
        return 1.0 if root.is_dir() and any(root.glob("*_*.toy")) else 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        names = sorted(p.name for p in root.glob("*_*.toy"))
        answers = {n: n.removesuffix(".toy").split("_")[1] for n in names}
        samples = tuple(
            Sample(
                id=n.removesuffix(".toy"),
                patient=n.removesuffix(".toy"),
                inputs={"image": (Reading(Ref("toy", n)),)},
                targets={"answer": answers[n]},
            )
            for n in names
        )
        target = TargetSpec(
            name="answer", kind="categorical", classes=("no", "yes"), positive="yes", positive_source="declared"
        )
        schema = Schema(targets=(target,), inputs=(InputSpec(name="image"),), layout="toy")
        return Cohort(name=root.name, root=str(root), samples=samples, schema=schema)
