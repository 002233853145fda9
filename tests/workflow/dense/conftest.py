"""Speed is measured briefly here: how many steps are made is asked for, and no test keeps a budget."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _brief() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hounsfield.workflow.dense.planning.PROBE_SECONDS", 0.0)
        patched.setattr("hounsfield.workflow.dense.planning.TRIALS", 1)
        yield
