"""Array and value types that are named often."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Float32Array: TypeAlias = npt.NDArray[np.float32]
Float64Array: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
AnyArray: TypeAlias = npt.NDArray[np.generic]

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
"""What a fitted thing outside a network is stored as."""

TargetValue: TypeAlias = str | float | tuple[str, ...] | None
"""A class or level name, a number, the names of the labels present, or None where the answer is missing."""

Attribute: TypeAlias = str | float | None
Scalars: TypeAlias = Mapping[str, float]
