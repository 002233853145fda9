"""Values at the network's size put back on the image's own grid: what was prepared lies where it was."""

import numpy as np
import pytest

from hounsfield.core.image import Grid, Image
from hounsfield.geometry.affines import reorient
from hounsfield.learn.prepare.back import put_back
from hounsfield.learn.prepare.image import ImagePreparation, prepare


def ball(size: tuple[int, ...], centre: tuple[float, ...], radius: float) -> np.ndarray:
    axes = np.meshgrid(*[np.arange(n) for n in size], indexing="ij")
    return np.asarray(sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True)) < radius**2)


def centroid(values: np.ndarray) -> np.ndarray:
    axes = np.meshgrid(*[np.arange(n) for n in values.shape], indexing="ij")
    return np.array([(a * values).sum() / values.sum() for a in axes])


def there_and_back(image: Image, spec: ImagePreparation) -> np.ndarray:
    return put_back(prepare(image, spec)[0].astype(np.float32), image, spec)


@pytest.mark.parametrize("fit", ["stretch", "pad", "centre"])
@pytest.mark.parametrize("size", [(50, 70), (71, 33)])
def test_a_disc_in_a_picture_comes_back_to_its_place(fit: str, size: tuple[int, int]) -> None:
    mask = ball(size, (0.45 * size[0], 0.55 * size[1]), 6)
    spec = ImagePreparation(size=(48, 40), fit=fit, high=1.0, storage="float16")
    back = there_and_back(Image(mask[None].astype(np.uint8)), spec)
    assert back.shape == size
    np.testing.assert_allclose(centroid(back), centroid(mask), atol=0.6)
    assert ((back > 0.5) & mask).sum() / ((back > 0.5) | mask).sum() > 0.85


def test_what_the_network_never_saw_is_zero() -> None:
    spec = ImagePreparation(size=(20, 20), fit="centre", high=1.0, storage="float16")
    back = there_and_back(Image(np.ones((1, 40, 30), dtype=np.uint8)), spec)
    assert back.sum() == 400
    assert back[10:30, 5:25].all()


@pytest.mark.parametrize("orientation", ["RAS", "stored"])
@pytest.mark.parametrize("fit", ["pad", "stretch", "centre"])
def test_a_ball_in_a_turned_volume_comes_back_to_its_place(orientation: str, fit: str) -> None:
    mask = ball((24, 30, 36), (10, 18, 20), 6).astype(np.uint8)
    array, affine = reorient(mask[None], np.diag([1.0, 1.2, 1.5, 1.0]), "PSL")
    image = Image(np.ascontiguousarray(array), Grid(affine))
    spec = ImagePreparation(
        ndim=3,
        size=(32, 32, 32),
        orientation=orientation,
        spacing_mm=(1.3, 1.3, 1.3),
        fit=fit,
        high=1.0,
        storage="float16",
    )
    back = there_and_back(image, spec)
    assert back.shape == image.size
    truth = image.array[0] > 0
    np.testing.assert_allclose(centroid(back), centroid(truth), atol=0.7)
    assert ((back > 0.5) & truth).sum() / ((back > 0.5) | truth).sum() > 0.75
