"""The same figures as MONAI's on random masks."""

import warnings
from types import ModuleType

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray
from hounsfield.science.statistics.segmentation.mask_figures import mask_figures

SHAPES = [((40, 44), (0.7, 1.3)), ((10, 24, 28), (3.0, 0.8, 0.8)), ((6, 20, 20), (1.0, 1.0, 1.0))]


@pytest.fixture(scope="module")
def monai() -> tuple[ModuleType, ModuleType]:
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("monai.metrics", reason="monai is not installed")
        from monai import metrics
    return torch, metrics


def pair(shape: tuple[int, ...], number: int, smooth: float) -> tuple[AnyArray, AnyArray]:
    rng = stream(number, "masks")
    field = gaussian_filter(rng.normal(size=shape), smooth)
    other = field + 0.4 * gaussian_filter(rng.normal(size=shape), smooth)
    level = np.quantile(field, 0.8)
    return field > level, other > level


@pytest.mark.parametrize(("shape", "spacing"), SHAPES)
@pytest.mark.parametrize("smooth", [0.0, 1.5])
def test_overlap_and_surfaces(
    monai: tuple[ModuleType, ModuleType], shape: tuple[int, ...], spacing: tuple[float, ...], smooth: float
) -> None:
    torch, metrics = monai
    for number in range(3):
        said, true = pair(shape, number, smooth)
        found = mask_figures(said, true, spacing, tolerance_mm=1.4)
        one, other = (torch.from_numpy(m[None, None].astype(np.float32)) for m in (said, true))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = {
                "dice": metrics.compute_dice(one, other, include_background=True),
                "iou": metrics.compute_iou(one, other, include_background=True),
                "hd95_mm": metrics.compute_hausdorff_distance(
                    one, other, include_background=True, percentile=95, spacing=spacing
                ),
                "assd_mm": metrics.compute_average_surface_distance(
                    one, other, include_background=True, symmetric=True, spacing=spacing
                ),
                "nsd": metrics.compute_surface_dice(
                    one, other, class_thresholds=[1.4], include_background=True, spacing=spacing
                ),
            }
        for name, value in wanted.items():
            assert found[name] == pytest.approx(float(value), abs=2e-5), name
