"""Groups: patients joined with duplicate clusters."""

from collections.abc import Iterable, Sequence

from hounsfield.core.cohort import Sample


def join_groups(samples: Sequence[Sample], clusters: Iterable[Sequence[str]]) -> dict[str, str]:
    """Join the samples of a patient, and patients that share a picture.

    Parameters
    ----------
    samples : sequence of Sample
        In the cohort's order.
    clusters : iterable of sequence of str
        Sample ids that show one picture; ids that are not among `samples` are ignored.

    Returns
    -------
    dict of str to str
        Sample id to group, ``g1``, ``g2``, ... in order of first appearance: no patient's name.
    """
    parent = {s.id: s.id for s in samples}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    first_of: dict[str, str] = {}
    for sample in samples:
        parent[root(sample.id)] = root(first_of.setdefault(sample.patient, sample.id))
    for cluster in clusters:
        known = [name for name in cluster if name in parent]
        for name in known[1:]:
            parent[root(name)] = root(known[0])
    names: dict[str, str] = {}
    return {s.id: names.setdefault(root(s.id), f"g{len(names) + 1}") for s in samples}
