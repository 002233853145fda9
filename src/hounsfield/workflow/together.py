"""Samples judged as they come: the beats of one record together, everything else one by one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice

from hounsfield.core.block import Block
from hounsfield.core.cohort import Cohort, Sample
from hounsfield.core.errors import HounsfieldError
from hounsfield.core.kinds import Content
from hounsfield.data.loose import lacking
from hounsfield.learn.model import Judgement, Model
from hounsfield.learn.prepare.protocol import Preparation
from hounsfield.workflow.record_blocks import TOGETHER, Record, read_block, record_of
from hounsfield.workflow.survey import latest


def judge_samples(model: Model, asked: Iterable[tuple[Cohort, Sample]]) -> Iterator[tuple[Judgement, ...]]:
    """Judge samples in order, in constant memory.

    Parameters
    ----------
    model : Model
    asked : iterable of (Cohort, Sample)
        Each with the cohort that it belongs to.

    Yields
    ------
    tuple of Judgement
        One or several at a time, one for each sample. What is said of a beat does not depend on what it was read with.
    """
    for key, group in groupby(asked, key=_key):
        if key is None:
            for judgement in model.judge(items(group, model.preparation)):
                yield (judgement,)
            continue
        while beats := tuple(islice(group, TOGETHER)):
            blocks = _blocks(beats, model.preparation)
            if blocks is None:
                yield tuple(model.judge(items(beats, model.preparation)))
            else:
                yield tuple(model.judge_block([sample.id for _, sample in beats], blocks))


def judge_each(model: Model, cohort: Cohort, samples: Iterable[Sample]) -> Iterator[Judgement]:
    """Judge samples of one cohort as `judge_samples` does; yield them one by one."""
    for several in judge_samples(model, ((cohort, sample) for sample in samples)):
        yield from several


def items(
    asked: Iterable[tuple[Cohort, Sample]], preparation: Mapping[str, Preparation]
) -> Iterator[tuple[str, Mapping[str, Content] | HounsfieldError]]:
    """Read samples one by one; one that is unreadable or lacks an input becomes its error.

    Parameters
    ----------
    asked : iterable of (Cohort, Sample)
    preparation : mapping of str to Preparation
        Of the model, by input: what it wants of a reading. Other inputs of a sample are not read.
    """
    for cohort, sample in asked:
        missing = lacking(sample, tuple(preparation))
        if missing is not None:
            yield sample.id, missing
            continue
        try:
            yield sample.id, {n: latest(cohort, sample, n, wanted=spec.wanted) for n, spec in preparation.items()}
        except HounsfieldError as error:
            yield sample.id, error


def _key(asked: tuple[Cohort, Sample]) -> tuple[int, Record] | None:
    """Return which record of which cohort a beat is of; None for what is no beat."""
    record = record_of(asked[1])
    return None if record is None else (id(asked[0]), record)


def _blocks(beats: Sequence[tuple[Cohort, Sample]], preparation: Mapping[str, Preparation]) -> dict[str, Block] | None:
    """Return each input of beats of one record, read together; None where one cannot be."""
    samples = [sample for _, sample in beats]
    blocks: dict[str, Block] = {}
    for name, spec in preparation.items():
        block = read_block(beats[0][0], samples, name, wanted=spec.wanted)
        if block is None:
            return None
        blocks[name] = block
    return blocks
