"""A bundle made ready to run: prepare, guard, run all members, merge."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

import numpy as np

from hounsfield.bundle.sealed import BundleContents, Member
from hounsfield.core.block import Block
from hounsfield.core.errors import BundleError, HounsfieldError, PlanError, ReadError
from hounsfield.core.kinds import Content
from hounsfield.core.types import AnyArray, Float64Array, Json
from hounsfield.learn.engines.ensemble import EnsembleRunner, automatic, engine_named
from hounsfield.learn.guard import GuardLimits, distances
from hounsfield.learn.learners import LEARNERS
from hounsfield.learn.learners.network_runner import call_size
from hounsfield.learn.learners.protocol import Job, Learner, Runner, State
from hounsfield.learn.merge import merge_of, merged
from hounsfield.learn.prepare.protocol import Preparation, only_images
from hounsfield.learn.threads import threads

SELF_TEST = "self_test"
GUARD = "guard"
EMBEDDING = "embedding"
TOLERANCE = 1e-3
"""Largest difference of a self-test output from the stored one, relative to the spread of the stored ones: other
processors sum in another order, a damaged model is off by far more."""


@dataclass(frozen=True)
class Judgement:
    """Raw outputs for one sample, and what the guard says of it.

    Parameters
    ----------
    key : str
        Sample id.
    outputs : mapping of str to numpy.ndarray
        Target to raw outputs ``w``, merged over members; empty where nothing could be run.
    baselines : mapping of str to mapping
        The same for each baseline, where asked for.
    flags : tuple of str
        Why the answer should be doubted.
    refusal : str
        Why no answer should be given; ``""`` where one may.
    """

    key: str
    outputs: Mapping[str, Float64Array]
    baselines: Mapping[str, Mapping[str, Float64Array]]
    flags: tuple[str, ...] = ()
    refusal: str = ""


class Model:
    """A fitted model.

    Parameters
    ----------
    contents : BundleContents
        As opened and verified.
    baselines : iterable of str
        Baselines to run beside the network: ``name`` is one of the bundle's, or the mean of all its ``name.0``,
        ``name.1``, ..., as the network is the mean of its members.
    samples : int
        How many samples are going to be judged, as far as known: for many an engine is compiled.
    engine : str or None
        Name in `hounsfield.learn.engines.ENGINES`; if None, the number of samples and the machine decide.

    Raises
    ------
    BundleError
        If the self-test does not give what it gave when the bundle was sealed, or the engine asked for cannot be used.
    """

    def __init__(
        self,
        contents: BundleContents,
        *,
        baselines: Iterable[str] = (),
        samples: int = 0,
        engine: str | None = None,
    ) -> None:
        self.contents = contents
        merge = merge_of(contents)
        self._weights = merge.whole() if merge is not None else None
        self._baselines = {name: [runner(m) for m in baseline_members(contents, name)] for name in baselines}
        self._job = member_job(contents.members[0])
        kinds = {spec.kind_name for spec in self._job.preparation.values()}
        self._noun = kinds.pop() if len(kinds) == 1 else "case"
        guard = contents.documents.get(GUARD)
        self._limits = GuardLimits.model_validate(guard) if guard is not None else None
        self._chunk = call_size(self.preparation)
        self._runners: list[Runner] = []
        self._ensemble: EnsembleRunner | None = None
        self._open(engine, samples)

    def _open(self, asked: str | None, samples: int) -> None:
        others = only_images(self.preparation)
        if asked not in (None, "torch") and others:
            raise BundleError(
                f"The engine {asked} runs models of images only; {', '.join(others)} is none.",
                expected="--engine torch, or none",
                next_step="leave --engine out",
            )
        chosen = asked or ("torch" if others else automatic(samples=samples))
        if chosen != "torch":
            try:
                self._ensemble = EnsembleRunner(
                    self.contents.members,
                    self._weights,
                    preparation=self.preparation,
                    engine=engine_named(chosen),
                    threads=threads(),
                )
                self._check()
            except BundleError:
                # PyTorch always can: nobody asked for this engine by name, and a damaged bundle fails there too.
                if asked is not None:
                    raise
                self._ensemble = None
            else:
                return
        self._runners = [runner(member) for member in self.contents.members]
        self._check()

    @property
    def engine(self) -> str:
        """Name of the engine that runs the members."""
        return "torch" if self._ensemble is None else self._ensemble.engine.name

    @property
    def preparation(self) -> Mapping[str, Preparation]:
        """Preparation by input name."""
        return self._job.preparation

    def _check(self) -> None:
        stored = self.contents.arrays.get(SELF_TEST)
        if stored is None:
            return
        outputs = self.run(self_test_inputs(self.preparation))
        tolerance = TOLERANCE if self._ensemble is None else self._ensemble.engine.tolerance
        for name, wanted in stored.items():
            spread = max(float(np.abs(wanted).max()), 1e-3)
            if name not in outputs or not np.allclose(outputs[name], wanted, rtol=0, atol=tolerance * spread):
                raise BundleError(
                    "The self-test of the bundle fails: the model does not say what it said when it was sealed.",
                    expected=f"differences below {tolerance:g} of the largest output",
                    next_step="run hu doctor, compare versions with bundle/manifest.json, and copy the bundle again",
                )

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return the members' merged raw outputs, by target, for stored inputs ``n c ...``."""
        if self._ensemble is not None:
            return self._ensemble.run(inputs)
        return merged(self._each(inputs), self._weights)

    def _each(self, inputs: Mapping[str, AnyArray]) -> list[dict[str, Float64Array]]:
        """Return what each member puts out; those of one thread run side by side, with the same bits as in turn."""
        lanes = min(threads(), len(self._runners))
        if lanes < 2 or not all(getattr(r, "one_thread", False) for r in self._runners):
            return [r.run(inputs) for r in self._runners]
        with ThreadPoolExecutor(lanes) as pool:
            return list(pool.map(lambda member: member.run(inputs), self._runners))

    def judge(self, items: Iterable[tuple[str, Mapping[str, Content] | HounsfieldError]]) -> Iterator[Judgement]:
        """Judge samples one chunk at a time, in order, in constant memory.

        Parameters
        ----------
        items : iterable of (str, mapping of str to Content, or an error)
            Sample id and its inputs by name, or why they could not be read.

        Yields
        ------
        Judgement
            One per item. What is said of a sample does not depend on the others.
        """
        chunk: list[tuple[_Asked, dict[str, AnyArray]]] = []
        for key, content in items:
            chunk.append(self._prepared(key, content))
            if len(chunk) == self._chunk:
                yield from self._judged(chunk)
                chunk = []
        yield from self._judged(chunk)

    def judge_block(self, keys: Sequence[str], blocks: Mapping[str, Block]) -> Iterator[Judgement]:
        """Judge samples that were read together, as `judge` judges them one by one.

        Parameters
        ----------
        keys : sequence of str
            Sample ids.
        blocks : mapping of str to Block
            Each input of all of them by name.

        Yields
        ------
        Judgement
            One for each key, in order.
        """
        flags: list[list[str]] = [[] for _ in keys]
        blanks: list[list[str]] = [[] for _ in keys]
        refused = [""] * len(keys)
        inputs: dict[str, AnyArray] = {}
        try:
            for name, spec in self.preparation.items():
                inputs[name] = spec.prepared_block(blocks[name])
        except PlanError:  # which of them, and why, is told one by one
            contents = ({name: blocks[name].one(i) for name in self.preparation} for i in range(len(keys)))
            yield from self.judge(zip(keys, contents, strict=True))
            return
        for name, spec in self.preparation.items():
            doubts = spec.doubts_block(blocks[name], self._limits) if self._limits is not None else [[] for _ in keys]
            for place, (said, blank) in enumerate(zip(doubts, spec.blanks(inputs[name]), strict=True)):
                flags[place] += said
                blanks[place] += [blank] if blank else []
                if blank and spec.required and not refused[place]:
                    refused[place] = blank
        asked = [
            _asked(key, tuple(said), blank, why, of=len(self.preparation))
            for key, said, blank, why in zip(keys, flags, blanks, refused, strict=True)
        ]
        usable = [place for place, one in enumerate(asked) if not one.refusal]
        if len(usable) < len(keys):
            inputs = {name: stored[usable] for name, stored in inputs.items()}
        yield from self._answered(asked, inputs)

    def _prepared(
        self, key: str, content: Mapping[str, Content] | HounsfieldError
    ) -> tuple["_Asked", dict[str, AnyArray]]:
        if isinstance(content, HounsfieldError):
            return _Asked(key, (), refusal_of(content)), {}
        flags: list[str] = []
        blanks: list[str] = []
        stored: dict[str, AnyArray] = {}
        for name, spec in self.preparation.items():
            try:
                flags += spec.doubts(content[name], self._limits) if self._limits is not None else []
                stored[name] = spec.prepared(content[name])
            except (PlanError, ReadError) as error:  # a long signal is read only now
                return _Asked(key, (), refusal_of(error)), {}
            blank = spec.blank(stored[name])
            if blank and spec.required:
                return _Asked(key, (), blank), {}
            blanks += [blank] if blank else []
        return _asked(key, tuple(flags), blanks, "", of=len(self.preparation)), stored

    def _judged(self, chunk: list[tuple["_Asked", dict[str, AnyArray]]]) -> Iterator[Judgement]:
        usable = [stored for one, stored in chunk if not one.refusal]
        inputs = {name: np.stack([stored[name] for stored in usable]) for name in self.preparation} if usable else {}
        yield from self._answered([one for one, _ in chunk], inputs)

    def _answered(self, asked: Sequence["_Asked"], inputs: Mapping[str, AnyArray]) -> Iterator[Judgement]:
        """Yield what is said of each sample; of those that nothing refuses yet the stored inputs are ``n c ...``."""
        outputs: dict[str, Float64Array] = {}
        beside: dict[str, dict[str, Float64Array]] = {}
        count = sum(not one.refusal for one in asked)
        far = np.zeros(count)
        if count:
            outputs = _answers(self.run(inputs))
            beside = {name: _answers(merged([r.run(inputs) for r in found])) for name, found in self._baselines.items()}
            if self._limits is not None and GUARD in self.contents.arrays:
                looks = [spec.looks_block(inputs[name]) for name, spec in self.preparation.items()]
                far = distances(self.contents.arrays[GUARD], np.concatenate(looks, axis=1))
        place = 0
        for one in asked:
            if one.refusal:
                yield Judgement(one.key, {}, {}, (), one.refusal)
                continue
            said, refused = self._guarded(float(far[place]))
            yield Judgement(
                one.key,
                {name: values[place] for name, values in outputs.items()},
                {b: {name: values[place] for name, values in found.items()} for b, found in beside.items()},
                one.flags + said,
                refused,
            )
            place += 1

    def _guarded(self, far: float) -> tuple[tuple[str, ...], str]:
        if self._limits is None or far <= self._limits.flag:
            return (), ""
        if far > self._limits.refuse:
            return (), (
                f"The {self._noun} is unlike the training {self._noun}s: distance {far:.2f}, refused above "
                f"{self._limits.refuse:.2f}."
            )
        what = "intensities or texture" if self._noun == "image" else "values"
        return (f"unusual {what}: distance {far:.2f}, usual up to {self._limits.flag:.2f}",), ""


