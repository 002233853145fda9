"""Which annotation symbols are beats, and the class of each by ANSI/AAMI EC57."""

from collections.abc import Iterable

from hounsfield.data.signal.wfdb.annotations import Annotation

AAMI_CLASSES = {
    "N": ("N", "L", "R", "B", "e", "j", "n"),
    "S": ("A", "a", "J", "S"),
    "V": ("V", "r", "E"),
    "F": ("F",),
    "Q": ("/", "f", "Q", "?"),
}
"""Class to the symbols of WFDB that belong to it.

Normal and bundle branch block beats and escape beats from the atria or the junction (N); premature beats from above the
ventricles (S); ventricular premature, R-on-T and escape beats (V); fusion of a ventricular with a normal beat (F);
paced beats, their fusions, what could not be classified or was learned from (Q). ANSI/AAMI EC57 and IEC 60601-2-47; the
symbols of the MIT-BIH database as de Chazal, O'Dwyer and Reilly (IEEE Trans Biomed Eng 2004;51:1196) assign them.
WFDB's own ``bxb`` can count escape beats as S, which EC57 does not.
"""

CLASS_OF = {symbol: name for name, symbols in AAMI_CLASSES.items() for symbol in symbols}
"""Symbol to class; what is not in it is no beat (rhythms, noise, waves, notes)."""


def beats_of(marks: Iterable[Annotation]) -> tuple[Annotation, ...]:
    """Return the annotations that stand for beats, in order of time."""
    return tuple(sorted((a for a in marks if a.symbol in CLASS_OF), key=lambda a: a.sample))
