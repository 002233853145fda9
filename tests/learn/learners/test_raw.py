"""Raw outputs made from probabilities decode to those probabilities, for every kind of target."""

from typing import cast

import numpy as np
import pytest

from hounsfield.core.errors import PlanError
from hounsfield.core.protocols import Decoding, TargetKind
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.learn.learners.raw import FLOOR, raw_outputs
from hounsfield.tasks.classify.task import TARGET_KINDS
from tests.learn.toys import TARGETS


def shares(kind: str, count: int = 50) -> Float64Array:
    rng = stream(0, "shares")
    if kind == "number":
        return rng.standard_normal((count, 1))
    if kind == "multilabel":
        return rng.uniform(0.01, 0.99, (count, 3))
    return rng.dirichlet(np.full(len(TARGETS[kind].classes), 2.0), count)


@pytest.mark.parametrize("kind", TARGETS)
def test_raw_outputs_are_the_inverse_of_decoding(kind: str) -> None:
    target = TARGETS[kind]
    how = cast(TargetKind, TARGET_KINDS.resolve(kind))
    probability = shares(kind)
    raw = raw_outputs(how.loss, probability)
    assert raw.shape == (len(probability), how.width(target))
    np.testing.assert_allclose(how.decode(target, raw, Decoding()), probability, rtol=1e-6)


@pytest.mark.parametrize("kind", ["categorical", "multilabel", "ordinal"])
def test_certainty_stays_finite(kind: str) -> None:
    target = TARGETS[kind]
    how = cast(TargetKind, TARGET_KINDS.resolve(kind))
    certain = np.eye(len(target.classes))
    raw = raw_outputs(how.loss, certain)
    assert np.isfinite(raw).all()
    np.testing.assert_allclose(how.decode(target, raw, Decoding()), certain, atol=3 * FLOOR)


def test_unknown_loss_is_refused() -> None:
    with pytest.raises(PlanError, match="hinge"):
        raw_outputs("hinge", np.zeros((1, 1)))
