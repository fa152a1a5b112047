"""Makes a feed with its pictures, as a merchant has them on disk."""

import csv
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.fakes import picture


class FeedFolder:
    """A folder with pictures and a feed of `rows`; change the rows and write again for the next upload."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "feed.csv"
        self.rows: list[dict[str, str]] = []
        root.mkdir(parents=True, exist_ok=True)

    def add(self, sku: str, *, seed: int | None = None, **cells: str) -> dict[str, str]:
        """Adds a row with a picture of its own, drawn from `seed`."""
        row = {"id": sku, "title": f"Product {sku}", "image_link": f"{sku}.png", "price": "10.00 EUR", **cells}
        row.setdefault("product_type", "shoes")
        if not (self.root / row["image_link"]).exists():
            self.draw(row["image_link"], seed=len(self.rows) if seed is None else seed)
        self.rows.append(row)
        return row

    def add_many(self, count: int) -> None:
        for n in range(count):
            self.add(f"P-{n:04}", seed=n)

    def draw(self, name: str, *, seed: int, size: tuple[int, int] = (96, 96)) -> Path:
        """Writes a picture; the same seed draws the same bytes."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(seed, size=size))
        return path

    def row(self, sku: str) -> dict[str, str]:
        return next(row for row in self.rows if row["id"] == sku)

    def edit(self, sku: str, cells: Mapping[str, str]) -> None:
        self.row(sku).update(cells)

    def write(self) -> Path:
        """Writes the feed and returns its path."""
        columns = list(dict.fromkeys(column for row in self.rows for column in row))
        with self.path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(self.rows)
        return self.path

    def zip(self) -> bytes:
        """Returns a zip of the feed and its pictures."""
        self.write()
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for file in sorted(path for path in self.root.rglob("*") if path.is_file()):
                archive.write(file, file.relative_to(self.root))
        return stream.getvalue()
