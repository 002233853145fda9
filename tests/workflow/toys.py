"""Studies of striped pictures in memory, and one plan for all of them."""

from collections.abc import Mapping

import numpy as np

from hounsfield.core.types import AnyArray
from tests.learn.toys import striped

SIDE = 32
COUNT = 60


def rows(*, tests: AnyArray | None = None, swapped: bool = False, count: int = COUNT) -> list[Mapping[str, object]]:
    """Samples with official parts: 36 to train, 12 to validate, 12 to test.

    Parameters
    ----------
    tests
        Test pictures in place of their own, ``12 1 y x``.
    swapped
        Whether the test answers are exchanged.
    """
    images = striped(count, size=SIDE)
    made: list[Mapping[str, object]] = []
    place = 0
    for number, own in enumerate(images):
        image = own
        part = ("train", "train", "val", "train", "test")[number // 2 % 5]
        answer = number % 2
        if part == "test":
            image = own if tests is None else tests[place]
            place += 1
            answer = 1 - answer if swapped else answer
        made.append(
            {
                "id": f"case{number:03d}",
                "patient": f"p{number // 2:03d}",
                "image": np.ascontiguousarray(image[0]),
                "label": "sick" if answer else "healthy",
                "part": part,
            }
        )
    return made
