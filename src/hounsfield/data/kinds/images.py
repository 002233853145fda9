"""Reading images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hounsfield.core.cohort import Cohort, Ref, Roles
from hounsfield.core.image import Header, Image
from hounsfield.core.kinds import AS_IT_IS, Wanted
from hounsfield.data.readers import header, read


class Images:
    """Images, by the table of readers."""

    def read(self, cohort: Cohort, ref: Ref, *, wanted: Wanted = AS_IT_IS) -> Image:
        """Return the image; nothing else can be wanted of it."""
        del wanted
        return read(cohort, ref)

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return size, channels, bits and format."""
        return header(cohort, ref)

    def loose(self, paths: Sequence[str | Path], roles: Roles, wanted: Mapping[str, Wanted]) -> tuple[Cohort, ...]:
        """Return the images that paths hold, see `hounsfield.data.loose`."""
        from hounsfield.data.loose import loose

        return loose(paths, roles, tuple(wanted))


IMAGES = Images()