def refusal_of(error: HounsfieldError) -> str:
    """Return why no answer is given: of what does not fit the model also what it looks at, and what to do."""
    return error.line() if isinstance(error, PlanError) else error.found


@dataclass(frozen=True)
class _Asked:
    """A sample before it is run: its id, what is doubtful of its inputs, and why it cannot be run."""

    key: str
    flags: tuple[str, ...]
    refusal: str


def _asked(key: str, flags: tuple[str, ...], blanks: Sequence[str], refusal: str, *, of: int) -> _Asked:
    """Return a sample of so many inputs, of which some hold nothing: it is refused where all do."""
    why = refusal or (blanks[0] if len(blanks) == of else "")
    return _Asked(key, (), why) if why else _Asked(key, flags + tuple(b.rstrip(".") for b in blanks), "")


def baseline_members(contents: BundleContents, name: str) -> list[Member]:
    """Return the members of a baseline: the one of this very name, or one per fold, in their order.

    Raises
    ------
    BundleError
        If the bundle has none.
    """
    if name in contents.baselines:
        return [contents.baselines[name]]
    found = {k.removeprefix(f"{name}."): m for k, m in contents.baselines.items() if k.startswith(f"{name}.")}
    numbered = {int(k): m for k, m in found.items() if k.isdigit()}
    if not numbered:
        raise BundleError(
            f"The bundle has no baseline {name!r}.", expected="a bundle of this version", next_step="train again"
        )
    return [numbered[k] for k in sorted(numbered)]


