"""A live series, sample by sample or in chunks, is answered as the whole series at once; memory stays what it is."""

import pytest
import torch
from torch import Tensor

from hounsfield.core.errors import InputError, PlanError
from hounsfield.learn.nn.signal.streaming import Stream, streamable
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, OptionValue
from hounsfield.learn.nn.table import build
from tests.learn.nn.signal.series import NAN, irregular, noise, ragged

SERIES = {"ecg": InputShape(channels=4, ndim=1, size=(40,))}


def spec(options: dict[str, OptionValue] | None = None, *, family: str = "recurrent") -> NetworkSpec:
    return NetworkSpec(family=family, inputs=SERIES, heads={"t": 3}, options={"width": 8} | (options or {}))


CASES: list[dict[str, OptionValue]] = [
    {"pooling": "last"},
    {"pooling": "mean", "cell": "lstm", "layers": 2},
    {"pooling": "attention", "cell": "textbook"},
    {"pooling": "last", "frame": 4, "missing": "flags"},
    {"pooling": "attention", "frame": 3, "layers": 2},
    {"pooling": "last", "missing": "decay"},
    {"pooling": "last", "missing": "decay", "frame": 5},
    {"pooling": "mean", "times": True},
    {"pooling": "last", "times": True, "missing": "flags", "layers": 2},
    {"pooling": "attention", "times": True, "missing": "decay"},
]


@pytest.mark.parametrize("options", CASES, ids=str)
@pytest.mark.parametrize("chunk", [1, 7])
def test_the_answer_at_every_step_is_that_of_the_series_up_to_it(options: dict[str, OptionValue], chunk: int) -> None:
    given = spec(options)
    net = build(given, seed=0).eval()
    signal = irregular([40], steps=40)[0] if options.get("times") else ragged([40], channels=4)[0]
    signal[:, 11:16] = NAN  # a stretch of nothing inside: neither an end nor to be left out
    if options.get("times"):
        signal[0] += 1000.0
    stream = Stream(net, given)
    for start in range(0, 40, chunk):
        found = stream.feed(signal[:, start : start + chunk].numpy())
        expected = net({"ecg": signal[None, :, : start + chunk]}, {})
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, atol=2e-4, rtol=2e-4)


def test_memory_does_not_grow_with_the_series() -> None:
    stream = Stream(build(spec(), seed=0), spec())
    signal = noise(4, 2000)
    stream.feed(signal[:, :10].numpy())
    first = stream.kept
    stream.feed(signal.numpy())
    assert stream.kept == first < 200


def test_a_long_chunk_a_long_silence_and_a_fresh_start() -> None:
    net, given = build(spec({"pooling": "last"}), seed=0).eval(), spec({"pooling": "last"})
    stream, signal = Stream(net, given), noise(4, 700)
    signal[:, 20:620] = NAN
    for part in (signal[:, :300], signal[:, 300:]):
        found = stream.feed(part.numpy())["t"]
    torch.testing.assert_close(found, net({"ecg": signal[None]}, {})["t"], atol=1e-4, rtol=1e-4)
    stream.reset()
    torch.testing.assert_close(
        stream.feed(signal[:, :5].numpy())["t"], net({"ecg": signal[None, :, :5]}, {})["t"], atol=1e-5, rtol=1e-5
    )


def test_a_series_of_nothing_is_answered_as_in_a_batch() -> None:
    net, nothing = build(spec(), seed=0).eval(), torch.full((4, 3), NAN)
    found = Stream(net, spec()).feed(nothing.numpy())["t"]
    torch.testing.assert_close(found, net({"ecg": nothing[None]}, {})["t"])


def test_other_plans_are_refused_with_the_reason() -> None:
    row = InputShape(channels=2, ndim=0, size=())
    two = NetworkSpec(family="recurrent", inputs=SERIES | {"labs": row}, heads={"t": 1})
    assert streamable(spec()) is None
    for given, said in (
        (spec({"bidirectional": True}), "bidirectional: false"),
        (spec(family="convolutional"), "looks at a whole stretch"),
        (two, "a signal, a row"),
    ):
        reason = streamable(given)
        assert reason is not None
        assert said in reason
        with pytest.raises(PlanError, match="cannot follow"):
            Stream(build(given, seed=0), given)
    with pytest.raises(PlanError, match="not the one"):
        Stream(build(spec(family="convolutional"), seed=0), spec())


def test_samples_of_other_channels_are_refused() -> None:
    stream = Stream(build(spec(), seed=0), spec())
    wrong: list[Tensor] = [noise(3, 5), noise(4), noise(1, 4, 5)]
    for chunk in wrong:
        with pytest.raises(InputError, match="shape"):
            stream.feed(chunk.numpy())
