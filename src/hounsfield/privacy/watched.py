"""What the second pass looks for: the words, numbers, UIDs and dates of identifying values, in every usual spelling."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import permutations

from hounsfield.privacy.dates import dates_in, is_date, spellings_of, without_dates

LEAST_CHARACTERS = 4
"""Shortest token that is searched for; a Chinese, Japanese or Korean character counts for two."""

PLACEHOLDERS = frozenset(
    """
    anonymised anonymize anonymized anonymous deidentified empty name nobody none null patient removed subject
    test unknown unnamed unspecified withheld
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
"""What stands where nobody is named."""
SEXES = frozenset(
    """
    female femme femmina frau hombre homme male mann maschio mujer männlich other weiblich
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
CODED = frozenset(
    """
    abdomen ankle anterior aorta arm average axial axilla axis back benign bilateral bladder body bone brain
    breast bronchus calcaneus cervix chest clavicle coccyx colon color colour contrast cornea coronal cspine
    decubitus derived dynamic ear elbow enhanced erect esophagus extremity eye eyelid face false femur fibula
    finger foot forearm forefoot frame frames gallbladder gated gray grey hand head headneck heart helical hip humerus
    image images imaginary inferior jaw kidney knee label labels landscape larynx lateral left leg linear liver
    localizer lspine lung magnitude malignant mandible mask masks maxilla medial mixed monochrome mosaic
    multiplanar neck negative normal nose oblique orbit original ovary palette pancreas pelvis penis phantom
    pharynx phase plain portrait positive posterior primary projection prone prostate radius real rectum
    reformatted resampled rib right sacrum sagittal scale scalp scan scans scapula secondary sequenced series
    sharp shoulder sigmoid skull slice slices smooth soft spine spleen sspine standard standing static sternum
    stomach study superior supine test testis thigh thorax thumb thymus thyroid tibia toe tongue trachea train
    true tspine ulna unilateral ureter urethra uterus vagina volume whole wholebody wrist yes
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
"""Defined terms that stand in coded attributes of a clean file: parts of the body, image types, views, positions."""
GENERIC = frozenset(
    """
    agfa carestream fujifilm general hitachi hologic kodak mindray philips samsung siemens systems toshiba
    avenue center centre clinic department dept doctor drive frau health herr hospital house institut institute
    klinik klinikum lane medical medicine medizin miss mister practice praxis prof professor radiologie
    radiology road square strasse straße street university universität universitätsklinikum
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
"""Makers of devices, and words of addresses and titles that name nobody."""
EVERYDAY = frozenset(
    """
    about above adobe after again against also although always among another application around artist asleep
    auch author awake away back because been before began beim being below best better between birth body born
    both brought call called came cannot case cases come comes comment comments content control copyright could
    course created creation date dates datetime days description dicm different disclaimer document does done
    down during each early eine einem einer eines either else encoding even ever every example excel exif fact
    felt find first follow following found from further gave general give given goes going good great group
    haben half have having header footer head header footer help here
    high hold home hour hours however html http https into itself jfif
    just keep keyword keywords kind knew know known large last late later least left less letter life like line
    links little long look lump made main make many matter mean means might minute minutes model modified month
    months more most much must nach near need never next nicht noch none note noted nothing noticed number oder
    office often ohne once only open order orientation other over pain part past patient patients people
    photoshop place point possible present problem profile public quite rather reason rechts report reported
    resolution right room said same second seem seen several shall sheet short should show shown side since sind
    small software some something soon source state still such sure system take taken tell than that their them
    then there these they thing third this those though three through time times title today together told took
    toward type under unter until upon upper used using value version very visit visits want warning week weeks
    well were what when where whether which while whole will wird with within without work workbook would wurde
    xmlns xpacket year years young your zwischen über
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
"""Words that stand in any sentence and in the frames of files; among removed texts they identify nobody."""

_UID = re.compile(r"[0-2](?:\.\d+){3,}")
_DOTTED = re.compile(r"\d+(?:\.\d+){3,}")
_YEAR = re.compile(r"(?:18[5-9]|19\d|20\d|21[0-4])\d")
_TOKEN = re.compile(r"[^\W_]+")
_SEPARATORS = (" ", "-", "_", ".", "/", "^", ", ", ",")
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f]")
_STANDARD_UID = re.compile(r"1\.2\.840\.10008(?:\.\d{1,4})+")
"""A UID of the standard has short parts; an invented one below its root holds numbers."""
_RUNS = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MOST_RUNS = 8


@dataclass(frozen=True)
class Term:
    """One text to look for.

    Parameters
    ----------
    text : str
        As it would be written, in lower case.
    kind : str
        ``word``, ``number``, ``uid`` or ``date``.
    """

    text: str = field(repr=False)
    kind: str


@dataclass(frozen=True)
class Clean:
    """What an output says by rule, in lower case, word by word.

    Parameters
    ----------
    coded : frozenset of str
        Of coded terms, codes, measurements and names of machines: there they are nobody's name.
    named : frozenset of str
        Of all other texts that stay: a word of another file's removed text, or a number of at most five digits, that
        stands there is none of a person.
    """

    coded: frozenset[str] = field(default=frozenset(), repr=False)
    named: frozenset[str] = field(default=frozenset(), repr=False)


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the words of texts in lower case, and every part of them that the second pass takes for one.

    Examples
    --------
    >>> sorted(words_of(["*fl2d1"]))
    ['1', '2', '2d', '2d1', 'd', 'd1', 'fl', 'fl2', 'fl2d', 'fl2d1']
    """
    found: set[str] = set()
    for text in texts:
        for form in (text, _CAMEL.sub(" ", text)):
            for token in _TOKEN.findall(_normal(form)):
                runs = _RUNS.findall(token)[:_MOST_RUNS]
                found.add(token)
                found.update("".join(runs[a:b]) for a in range(len(runs)) for b in range(a + 1, len(runs) + 1))
    return frozenset(found)


def terms_of(values: Iterable[str], texts: Iterable[str] = (), *, common: frozenset[str] = frozenset()) -> set[Term]:
    """Return what to look for of identifying values and of removed free texts; dates are not among it.

    Parameters
    ----------
    values : iterable of str
        Names, numbers, addresses, UIDs.
    texts : iterable of str
        Free texts, of which words in `common` are left out.
    common : frozenset of str
        A medical vocabulary, in lower case.
    """
    found: set[Term] = set()
    for value in values:
        found.update(_terms(value))
    for text in texts:
        plain = _DOTTED.sub(" ", without_dates(text))
        words = {
            t for t in _tokens(plain) if not (t in EVERYDAY or _YEAR.fullmatch(t) or (t.isalpha() and t in common))
        }
        found.update(_term(w) for w in words if _searched(w))
    return found


def dates_of(values: Iterable[str]) -> frozenset[date]:
    """Return the dates among values, both where day and month can be swapped."""
    return frozenset(d for value in values for d in dates_in(value))


def date_terms(days: Iterable[date]) -> set[Term]:
    """Return every spelling of dates."""
    return {Term(text, "date") for day in days for text in spellings_of(day)}


def weight(token: str) -> int:
    """Return the length of a token, a Chinese, Japanese or Korean character counted twice."""
    return len(token) + len(_CJK.findall(token))


def _terms(value: str) -> Iterator[Term]:
    value = _normal(value)
    if _UID.fullmatch(value):
        if not _STANDARD_UID.fullmatch(value):
            yield Term(value, "uid")
        return
    if is_date(value) and not re.fullmatch(r"\d{9,}", value):
        return
    for group in value.split("="):  # the groups of a DICOM name: the same person in other scripts
        part, _, _ = group.partition("@")  # what follows is a mail server
        if not re.fullmatch(r"\s*\d{9,}\s*", part):
            part = without_dates(part)
        tokens = _tokens(part)
        # a year is the rest of a date: it names nobody, and shifted dates have the same years
        yield from (_term(t) for t in tokens if _searched(t) and not _YEAR.fullmatch(t))
        yield from _joined([t for t in tokens if not _generic(t) and not t.isdigit()])
        yield from _number(part, tokens)


def _joined(tokens: list[str]) -> Iterator[Term]:
    """Yield a name written as one, in any order: its parts alone may be too short, or not stand alone."""
    if not 2 <= len(tokens) <= 4 or not all(t.isalpha() for t in tokens):
        return
    short = any(not _searched(t) for t in tokens)
    for order in permutations(tokens) if len(tokens) <= 3 else (tuple(tokens), tuple(tokens[::-1])):
        whole = "".join(order)
        if weight(whole) >= LEAST_CHARACTERS + 2:
            yield _term(whole)
        if short and weight(whole) >= LEAST_CHARACTERS:
            yield from (Term(mark.join(order), "word") for mark in _SEPARATORS)


def _number(part: str, tokens: list[str]) -> Iterator[Term]:
    """Yield the digits of a number without separators, with others, and without leading zeros."""
    digits = [t for t in tokens if t.isdigit()]
    whole = "".join(digits)
    if len(digits) == len(tokens) > 1 and len(whole) > LEAST_CHARACTERS:
        yield Term(whole, "number")
        yield from (Term(mark.join(digits), "number") for mark in _SEPARATORS)
    elif len(whole) > LEAST_CHARACTERS + 1 and len(tokens) > 1 and not any(t.isalpha() and len(t) > 4 for t in tokens):
        yield Term("".join(tokens), "number")
        yield Term(whole, "number")
    for token in (*digits, whole):
        bare = token.lstrip("0")
        if bare != token and len(bare) > LEAST_CHARACTERS:
            yield Term(bare, "number")


def _term(token: str) -> Term:
    return Term(token, "number" if token.isdigit() else "word")


def _tokens(text: str) -> list[str]:
    return [t for t in _TOKEN.findall(_normal(text)) if t.strip("0")]


def _searched(token: str) -> bool:
    return weight(token) >= LEAST_CHARACTERS and not _generic(token)


def _generic(token: str) -> bool:
    return token in CODED or token in SEXES or token in PLACEHOLDERS or token in GENERIC


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\0", " ").strip()).casefold()
