"""Two processes do together what one does alone."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

from hounsfield.bundle.checkpoints import load_checkpoint, save_checkpoint
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.learn.learners.protocol import Job, State
from hounsfield.learn.learners.supervised import SUPERVISED
from hounsfield.learn.loop import Optimisation, Watch
from hounsfield.learn.nn.spec import OptionValue
from hounsfield.learn.ranks import ALONE, Ranks, joined
from tests.learn.toys import ALL, EVERYTHING, make_feed, make_job


def test_shares_tile_the_batch() -> None:
    for world in range(1, 6):
        for count in range(12):
            places = [i for rank in range(world) for i in range(count)[Ranks(rank, world).share(count)]]
            assert places == list(range(count))
            sizes = [len(range(count)[Ranks(rank, world).share(count)]) for rank in range(world)]
            assert max(sizes) - min(sizes) <= 1


def test_one_process_needs_no_group() -> None:
    values = torch.ones(3)
    ALONE.add([values])
    ALONE.wait()
    assert values.tolist() == [1.0, 1.0, 1.0]
    assert ALONE.any(True)
    assert not ALONE.any(False)
    assert ALONE.first
    with joined(1) as ranks:
        assert ranks == ALONE
    assert not distributed.is_initialized()


def _job(*, batch: int) -> Job:
    """Plain steps, so that a difference would be one of gradients, and all that could make one."""
    settings = Optimisation(
        steps=6, batch=batch, learning_rate=0.01, clip=0.5, averaging=0.5, class_weights=[0.6, 1.4], smoothing=0.05
    )
    options: dict[str, OptionValue] = {"norm": "group", "group_size": 4, "dropout": 0.2}
    return make_job(ALL, optimisation=settings, augmentation=EVERYTHING, options=options)


def _fit(*, batch: int, ranks: Ranks) -> State:
    return SUPERVISED.fit(make_feed(ALL, missing=True), _job(batch=batch), watch=Watch(ranks=ranks))


def numbers(array: AnyArray) -> Float64Array:
    return np.asarray(array, dtype=np.float64)


def _process(rank: int, folder: str, port: int, batch: int) -> None:
    os.environ.update(
        RANK=str(rank),
        WORLD_SIZE="2",
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
        GLOO_SOCKET_IFNAME="lo",
        OMP_NUM_THREADS="1",
    )
    torch.set_num_threads(1)
    with joined(2) as ranks:
        assert ranks == Ranks(rank, 2)
        assert ranks.any(rank == 1)
        assert not ranks.any(False)
        state = _fit(batch=batch, ranks=ranks)
        brake = Watch(ranks=ranks, brake=lambda step: rank == 1 and step == 2)
        stopped = SUPERVISED.fit(make_feed(ALL), _job(batch=batch), watch=brake)
        assert (stopped.steps, stopped.stopped_by_brake) == (2, True)
    save_checkpoint(Path(folder) / f"{rank}.safetensors", state.arrays, {"steps": state.steps})


@pytest.mark.timeout(120)
@pytest.mark.parametrize("batch", [9], ids=["uneven shares"])
def test_two_processes_train_as_one(tmp_path: Path, batch: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn(_process, args=(str(tmp_path), port, batch), nprocs=2)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    alone = _fit(batch=batch, ranks=ALONE)
    found = [load_checkpoint(tmp_path / f"{rank}.safetensors") for rank in (0, 1)]
    fresh = SUPERVISED.fit(
        make_feed(ALL, missing=True),
        _job(batch=batch).model_copy(update={"optimisation": Optimisation(steps=1, batch=1, learning_rate=1e-12)}),
        watch=Watch(),
    )
    moved = max(float(np.abs(numbers(alone.arrays[k]) - numbers(fresh.arrays[k])).max()) for k in alone.arrays)
    assert moved > 5e-3  # so that agreement means something
    for checkpoint in found:
        assert checkpoint is not None
        for name, value in alone.arrays.items():
            np.testing.assert_allclose(numbers(checkpoint[0][name]), numbers(value), atol=1e-4, rtol=0, err_msg=name)
    one, other = (c[0] for c in found if c is not None)
    assert all(one[k].tobytes() == other[k].tobytes() for k in one)
