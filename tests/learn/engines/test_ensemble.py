"""Every engine says what PyTorch says, of each sample by itself."""

from collections.abc import Generator, Iterator
from typing import cast

import numpy as np
import pytest

from hounsfield.bundle.sealed import Member
from hounsfield.core.errors import BundleError, UnknownNameError
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray
from hounsfield.learn.engines import ENGINES
from hounsfield.learn.engines.ensemble import ENGINE_BATCH, WORTH, EnsembleRunner, automatic, engine_named
from hounsfield.learn.engines.protocol import Engine
from hounsfield.learn.engines.whole import EngineError
from hounsfield.learn.merge import merged
from hounsfield.learn.model import member_job, runner
from tests.learn.engines.making import ensemble, network_member
from tests.learn.toys import make_job, striped

USABLE = [name for name in ENGINES if not cast(Engine, ENGINES.resolve(name)).lacks()]
EXACT = [name for name in USABLE if name != "openvino-bfloat16"]
WEIGHTS = {"class": [0.75, 0.25], "grade": [0.0, 1.0]}


def opened(
    members: tuple[Member, ...], name: str, *, weights: dict[str, list[float]] | None = None, threads: int = 1
) -> EnsembleRunner:
    preparation = member_job(members[0]).preparation
    return EnsembleRunner(members, weights, preparation=preparation, engine=engine_named(name), threads=threads)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["mean", "weighted"])
@pytest.mark.parametrize("name", EXACT)
def test_an_exact_engine_says_what_the_members_say(name: str, weights: dict[str, list[float]] | None) -> None:
    members = ensemble(views=["x", "y"])
    inputs = {"image": striped(ENGINE_BATCH + 3)}
    wanted = merged([runner(m).run(inputs) for m in members], weights)
    found = opened(members, name, weights=weights).run(inputs)
    assert found.keys() == wanted.keys()
    for target, values in wanted.items():
        assert np.abs(values).max() > 0.1
        np.testing.assert_allclose(found[target], values, atol=1e-4, err_msg=target)


@pytest.mark.parametrize("name", USABLE)
def test_a_sample_does_not_depend_on_its_neighbours(name: str) -> None:
    images = striped(2 * ENGINE_BATCH + 3)
    ready = opened(ensemble(), name, threads=2)
    together = ready.run({"image": images})
    order = stream(0, "order").permutation(len(images))
    shuffled = ready.run({"image": images[order]})
    for target, values in together.items():
        np.testing.assert_array_equal(shuffled[target], values[order], err_msg=target)
        alone = np.concatenate([ready.run({"image": images[i : i + 1]})[target] for i in range(len(images))])
        np.testing.assert_array_equal(alone, values, err_msg=target)


@pytest.mark.parametrize("name", USABLE)
def test_the_number_of_threads_changes_nothing(name: str) -> None:
    inputs = {"image": striped(ENGINE_BATCH)}
    one, two = (opened(ensemble(1), name, threads=n).run(inputs) for n in (1, 2))
    for target, values in one.items():
        np.testing.assert_array_equal(two[target], values, err_msg=target)


@pytest.mark.parametrize("name", USABLE)
def test_a_stream_gives_answers_in_order_and_may_be_left(name: str) -> None:
    compiled = opened(ensemble(1), name, threads=2)._compiled
    images = striped(7 * ENGINE_BATCH)
    calls = [{"image": part} for part in np.split(images, 7)]
    wanted = compiled.run(calls)
    taken: list[int] = []

    def counted() -> Iterator[dict[str, AnyArray]]:
        for number, call in enumerate(calls):
            taken.append(number)
            yield call

    left = compiled.stream(counted())
    first = next(left)
    assert len(taken) <= 3  # of a long case, only a few windows are cut ahead
    cast(Generator[object], left).close()
    for found in ([first], list(compiled.stream(iter(calls)))):
        for one, right in zip(found, wanted, strict=False):
            for target, values in right.items():
                np.testing.assert_array_equal(one[target], values, err_msg=target)
    assert not list(compiled.stream(iter([])))


@pytest.mark.skipif("openvino-bfloat16" not in USABLE, reason="the processor has no bfloat16")
def test_bfloat16_keeps_the_order() -> None:
    inputs = {"image": striped(64)}
    exact, quick = (opened(ensemble(3), n).run(inputs)["class"] for n in ("openvino", "openvino-bfloat16"))
    ranks = [np.argsort(np.argsort(o[:, 1] - o[:, 0])) for o in (exact, quick)]
    assert np.corrcoef(ranks[0], ranks[1])[0, 1] > 0.99
    assert np.abs(exact - quick).max() < engine_named("openvino-bfloat16").tolerance * np.abs(exact).max()


def volumes() -> tuple[tuple[Member, ...], dict[str, AnyArray]]:
    job = make_job(("categorical",))
    shape = job.network.inputs["image"].model_copy(update={"ndim": 3, "size": (8, 8, 8)})
    network = job.network.model_copy(update={"inputs": {"image": shape}})
    preparation = job.preparation["image"].model_copy(update={"ndim": 3, "size": (8, 8, 8), "storage": "float16"})
    job = job.model_copy(update={"network": network, "preparation": {"image": preparation}, "views": ["z"]})
    inputs: dict[str, AnyArray] = {"image": stream(0, "volumes").random((5, 1, 8, 8, 8)).astype(np.float16)}
    return (network_member(job, seed=3),), inputs


@pytest.mark.parametrize("name", EXACT)
def test_volumes_in_half_precision_run_too(name: str) -> None:
    members, inputs = volumes()
    wanted = runner(members[0]).run(inputs)
    found = opened(members, name).run(inputs)
    for target, values in wanted.items():
        np.testing.assert_allclose(found[target], values, atol=1e-4, err_msg=target)


def test_few_samples_are_run_by_torch() -> None:
    assert automatic(samples=WORTH - 1) == "torch"
    assert automatic(samples=WORTH) in EXACT


def test_an_engine_that_is_not_there_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hounsfield.learn.engines.onnxruntime_engine.find_spec", lambda name: None)
    with pytest.raises(BundleError, match="pip install onnx onnxruntime"):
        engine_named("onnxruntime")
    with pytest.raises(UnknownNameError, match="onnxruntime"):
        engine_named("onnxruntim")


def test_a_member_that_is_no_network_is_named() -> None:
    job = make_job()
    constant = Member(
        "prevalence", {"class": np.array([0.5, 0.5])}, {"job": job.model_dump(mode="json"), "facts": None}
    )
    with pytest.raises(EngineError, match="'prevalence', runs in Python only"):
        opened((constant,), "torch")
