"""A causal bundle that follows one live series: all its members step by step, merged, with constant memory."""

import numpy as np

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.errors import PlanError
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.learn.explain.view import network_of
from hounsfield.learn.merge import merge_of, merged
from hounsfield.learn.model import EMBEDDING, member_job
from hounsfield.learn.nn.signal.recurrent import RecurrentOptions
from hounsfield.learn.nn.signal.streaming import Stream, streamable
from hounsfield.learn.nn.spec import read_options
from hounsfield.learn.prepare.signal import SignalPreparation
from hounsfield.learn.threads import device


def unfollowing(contents: BundleContents) -> str:
    """Say why a bundle cannot follow a live series.

    Parameters
    ----------
    contents : BundleContents

    Returns
    -------
    str
        One clause, ``""`` where it can.
    """
    job = member_job(contents.members[0])
    for spec in job.preparation.values():
        if isinstance(spec, SignalPreparation) and spec.live:
            return spec.live
    for member in contents.members:
        if member.learner != "supervised":
            return f"a member of the model ({member.learner}) is no network and looks at whole signals"
        reason = streamable(member_job(member).network)
        if reason is not None:
            return reason.partition(";")[0]
    return ""


class Follower:
    """A causal bundle that follows one series.

    Parameters
    ----------
    contents : BundleContents

    Attributes
    ----------
    name : str
        Input.
    preparation : SignalPreparation
        Of it.
    frame : int
        Prepared samples that are one step of the networks.

    Raises
    ------
    PlanError
        If the bundle cannot follow one; the message says why and what to train instead.
    """

    def __init__(self, contents: BundleContents) -> None:
        reason = unfollowing(contents)
        if reason:
            raise PlanError(
                f"The model cannot follow a live series: {reason}.",
                expected="a causal plan: one signal, a recurrent network in one direction, the last state",
                next_step="train one with hu train PATH --causal, or predict whole signals without --stream",
            )
        merge = merge_of(contents)
        self._weights = merge.whole() if merge is not None else None
        job = member_job(contents.members[0])
        (spec,) = job.preparation.values()
        if not isinstance(spec, SignalPreparation):
            raise PlanError("The model looks at no signal.", expected="a model of signals", next_step="leave it out")
        self.preparation = spec
        self.name = next(iter(job.preparation))
        jobs = [member_job(m) for m in contents.members]
        self.frame = max(read_options(job.network, RecurrentOptions).frame for job in jobs)
        self._streams = [
            Stream(network_of(m, job).to(device()), job.network) for m, job in zip(contents.members, jobs, strict=True)
        ]

    @property
    def kept(self) -> int:
        """How many numbers are remembered of the series at present, over all members."""
        return sum(stream.kept for stream in self._streams)

    def reset(self) -> None:
        """Forget everything: what is fed next begins a series."""
        for stream in self._streams:
            stream.reset()

    def feed(self, steps: AnyArray) -> dict[str, Float64Array]:
        """Read the next prepared steps and answer.

        Parameters
        ----------
        steps : numpy.ndarray
            ``c t``, as `hounsfield.learn.prepare.signal.SignalPreparation.stretch` returns them.

        Returns
        -------
        dict of str to numpy.ndarray
            By target, merged raw outputs ``w`` of the series up to here.
        """
        found: list[dict[str, Float64Array]] = []
        for stream in self._streams:
            said = stream.feed(steps)
            found.append({n: np.asarray(x.double().cpu().numpy()) for n, x in said.items() if n != EMBEDDING})
        return {name: values[0] for name, values in merged(found, self._weights).items()}
