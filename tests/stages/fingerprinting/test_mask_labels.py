"""Labels are told from what only looks like them: blurred edges, grey levels, numbers that nobody declared."""

import numpy as np
import numpy.typing as npt
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.core.image import Image
from hounsfield.stages.fingerprinting.masks import MaskLook, label_doubts, mask_look

Plane = npt.NDArray[np.uint8]
y, x = np.mgrid[:96, :112]


def disc(radius: float, *, at: tuple[float, float] = (47.3, 52.7)) -> npt.NDArray[np.bool_]:
    inside: npt.NDArray[np.bool_] = (y - at[0]) ** 2 + (x - at[1]) ** 2 < radius**2
    return inside


def halved(plane: npt.NDArray[np.bool_]) -> Plane:
    """Make a mask half as large with a box filter, as the mean of 2 x 2 pixels."""
    whole = plane.astype(np.float64).reshape(48, 2, 56, 2).mean(axis=(1, 3)) * 255
    return np.asarray(np.rint(whole), dtype=np.uint8)


def looked(plane: Plane) -> MaskLook:
    return mask_look(Image(plane[None]), Image(np.zeros_like(plane)[None]))


@pytest.mark.parametrize("radius", [6.0, 15.0, 33.0])
def test_a_mask_that_was_made_smaller_is_refused(radius: float) -> None:
    """Issue 5: five grey levels became four classes, silently."""
    plane = halved(disc(radius))
    assert 3 < len(np.unique(plane)) <= 5
    with pytest.raises(ReadError, match="edges of a mask are blurred: its values between 0 and 255") as found:
        looked(plane)
    assert "above 127" in found.value.next_step


def test_one_shade_only_is_told_by_where_the_mask_meets_the_background() -> None:
    plane = np.zeros((48, 56), np.uint8)
    plane[10:30, 10:31] = 255
    plane[10:30, 31] = 128  # one edge falls within a pixel, the others do not
    with pytest.raises(ReadError, match="blurred"):
        looked(plane)


def test_a_volume_is_looked_at_along_all_its_axes() -> None:
    z = np.arange(40)[:, None, None]
    ball = (z - 19.3) ** 2 + (y[:40, :40] - 20.1) ** 2 + (x[:40, :40] - 18.7) ** 2 < 120
    smaller = np.rint(ball.astype(np.float64).reshape(20, 2, 20, 2, 20, 2).mean(axis=(1, 3, 5)) * 255)
    volume = smaller.astype(np.uint8)
    with pytest.raises(ReadError, match="blurred"):
        mask_look(Image(volume[None]), Image(volume[None].astype(np.int16)))


def rings() -> Plane:
    """Draw a cup within a disc within nothing, as eye collections code them."""
    return np.where(disc(12), 255, np.where(disc(30), 128, 0)).astype(np.uint8)


def rim() -> Plane:
    """Draw a body whose border, one pixel wide, is a class of its own."""
    inner = disc(20)
    around = np.zeros_like(inner)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            around |= np.roll(inner, (dy, dx), axis=(0, 1))
    return np.where(inner, 255, np.where(around, 128, 0)).astype(np.uint8)


def vessels() -> Plane:
    """Draw thin arteries, veins and where they cross."""
    plane = np.zeros((96, 112), np.uint8)
    plane[::16] = 85
    plane[:, ::16] = 170
    plane[::16, ::16] = 255
    return plane


@pytest.mark.parametrize(
    ("plane", "labels"),
    [
        (rings(), {128, 255}),
        (rim(), {128, 255}),
        (vessels(), {85, 170, 255}),
        (np.where(disc(30), 255, 0).astype(np.uint8), {255}),
        (np.where(disc(9), 3, np.where(disc(20), 2, disc(30))).astype(np.uint8), {1, 2, 3}),
        (np.zeros((96, 112), np.uint8), set()),
    ],
    ids=["rings", "rim", "vessels", "one", "counted", "empty"],
)
def test_labels_are_kept(plane: Plane, labels: set[int]) -> None:
    assert set(looked(plane).voxels) == labels


def test_labels_that_nobody_declared_are_named_unless_they_count_from_one() -> None:
    def seen(*labels: int, channels: int = 1) -> MaskLook:
        return MaskLook(channels, dict.fromkeys(labels, 5), 0.1, 2.0, (0.5, 0.5), np.zeros(0, np.float32))

    (said,) = label_doubts("mask", [seen(64), seen(128, 255), seen()])
    assert "'mask' hold the labels 64, 128, 255" in said
    assert label_doubts("mask", [seen(1, 3)])
    assert not label_doubts("mask", [seen(255), seen()])
    assert not label_doubts("mask", [seen(1), seen(1, 2), seen(3)])
    assert not label_doubts("mask", [seen(1, 3, channels=4)])
