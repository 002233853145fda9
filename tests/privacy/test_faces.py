"""A face goes, a brain stays: on heads made of ellipsoids, in every orientation, and never on what is no head."""

import numpy as np
import pytest

from hounsfield.core.errors import RefusedError
from hounsfield.privacy.faces import deface
from tests.privacy.heads import SPACING, head


@pytest.mark.parametrize(("background", "tissue"), [(-1000.0, 40.0), (10.0, 600.0)])
def test_the_face_goes_and_the_brain_stays(background: float, tissue: float) -> None:
    volume, face, brain, affine = head(background, tissue)
    clean = deface(volume, affine)
    assert clean.removed[face].all()
    assert not clean.removed[brain].any()
    assert np.array_equal(clean.volume[~clean.removed], volume[~clean.removed])
    assert abs(float(clean.volume[clean.removed].mean()) - background) < 0.1 * abs(tissue - background)
    assert clean.volume.dtype == volume.dtype
    behind = np.nonzero(clean.removed)[1].min()
    assert behind * SPACING - 135 > -70  # nothing of the back of the head


def test_it_is_the_same_each_time_and_in_any_orientation() -> None:
    volume, _, _, affine = head(-1000.0, 40.0)
    once = deface(volume, affine)
    assert np.array_equal(once.removed, deface(volume, affine).removed)
    # the same head stored left to right, back to front, and with rows and slices exchanged
    turned = np.swapaxes(volume[:, ::-1, ::-1], 0, 1)
    to_old = np.array([[-1, 0, 0, volume.shape[2] - 1], [0, 0, -1, volume.shape[1] - 1], [0, 1, 0, 0], [0, 0, 0, 1.0]])
    other = deface(np.ascontiguousarray(turned), affine @ to_old)
    assert np.array_equal(np.swapaxes(other.removed, 0, 1)[:, ::-1, ::-1], once.removed)


def test_what_shows_no_head_is_refused() -> None:
    volume, _, _, affine = head(-1000.0, 40.0)
    with pytest.raises(RefusedError, match="whole head"):
        deface(volume[: volume.shape[0] // 4], affine)
    with pytest.raises(RefusedError, match="whole head"):
        deface(np.zeros_like(volume), affine)
    with pytest.raises(RefusedError, match="wide"):
        deface(volume, affine @ np.diag([3.0, 3.0, 3.0, 1.0]))
