"""What stands for a person, a UID or a number after de-identification: keyed hashes, the same for the same thing."""

import base64
import hashlib
import hmac

from hounsfield.core.errors import InputError

KEY_BYTES = 32
"""Length of a new key."""

LEAST_KEY_BYTES = 16
LEAST_DAYS, MOST_DAYS = 31, 3680
"""The shift of a patient's dates in days, always into the past: at least a month, at most ten years."""


class Pseudonyms:
    """Replaces identifiers by codes that only the holder of the key can make again.

    Parameters
    ----------
    key : bytes
        At least 16 secret bytes. The same key gives the same codes, so that a later delivery joins an earlier one.

    Raises
    ------
    InputError
        If the key is shorter.

    Notes
    -----
    HMAC-SHA256 of the kind of thing and its text. Whoever has the key can test a guessed identifier, and only they:
    it belongs to those who may know the patients, never beside the output.

    References
    ----------
    RFC 2104 (HMAC). UIDs: DICOM PS3.5 B.2, the ``2.25.`` root with a 128-bit number.

    Examples
    --------
    >>> pseudonyms = Pseudonyms(bytes(32))
    >>> pseudonyms.patient("4711") == pseudonyms.patient(" 4711 ")
    True
    >>> pseudonyms.uid("1.2.3").startswith("2.25.")
    True
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < LEAST_KEY_BYTES:
            raise InputError(
                f"A key for pseudonyms has {len(key)} bytes.",
                expected=f"at least {LEAST_KEY_BYTES} secret bytes",
                next_step="let a new key be made",
            )
        self._key = bytes(key)

    def patient(self, identifier: str) -> str:
        """Return what stands for a patient: ``P`` and 12 letters or digits, fit for every DICOM and file name.

        Parameters
        ----------
        identifier : str
            PatientID, or whatever else tells patients apart; spaces around it do not count.
        """
        return "P" + self._letters("patient", identifier, 12)

    def uid(self, uid: str) -> str:
        """Return the UID that stands for another: ``2.25.`` and a number of 128 bits, at most 44 characters."""
        return "2.25." + str(int.from_bytes(self._digest("uid", uid.strip(" \0"))[:16], "big"))

    def days(self, patient: str) -> int:
        """Return by how many days a patient's dates are moved: the same for all of them, negative, never 0.

        Parameters
        ----------
        patient : str
            The identifier as given to `patient`.
        """
        number = int.from_bytes(self._digest("days", patient)[:8], "big")
        return -(LEAST_DAYS + number % (MOST_DAYS - LEAST_DAYS + 1))

    def code(self, kind: str, value: str) -> str:
        """Return what stands for another identifier: 12 letters or digits.

        Parameters
        ----------
        kind : str
            What it is, such as ``"accession"``: equal values of different kinds get different codes.
        value : str
        """
        return self._letters(f"code:{kind}", value, 12)

    def _digest(self, kind: str, value: str) -> bytes:
        text = value.strip(" \0\t\r\n")
        return hmac.new(self._key, f"{kind}\x1f{text}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

    def _letters(self, kind: str, value: str, length: int) -> str:
        return base64.b32encode(self._digest(kind, value)).decode("ascii")[:length]
