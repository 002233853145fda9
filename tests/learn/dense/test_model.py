"""Whole cases judged: on the image's own grid, whatever lies between."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from scipy import ndimage

from hounsfield.bundle.sealed import Member
from hounsfield.core.image import Image
from hounsfield.core.structures import Structures
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.geometry.affines import reorient
from hounsfield.learn.dense import case as case_module
from hounsfield.learn.dense import model as model_module
from hounsfield.learn.dense import rows as rows_module
from hounsfield.learn.dense import window as window_module
from hounsfield.learn.dense.job import INPUT, DenseJob, dense_json
from hounsfield.learn.dense.learner import DENSE
from hounsfield.learn.dense.model import DenseRunner, labels_of
from hounsfield.learn.dense.preparing import DensePreparation
from hounsfield.learn.dense.running import WindowRunner, dense_job
from hounsfield.learn.dense.window import Windows
from hounsfield.learn.engines import ENGINES
from hounsfield.learn.engines.protocol import Engine
from hounsfield.learn.learners.protocol import State
from hounsfield.learn.nn.table import DENSE_NETWORKS, build
from hounsfield.learn.prepare.image import resize
from tests.learn.dense.making import deep_job, flat_job
from tests.learn.dense.test_case import UPRIGHT, WAYS, by_hand, shorter, turned, volume
from tests.learn.dense.test_window import by_hand as windows_by_hand

LAYOUTS = {
    "one": Structures(classes=("a",), layout="one"),
    "exclusive": Structures(classes=("a", "b"), layout="exclusive", values=(1, 2)),
    "overlapping": Structures(classes=("a", "b", "c"), layout="overlapping", values=(0, 1, 2)),
}
EXACT = [n for n in ENGINES if not n.endswith("bfloat16") and not cast(Engine, ENGINES.resolve(n)).lacks()]


def said(values: Float32Array | Float64Array, structures: Structures) -> Float64Array:
    """What the network below says of prepared values ``...``: one number for each output, from the voxel alone."""
    base = np.stack([1.0 / (1.0 + np.exp((-2.0) ** n * (values - 0.4 * n))) for n in range(structures.width)])
    return base / base.sum(axis=0) if structures.layout == "exclusive" else base


class Voxelwise:
    """Takes the place of `WindowRunner`: a network that looks at single voxels, so that what is right is known."""

    def __init__(self, spec: DensePreparation, structures: Mapping[str, Structures]) -> None:
        self.job = SimpleNamespace(preparation=spec, structures=structures)
        self.engine = SimpleNamespace(name="voxelwise")

    def __call__(self, windows: Iterable[AnyArray]) -> Iterator[Mapping[str, Float32Array]]:
        for window in windows:
            spec = self.job.preparation
            # of slices the one before, and a little of the one behind, so that their order is seen
            seen = window[0] if spec.depth == 1 else 0.7 * window[0] + 0.3 * window[-1]
            values = np.asarray(seen, dtype=np.float32)
            yield {n: said(values, s).astype(np.float32) for n, s in self.job.structures.items()}


def voxelwise(
    monkeypatch: pytest.MonkeyPatch, spec: DensePreparation, structures: Mapping[str, Structures], windows: Windows
) -> DenseRunner:
    monkeypatch.setattr(model_module, "WindowRunner", lambda members, **_: Voxelwise(spec, structures))
    return DenseRunner([], windows=windows, engine="voxelwise")


def small(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    for module in (case_module, model_module, rows_module, window_module):
        monkeypatch.setattr(module, "CHUNK", chunk)


def put_back_by_hand(values: Float64Array, size: tuple[int, ...], way: str) -> Float64Array:
    """Values of the prepared grid on the volume's own, with SciPy."""
    for axis, length in enumerate(size, start=1):
        if length < values.shape[axis]:
            values = shorter(values, axis, length)
    grids = np.meshgrid(
        *[(np.arange(n) + 0.5) * h / n - 0.5 for n, h in zip(size, values.shape[1:], strict=True)], indexing="ij"
    )
    upright = np.stack([ndimage.map_coordinates(v, grids, order=1, mode="nearest") for v in values])
    return np.asarray(reorient(upright, UPRIGHT, way)[0])


