"""Sample photos one tap away: whatever pictures lie in MEDIA_ROOT/samples."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

MOST = 6


@dataclass(frozen=True, slots=True)
class Sample:
    name: str  # the file's name; also what a page without scripts sends
    label: str  # "red-coat_2.jpg" reads "Red coat 2"
    url: str


def samples() -> list[Sample]:
    """Returns at most six samples, by name; an empty list where the shop has none."""
    return [
        Sample(path.name, _label(path), f"{settings.MEDIA_URL}samples/{path.name}")
        for path in sorted(_folder().glob("*.jpg"))[:MOST]
    ]


def read_sample(name: str) -> bytes | None:
    """Returns the bytes of a listed sample, or None when there is none of that name."""
    if name not in {sample.name for sample in samples()}:
        return None
    return (_folder() / name).read_bytes()


def _folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "samples"


def _label(path: Path) -> str:
    return path.stem.replace("-", " ").replace("_", " ").strip().capitalize()
