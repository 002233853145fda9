"""The pairs that are worth a real comparison are kept as they come, not gathered from all blocks first."""

from collections.abc import Sequence

import numpy as np
import pytest

from hounsfield.core.types import Float32Array, IntArray
from hounsfield.stages.auditing import duplicates


def test_kept_on_the_way_is_what_would_be_kept_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    signatures = rng.normal(size=(300, 6)).astype(np.float32)
    signatures /= np.linalg.norm(signatures, axis=1, keepdims=True)
    signatures[::9] = signatures[0]  # equal scores: the earlier pair is kept
    monkeypatch.setattr(duplicates, "_BLOCK", 32)
    monkeypatch.setattr(duplicates, "_LEAST_CANDIDATES", 50)
    most, limit = 0, 900
    joined = duplicates._best_of

    def watched(
        lefts: Sequence[IntArray], rights: Sequence[IntArray], scores: Sequence[Float32Array], *, limit: int
    ) -> tuple[IntArray, IntArray, Float32Array]:
        nonlocal most
        most = max(most, sum(map(len, scores)))
        return joined(lefts, rights, scores, limit=limit)

    found = duplicates._candidates(signatures)
    monkeypatch.setattr(duplicates, "_best_of", watched)
    again = duplicates._candidates(signatures)
    wanted = []
    for top in range(0, 300, 32):
        for side in range(top, 300, 32):
            product = signatures[top : top + 32] @ signatures[side : side + 32].T
            wanted += [
                (-float(product[a, b]), top + a, side + b)
                for a, b in zip(*np.nonzero(product > duplicates._CANDIDATE), strict=True)
                if top + a < side + b
            ]
    assert len(wanted) > 5 * limit
    places = sorted(sorted(range(len(wanted)), key=lambda i: wanted[i][0])[:limit])
    assert [(int(a), int(b)) for a, b in zip(*found, strict=True)] == [wanted[i][1:] for i in places]
    np.testing.assert_array_equal(np.stack(found), np.stack(again))
    assert most < 3 * limit + 32**2