@pytest.mark.parametrize("spacing", [None, [2.0, 1.7, 0.8], [0.9, 2.1, 1.2]], ids=str)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chunk", [400, 1 << 20])
def test_answers_lie_on_the_images_own_grid(
    way: str, spacing: list[float] | None, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, chunk)
    spec = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS", spacing_mm=spacing)
    array = volume(1)
    image = turned(array, way)
    runner = voxelwise(monkeypatch, spec, LAYOUTS, Windows((8, 8, 8), 0.4))
    case = runner.case({"image": image})
    answer = runner.answer(case).probabilities
    thresholds = {"one": [0.5], "exclusive": [0.5, 0.5], "overlapping": [0.3, 0.5, 0.7]}
    marked = runner.mark(case, thresholds)
    prepared = by_hand(array, spec)[0]
    for name, structures in LAYOUTS.items():
        wanted = said(prepared, structures)[structures.layout == "exclusive" :]
        wanted = put_back_by_hand(wanted, array.shape[1:], way)
        assert answer[name].dtype == np.float16
        assert answer[name].shape == (len(structures.classes), *image.size)
        np.testing.assert_allclose(answer[name].astype(np.float64), wanted, atol=6e-4)
        assert marked[name].dtype == np.uint8
        np.testing.assert_array_equal(marked[name], labels_of(answer[name], structures, thresholds[name]))
        assert len(np.unique(marked[name])) > 1