def _answers(outputs: Mapping[str, Float64Array]) -> dict[str, Float64Array]:
    # Kept for every sample until the report is written: the embedding would be most of it, and nobody reads it.
    return {name: values for name, values in outputs.items() if name != EMBEDDING}


def runner(member: Member) -> Runner:
    """Make a bundled member ready to run."""
    learner = cast(Learner, LEARNERS.resolve(member.learner))
    return learner.open(State(member.arrays, _facts(member)), member_job(member))


def member_json(job: Job, facts: Json) -> Json:
    """Return what a member's JSON holds: its job and the learner's own facts."""
    return {"job": cast(Json, job.model_dump(mode="json")), "facts": facts}


def member_job(member: Member) -> Job:
    """Return the job of a bundled member.

    Raises
    ------
    BundleError
        If it has none, or gives answers of another shape.
    """
    if member.learner == "dense":
        raise BundleError(
            "The bundle marks voxels; this is for bundles that answer with a class or a number.",
            expected="a bundle of the task classify",
            next_step="use hu predict, which writes masks, or hu evaluate",
        )
    if not isinstance(member.json, dict) or "job" not in member.json:
        raise BundleError(
            "A member of the bundle has no job.", expected="a bundle of this version", next_step="train again"
        )
    return Job.model_validate(member.json["job"])


def _facts(member: Member) -> Json:
    return member.json.get("facts") if isinstance(member.json, dict) else None


def self_test_inputs(preparation: Mapping[str, Preparation]) -> dict[str, AnyArray]:
    """Return two synthetic prepared inputs of each name, the same for the same preparation."""
    return {name: spec.self_test() for name, spec in preparation.items()}
