"""The model card: what a served model is, which files it has, how its input is prepared, and what it was measured at.

A card is a JSON file beside its weights. Its fingerprint names the function the model computes, so embeddings of two
encoders can never meet in one collection. Idea: Mitchell et al., "Model Cards for Model Reporting", 2019.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from shop_search.errors import ServiceError


@dataclass(frozen=True)
class WeightFile:
    """One file of a model, relative to its card."""

    path: str
    sha256: str


@dataclass(frozen=True)
class ModelCard:
    """What is known of one exported model. `files` maps a role ("image", "image_bin", "tokenizer", ...) to its file."""

    name: str
    kind: str  # "detector" | "encoder"
    version: str
    license: str
    files: Mapping[str, WeightFile]
    preprocessing: Mapping[str, Any]  # input size, mean, std, resize mode, thresholds: all that changes the output
    classes: tuple[str, ...] = ()  # detector: shop category slugs, in class order
    dim: int = 0  # encoder: length of an embedding
    data: tuple[str, ...] = ()  # what it was trained on, with rights
    training: Mapping[str, Any] = field(default_factory=dict)  # command, seed, epochs, hours
    metrics: Mapping[str, Any] = field(default_factory=dict)  # measured, each with n
    notes: str = ""
    folder: Path = Path()  # where the card was read from; not part of the file

    @cached_property
    def fingerprint(self) -> str:
        """12 hex digits over weights and preprocessing; changes when the computed function may have changed."""
        facts = {
            "files": {role: file.sha256 for role, file in sorted(self.files.items())},
            "preprocessing": self.preprocessing,
            "classes": list(self.classes),
            "dim": self.dim,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def label(self) -> str:
        """`name-version@fingerprint`: how answers and reports cite the model."""
        return f"{self.name}-{self.version}@{self.fingerprint}"

    def path(self, role: str) -> Path:
        """Returns the checked path of one file. Raises ServiceError when it is missing or not the file on the card."""
        if role not in self.files:
            raise ServiceError("model_file_missing", f"The card of {self.name} lists no file for {role!r}.")
        path = self.folder / self.files[role].path
        if not path.is_file():
            raise ServiceError("model_file_missing", f"{path} is missing. Restore it or export the model again.")
        if sha256_of(path) != self.files[role].sha256:
            raise ServiceError("model_file_damaged", f"{path} is not the file its card describes. Export it again.")
        return path

    @classmethod
    def load(cls, path: Path | str) -> "ModelCard":
        """Returns the card stored at `path`. Raises ServiceError when it can't be read or lacks a field."""
        path = Path(path)
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            raw["files"] = {role: WeightFile(**entry) for role, entry in raw["files"].items()}
            raw["classes"] = tuple(raw.get("classes", ()))
            raw["data"] = tuple(raw.get("data", ()))
            raw.pop("fingerprint", None)
            return cls(**raw, folder=path.parent)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ServiceError("model_card_unreadable", f"Can't read the model card {path}: {error}") from error

    def save(self, path: Path | str) -> None:
        """Writes the card as readable JSON, with its fingerprint for people to compare."""
        raw: dict[str, Any] = {
            "name": self.name,
            "kind": self.kind,
            "version": self.version,
            "fingerprint": self.fingerprint,
            "license": self.license,
            "files": {role: {"path": f.path, "sha256": f.sha256} for role, f in self.files.items()},
            "preprocessing": dict(self.preprocessing),
            "classes": list(self.classes),
            "dim": self.dim,
            "data": list(self.data),
            "training": dict(self.training),
            "metrics": dict(self.metrics),
            "notes": self.notes,
        }
        Path(path).write_text(json.dumps(raw, indent=2) + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Returns the file's SHA-256 as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