@pytest.mark.parametrize("neighbours", [0, 1])
@pytest.mark.parametrize("across", ["z", "y", "x"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chunk", [400, 1 << 20])
def test_slices_along_any_axis_are_answered_on_the_images_own_grid(
    way: str, across: str, neighbours: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, chunk)
    place = "zyx".index(across)
    spacing: list[float | None] = [None if n == place else s for n, s in enumerate((2.0, 1.7, 0.8))]
    upright = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS", spacing_mm=spacing)
    spec = upright.model_copy(update={"slices": across, "neighbours": neighbours})
    array = volume(1)
    image = turned(array, way)
    windows = Windows((1, 8, 8), 0.4, depth=spec.depth)
    runner = voxelwise(monkeypatch, spec, LAYOUTS, windows)
    case = runner.case({"image": image})
    answer = runner.answer(case).probabilities
    thresholds = {"one": [0.5], "exclusive": [0.5, 0.5], "overlapping": [0.3, 0.5, 0.7]}
    marked = runner.mark(case, thresholds)
    prepared = by_hand(
        array,
        upright.model_copy(update={"spacing_mm": [s or u for s, u in zip(spacing, (1.5, 1.0, 1.2), strict=True)]}),
    )[0]
    if neighbours:
        last = prepared.shape[place] - 1
        before, behind = (np.clip(np.arange(last + 1) + step, 0, last) for step in (-1, 1))
        prepared = 0.7 * prepared.take(before, axis=place) + 0.3 * prepared.take(behind, axis=place)
    for name, structures in LAYOUTS.items():
        wanted = put_back_by_hand(said(prepared, structures)[structures.layout == "exclusive" :], array.shape[1:], way)
        assert answer[name].shape == (len(structures.classes), *image.size)
        np.testing.assert_allclose(answer[name].astype(np.float64), wanted, atol=6e-4)
        np.testing.assert_array_equal(marked[name], labels_of(answer[name], structures, thresholds[name]))


def test_masks_may_be_written_to_a_file_as_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, 400)
    spec = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS")
    image = turned(volume(4), "PIL")
    name = "overlapping"
    runner = voxelwise(monkeypatch, spec, {name: LAYOUTS[name]}, Windows((8, 8, 8), 0.4))
    case, limits = runner.case({"image": image}), {name: [0.3, 0.5, 0.7]}
    sheet = np.memmap(tmp_path / "mask", dtype=np.uint8, mode="w+", shape=(3, *image.size))
    found = runner.mark(case, limits, {name: sheet})
    assert found[name] is sheet
    np.testing.assert_array_equal(np.fromfile(tmp_path / "mask", np.uint8), runner.mark(case, limits)[name].ravel())


@pytest.mark.parametrize("size", [(1, 20, 22), (18, 1, 9), (7, 8, 1), (1, 1, 1), (5, 6, 7)])
def test_thin_volumes_and_those_smaller_than_a_window_are_answered(
    size: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS", spacing_mm=[0.6, 2.0, 1.0])
    array = volume(2, size)
    for way in ("RAS", "SRA"):
        runner = voxelwise(monkeypatch, spec, {"one": LAYOUTS["one"]}, Windows((8, 16, 8), 0.5))
        case = runner.case({"image": turned(array, way)})
        found = runner.answer(case).probabilities["one"].astype(np.float64)
        assert found.shape[1:] == case.first.size
        if array.size > 1:
            wanted = put_back_by_hand(said(by_hand(array, spec)[0], LAYOUTS["one"]), size, way)
            np.testing.assert_allclose(found, wanted, atol=6e-4)


@pytest.mark.parametrize("edge", [None, 20, 90])
def test_pictures_are_answered_at_their_own_size(edge: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = DensePreparation(ndim=2, channels={"image": 1}, edge=edge)
    picture = Image(volume(3, (1, 44, 31))[0])
    runner = voxelwise(monkeypatch, spec, {"one": LAYOUTS["one"]}, Windows((16, 16), 0.5))
    case = runner.case({"image": picture})
    found = runner.answer(case).probabilities["one"]
    wanted = resize(said(case.whole()[0], LAYOUTS["one"]).astype(np.float32), (44, 31))
    np.testing.assert_allclose(found.astype(np.float64), wanted, atol=6e-4)
    np.testing.assert_array_equal(runner.mark(case, {"one": [0.6]})["one"], found >= np.float16(0.6))


def member(job: DenseJob, seed: int) -> Member:
    """A network of random weights, so large that its answers are not all one half."""
    network = build(job.network, seed=seed, table=DENSE_NETWORKS)
    generator = torch.Generator().manual_seed(seed)
    state = {k: v.contiguous().numpy() for k, v in network.state_dict().items()}
    for name, value in state.items():
        if name.startswith("outputs"):
            state[name] = torch.randn(value.shape, generator=generator).numpy()
    return Member("dense", state, dense_json(job, None))


def judged_by_hand(members: Sequence[Member], image: AnyArray, windows: Windows, views: Sequence[str]) -> Float64Array:
    """Members and mirrored views averaged window by window, with whole arrays and PyTorch."""

    def calls(cuts: Iterable[AnyArray]) -> Iterator[Mapping[str, Float32Array]]:
        for window in cuts:
            tensor = torch.from_numpy(np.ascontiguousarray(window, dtype=np.float32))[None]
            total: list[Float32Array] = []
            for one in members:
                network = DENSE.module(State(one.arrays, None), dense_job(one))
                for view in ("", *views):
                    axes = [{"x": -1, "y": -2, "z": -3}[view]] if view else []
                    with torch.inference_mode():
                        raw = network({INPUT: tensor.flip(axes)}, {})["mask"].flip(axes)
                    probability = raw.softmax(dim=1) if raw.shape[1] > 1 else raw.sigmoid()
                    total.append(probability[0].numpy())
            yield {"a": np.asarray(np.mean(total, axis=0))}

    return windows_by_hand(image, windows, calls)


@pytest.mark.parametrize("engine", EXACT)
def test_members_and_mirrored_views_are_averaged_in_every_engine(engine: str) -> None:
    job = deep_job()
    members = [member(job, 1), member(job, 2)]
    windows = Windows((16, 24, 16), 0.4)
    image = np.random.default_rng(0).standard_normal((1, 23, 30, 20)).astype(np.float32)
    found = DenseRunner(members, windows=windows, engine=engine, views=("x", "z")).dense(image)["mask"]
    wanted = judged_by_hand(members, image, windows, ("x", "z"))
    assert np.ptp(wanted) > 0.3
    np.testing.assert_allclose(found.astype(np.float64), wanted[1:], atol=1e-3)


@pytest.mark.parametrize("engine", EXACT)
def test_windows_of_one_value_are_run_once(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    job = flat_job()
    runner = WindowRunner([member(job, 3)], engine=engine, views=())
    rng = np.random.default_rng(0)
    flat = [np.full((1, 32, 32), v, np.float32) for v in (-2.0, 1.0, -2.0)]
    some = [rng.standard_normal((1, 32, 32)).astype(np.float32) for _ in range(3)]
    almost = flat[0].copy()
    almost[0, -1, -1] = -1.9
    windows = [flat[0], flat[2], some[0], flat[0], flat[1], some[1], almost, flat[1], some[2], flat[0]]
    alone = [next(iter(runner([w])))["mask"] for w in windows]
    run = runner._compiled.stream
    ran: list[int] = []

    def counted(calls: Iterable[dict[str, AnyArray]]) -> Iterator[dict[str, Float32Array]]:
        def seen() -> Iterator[dict[str, AnyArray]]:
            for call in calls:
                ran.append(1)
                yield call

        return run(seen())

    monkeypatch.setattr(runner._compiled, "stream", counted)
    together = [found["mask"] for found in runner(iter(windows))]
    assert len(ran) == 6
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert [f["mask"].shape for f in runner([flat[0]] * 3)] == [(1, 32, 32)] * 3
    assert not list(runner([]))
