"""Here shortcuts are guessed with the forest of a user's size."""

from collections.abc import Iterator

import pytest

from hounsfield.stages.auditing import guessing

TREES = guessing.TREES


@pytest.fixture(autouse=True, scope="package")
def whole_forest() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(guessing, "TREES", TREES)
        yield
