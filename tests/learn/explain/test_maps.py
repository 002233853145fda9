"""Every map in the table points at what decides, passes its own check, and follows the weights."""

import numpy as np
import pytest
import torch

from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, BoolArray
from hounsfield.learn.explain import METHODS
from hounsfield.learn.explain.curves import curves, ends_of, ranks
from hounsfield.learn.explain.gradcam import Lattice, gradcam, laid_out, lattice_of, member_maps, stride
from hounsfield.learn.explain.gradients import attributions, baselines_of
from hounsfield.learn.explain.hiding import blurred
from hounsfield.learn.explain.maps import map_of
from hounsfield.learn.explain.occlusion import occlusion
from hounsfield.learn.explain.question import Question
from hounsfield.learn.explain.view import View, Voice
from hounsfield.learn.explain.weights import SHARES, fresh_voices, randomised
from hounsfield.stages.explaining.controls import alike, coarseness, random_field
from hounsfield.stages.explaining.faithfulness import LEVEL, RANDOM, Curves, chance, compare
from hounsfield.stages.explaining.pointing import peak_of
from tests.learn.explain import blobs as toys
from tests.learn.toys import ALL, HEADS, TARGETS

COUNT = 10


@pytest.fixture(scope="module")
def trained() -> tuple[Voice, ...]:
    return toys.heard(toys.fitted())


@pytest.fixture(scope="module")
def pictures() -> tuple[AnyArray, BoolArray]:
    found, places = toys.blobs(2 * COUNT, seed=7)
    return found[1::2], places[1::2]


def effects(view: View) -> tuple[float, float]:
    """How much the answer depends on the picture, and the p-value against fresh networks."""
    ends = ends_of(view)
    own = abs(ends.whole - ends.blank)
    others = [ends_of(view.heard(v)) for v in fresh_voices(view.voices, count=RANDOM, seed=0)]
    return own, chance(own, np.array([abs(e.whole - e.blank) for e in others]))


@pytest.mark.parametrize("name", list(METHODS))
def test_a_map_points_at_the_disc(name: str, trained: tuple[Voice, ...], pictures: tuple[AnyArray, BoolArray]) -> None:
    hits = []
    for picture, place in zip(*pictures, strict=True):
        values = map_of(name, toys.view(trained, picture))
        assert values.shape == place.shape
        hits.append(place[np.unravel_index(values.argmax(), values.shape)])
    assert np.mean(hits) > 0.8


def passes(view: View, values: np.typing.NDArray[np.float64], *, seed: int) -> float:
    ends, generator = ends_of(view), stream(seed, "test fields")
    width = coarseness(values)
    random = [Curves(*curves(view, ends, random_field(view.size, width, generator))) for _ in range(RANDOM)]
    return compare(Curves(*curves(view, ends, values)), random, centre=random[0]).p


@pytest.mark.parametrize("name", list(METHODS))
def test_a_trained_network_passes_and_noise_does_not(
    name: str, trained: tuple[Voice, ...], pictures: tuple[AnyArray, BoolArray]
) -> None:
    own, noise = [], []
    for number in range(3):
        view = toys.view(trained, pictures[0][number])
        own.append(passes(view, map_of(name, view), seed=number) < LEVEL)
        noise.append(passes(view, stream(number, "noise").standard_normal(view.size), seed=number) < LEVEL)
    assert sum(own) >= 2
    assert sum(noise) <= 1


def test_an_untrained_network_fails_because_its_answer_hardly_depends_on_the_image(
    trained: tuple[Voice, ...], pictures: tuple[AnyArray, BoolArray]
) -> None:
    untrained = toys.heard(toys.fresh(toys.job()))
    for picture in pictures[0][:2]:
        assert effects(toys.view(trained, picture))[1] < LEVEL
        assert effects(toys.view(untrained, picture))[1] >= LEVEL


def test_maps_follow_the_weights(trained: tuple[Voice, ...], pictures: tuple[AnyArray, BoolArray]) -> None:
    view = toys.view(trained, pictures[0][0])
    other = view.heard(randomised(trained, share=SHARES[-1], seed=0))
    for name in METHODS:
        assert alike(map_of(name, view), map_of(name, view)) == pytest.approx(1.0)
        assert abs(alike(map_of(name, view), map_of(name, other))) < 0.7


def test_a_share_of_the_layers_is_randomised_from_the_head(trained: tuple[Voice, ...]) -> None:
    network = trained[0].network
    part = randomised(trained, share=SHARES[0], seed=0)[0].network
    assert network is not None
    assert part is not None
    before, after = network.state_dict(), part.state_dict()
    assert torch.equal(before["encoders.0.stem.0.weight"], after["encoders.0.stem.0.weight"])
    assert not torch.equal(before["heads.maps.0.weight"], after["heads.maps.0.weight"])


def test_integrated_gradients_add_up(trained: tuple[Voice, ...], pictures: tuple[AnyArray, BoolArray]) -> None:
    view = toys.view(trained, pictures[0][0])
    baselines = baselines_of(view)
    whole, *rest = view.scores([view.image, *baselines])
    assert attributions(view, baselines).sum() == pytest.approx(whole - np.mean(rest), rel=0.1)


