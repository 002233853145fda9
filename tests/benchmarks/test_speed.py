"""The arithmetic of the speed benchmarks, and each of them once at the smallest size."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from benchmarks.speed import cost, memory, profile, reference, resnet, throughput
from benchmarks.speed.cases import Case, case, picture

from hounsfield.core.report import Cost


@pytest.fixture(scope="module")
def small() -> Iterator[Case]:
    with case(24, count=40) as given:
        yield given


def test_pictures_differ_and_show_what_is_sick() -> None:
    healthy, sick = picture(3, 32, sick=False), picture(3, 32, sick=True)
    assert healthy.shape == (32, 32)
    assert sick.mean() > healthy.mean()
    assert not np.array_equal(healthy, picture(4, 32, sick=False))


def test_a_step_is_divided_among_its_parts(small: Case) -> None:
    found = profile.profiled(small, steps=2, warm=1)
    parts = cast("dict[str, float]", found["shares"])
    assert sum(parts.values()) == pytest.approx(1.0, abs=0.01)
    assert parts["forward"] > 0
    assert parts["backward"] > 0
    assert parts["augmentation"] > 0
    inside = sum(parts[n] for n in ("forward", "backward", "optimiser", "averaging"))
    assert found["inside"] == pytest.approx(inside, abs=1e-3)


def test_shares_are_of_the_whole() -> None:
    seconds = {"batch": 0.1, "augmentation": 0.1, "forward": 1.0, "backward": 2.0, "optimiser": 0.5, "averaging": 0.1}
    found = profile.shares(seconds, [2.0, 2.0], batch=8)
    assert cast("dict[str, float]", found["shares"])["rest"] == pytest.approx(0.05)
    assert found["inside"] == pytest.approx(0.9)
    assert found["forward_backward"] == pytest.approx(0.75)
    assert found["images_per_second"] == pytest.approx(4.0)


@pytest.mark.parametrize("mode", throughput.MODES)
def test_the_network_of_the_reference_is_timed(mode: str) -> None:
    assert throughput.reference_seconds(mode, seconds=0.0, threads=1, batch=4) > 0


@pytest.mark.parametrize("mode", throughput.MODES)
def test_every_mode_makes_steps(small: Case, mode: str) -> None:
    assert throughput.step_seconds(small, mode, seconds=0.0, warm=1) > 0


def test_the_plain_layout_computes_the_same(small: Case) -> None:
    from hounsfield.learn.learners.supervised import start

    network = start(small.feed, small.job).eval()
    image = torch.randn(2, 1, 24, 24)
    with torch.inference_mode():
        before = network({"image": image}, {})["label"]
    throughput.plain_layout(network)
    with torch.inference_mode():
        after = network({"image": image}, {})["label"]
    torch.testing.assert_close(before, after, rtol=1e-4, atol=1e-5)


def test_the_reference_network_is_a_resnet18() -> None:
    network = resnet.resnet18(1, 2)
    # 11,173,962 is the known count for three channels and ten classes.
    assert sum(p.numel() for p in network.parameters()) == 11_173_962 - 2 * 64 * 9 - 8 * 513
    assert network.eval()(torch.zeros(2, 1, 28, 28)).shape == (2, 2)
    assert network[:5](torch.zeros(1, 1, 28, 28)).shape == (1, 64, 28, 28)


def test_a_reference_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "resnet18", _tiny)
    images = torch.randn(40, 1, 8, 8)
    labels = (images.mean((1, 2, 3)) > 0).long()
    given = reference.Images(images, labels, images[:20], labels[:20])
    kept = tmp_path / "reference.pt"
    whole = reference.reference(given, epochs=3)
    reference.reference(given, epochs=2, kept=kept)
    continued = reference.reference(given, epochs=3, kept=kept)
    assert [m["auc"] for m in continued] == pytest.approx([m["auc"] for m in whole])


def _tiny(channels: int, classes: int) -> torch.nn.Sequential:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64 * channels, classes))


def test_the_verdict_speaks_of_the_first_look_that_reaches_the_best() -> None:
    made = [{"train": 9.0, "score": 1.0, "auc": a} for a in (0.90, 0.95, 0.93)]
    theirs = reference.told(made)
    assert (theirs["best_epoch"], theirs["seconds_100_epochs"], theirs["complete"]) == (2, 1000.0, False)
    mine: dict[str, object] = {"validation_auc": [0.8, 0.96, 0.97], "seconds_with_looks": [5.0, 10.0, 15.0]}
    found = reference.verdict(theirs, mine, [])
    (run,) = found["by_run"]
    assert run["reached"] == 10.0
    assert run["times_sooner_than_100_epochs"] == pytest.approx(100.0)
    assert run["times_sooner_than_its_best_epoch"] == pytest.approx(2.0)
    assert (found["met"], found["targets_are_of_whole_runs"]) == (True, False)
    slow = mine | {"validation_auc": [0.1, 0.2, 0.3]}
    (run,) = reference.verdict(theirs, slow, [])["by_run"]
    assert (run["reached"], run["met"]) == (None, False)


def test_every_whole_run_is_a_goal_of_its_own() -> None:
    timed = reference.told([{"train": 9.0, "score": 1.0, "auc": 0.9}])
    runs = [{"best_validation_auc": 0.965, "best_epoch": 7}, {"best_validation_auc": 0.95, "best_epoch": 2}]
    mine: dict[str, object] = {"validation_auc": [0.8, 0.96, 0.964], "seconds_with_looks": [5.0, 10.0, 15.0]}
    found = reference.verdict(timed, mine, runs)
    assert [run["reached"] for run in found["by_run"]] == [10.0, None]
    assert found["by_run"][0]["times_sooner_than_its_best_epoch"] == pytest.approx(2.0), "timed here: 2 epochs of 10 s"
    assert found["met"] is False


def test_members_are_merged_when_the_slowest_has_come_so_far() -> None:
    truth = np.array([0, 1, 0, 1])
    looks = [
        {
            "seconds": np.array([1.0, 2.0]),
            "seconds_with_looks": np.array([1.5, 3.0]),
            "outputs": np.array([[0.0, 1, 2, 3], [0, 5, 0, 5]]),
            "truth": truth,
        },
        {
            "seconds": np.array([2.0]),
            "seconds_with_looks": np.array([2.5]),
            "outputs": np.array([[0.0, 4, 0, 4]]),
            "truth": truth,
        },
    ]
    assert reference.merged(looks) == {"seconds": [2.0], "seconds_with_looks": [2.5], "validation_auc": [1.0]}


def test_predictions_of_cost_are_judged() -> None:
    told = Cost(
        predicted_seconds=100,
        seconds=120,
        predicted_seconds_per_step=1.2,
        seconds_per_step=1.0,
        peak_mib=500.0,
        steps=3,
    )
    found = cost.compared(told)
    assert cast("dict[str, object]", found["seconds"])["met"] is True
    assert cast("dict[str, object]", found["seconds_per_step"])["met"] is False
    assert cast("dict[str, object]", found["peak_mib"])["met"] is None


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    made = memory.folder_of(tmp_path / "pictures", 6, 16)
    assert sorted(p.parent.name for p in made.rglob("*.png")) == ["healthy"] * 3 + ["sick"] * 3