def test_grad_cam_is_the_textbook_formula_on_one_member(
    trained: tuple[Voice, ...], pictures: tuple[AnyArray, BoolArray]
) -> None:
    view = toys.view(trained, pictures[0][0])
    network = trained[0].network
    assert network is not None
    kept: dict[str, torch.Tensor] = {}
    block = network.get_submodule("encoders.0.blocks.2")
    handle = block.register_forward_hook(lambda _m, _i, output: kept.update(last=output))
    images = view.tensor(view.image)
    outputs = network(view.inputs(images, trained[0]), {})["disc"]
    handle.remove()
    score = outputs[0, 1] - outputs[0, 0]  # the log-odds of one of two classes
    (slope,) = torch.autograd.grad(score, kept["last"])
    coarse = (slope.mean(dim=(2, 3), keepdim=True) * kept["last"]).sum(dim=1, keepdim=True)
    # blur-pools keep pixels 0, 4, 8, ...: there the map is the coarse one, not at the middle of blocks of 4
    found = member_maps(view, trained[0])[0]
    assert np.allclose(found[::4, ::4], coarse[0, 0].detach().numpy(), atol=1e-4)
    assert lattice_of(trained[0], "image", (8, 8)) == Lattice((0.0, 0.0), (4.0, 4.0))
    assert stride(view) == (4.0, 4.0)


def test_a_coarse_map_is_drawn_where_its_features_look() -> None:
    coarse = np.zeros((7, 7))
    coarse[2, 4] = 1.0
    assert peak_of(laid_out(coarse, (224, 224), Lattice((0.0, 0.0), (32.0, 32.0)))) == (64, 128)
    even = laid_out(coarse, (224, 224), Lattice((15.5, 15.5), (32.0, 32.0)))
    assert even[79, 143] == even[80, 144] == even.max()


def test_unpadded_networks_look_at_the_middle_of_their_blocks() -> None:
    own = toys.job(size=34)
    plain = own.model_copy(update={"network": own.network.model_copy(update={"family": "textbook", "options": {}})})
    voices = toys.heard(toys.fresh(plain))
    pictures, _ = toys.blobs(2, seed=3, size=34)
    view = toys.view(voices, pictures[1])
    found = gradcam(view)
    assert found.shape == (34, 34)
    # 34 - 32 - 16 - 14 - 7 - 5: place i looks at 8.5 + 4 i, less what ties in max-pools take away
    lattice = lattice_of(voices[0], "image", (5, 5))
    assert lattice.step == (4.0, 4.0)
    assert lattice.offset == pytest.approx((8.5, 8.5), abs=1.6)


def test_members_share_the_map_of_their_sum(pictures: tuple[AnyArray, BoolArray], trained: tuple[Voice, ...]) -> None:
    both = (*trained, *trained)
    halves = tuple(Voice(0.5, v.job, v.network) for v in both)
    for name in METHODS:
        one = map_of(name, toys.view(trained, pictures[0][1]))
        assert np.allclose(map_of(name, toys.view(halves, pictures[0][1])), one, atol=1e-3 * np.abs(one).max())


def test_volumes_have_maps_too() -> None:
    own = toys.job(size=12, ndim=3)
    voices = toys.heard(toys.fresh(own))
    pictures, _ = toys.blobs(2, seed=3, size=12, ndim=3)
    view = toys.view(voices, pictures[1])
    for name in METHODS:
        values = map_of(name, view)
        assert values.shape == (12, 12, 12)
        assert np.isfinite(values).all()
    deletion, insertion = curves(view, ends_of(view), gradcam(view), steps=4)
    assert len(deletion) == len(insertion) == 5
    assert deletion[0] == insertion[-1]


def test_members_that_are_no_networks_are_heard(
    trained: tuple[Voice, ...], pictures: tuple[AnyArray, BoolArray]
) -> None:
    class Bright:
        """Says "yes" where the picture is bright."""

        def run(self, inputs: dict[str, AnyArray]) -> dict[str, np.typing.NDArray[np.float64]]:
            mean = inputs["image"].astype(np.float64).mean(axis=(1, 2, 3)) / 255
            return {"disc": np.stack([0 * mean, 20 * mean], axis=1)}

    other = Voice(1.0, trained[0].job, None, Bright())  # type: ignore[arg-type]  # takes any mapping
    view = toys.view((other,), pictures[0][0])
    place = pictures[1][0]
    assert view.scores([view.image])[0] == pytest.approx(20 * pictures[0][0].mean() / 255, abs=1e-3)
    assert not gradcam(view).any()
    assert not attributions(view, baselines_of(view)).any()
    found = occlusion(view)
    assert found[place].mean() > found[~place].mean()


@pytest.mark.parametrize("kind", ALL)
def test_answers_of_every_kind_are_explained(kind: str) -> None:
    own = toys.job(heads={TARGETS[k].name: HEADS[k] for k in ALL})
    pictures, _ = toys.blobs(2, seed=3)
    target = TARGETS[kind]
    for question in (Question(target, 0, -1.0 if kind == "number" else 1.0), Question(target, len(target.classes) - 1)):
        view = toys.view(toys.heard(toys.fresh(own)), pictures[1]).asked(question)
        for name in METHODS:
            values = map_of(name, view)
            assert np.isfinite(values).all()
            assert values.any()
        baselines = baselines_of(view)
        whole, *rest = view.scores([view.image, *baselines])
        assert attributions(view, baselines).sum() == pytest.approx(whole - np.mean(rest), rel=0.2, abs=0.01)


def test_ranks_keep_the_order_of_ties() -> None:
    assert ranks(np.array([[1.0, 3.0], [3.0, 2.0]])).tolist() == [[3, 0], [1, 2]]


def test_blurring_leaves_no_detail() -> None:
    pictures, _ = toys.blobs(2, seed=3)
    image = pictures[1].astype(np.float32) / 255
    assert blurred(image).std() < 0.5 * image.std()
