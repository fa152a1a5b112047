"""A look at a feed whose column names we don't all know: what it holds, and which of its columns is probably which.

    header, first rows -> names in other languages, names that are nearly ours, what the cells look like -> a proposal

Only proposed: a merchant says yes before anything is taken for a title or a price.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from catalog.feeds.archive import open_archive
from catalog.feeds.columns import COLUMNS, REQUIRED, match_columns, normal_name
from catalog.feeds.delimited import open_lines
from catalog.feeds.prices import parse_price
from catalog.feeds.records import Grid
from catalog.feeds.shopify import is_shopify
from catalog.feeds.text import open_text
from catalog.feeds.workbook import open_sheet
from catalog.feeds.workbook_parts import is_workbook
from catalog.feeds.zips import is_zip
from shop_search.errors import InputError

ROWS = 5  # that are shown
_LOOKED_AT = 50  # rows whose cells are asked what they look like
_SHOWN = 120  # characters of a cell
_NEARLY = 0.84  # SequenceMatcher's ratio of two names: `tittle` and `title` reach .91, `brand` and `grand` .8
# Names in other languages of shops' exports, by our column; ours and English ones are in columns.py.
_FOREIGN = {
    "id": "artikel artikelnr artikelnummer artnr bestellnummer referencia codigo reference ref codice riferimento",
    "title": "bezeichnung titel artikelbezeichnung produktname nom titre nombre titulo nome titolo naam",
    "description": "beschreibung descripcion descrizione omschrijving langtext",
    "link": "produktlink produkt_url lien enlace deeplink shop_url",
    "image_link": "bild bild_url bildlink foto imagen immagine afbeelding hauptbild bild1 bild_1 foto1 photo_1 image_1",
    "additional_image_link": "weitere_bilder bild2 bild_2 foto2 image_2 image2 photo_2",
    "price": "preis prix precio prezzo prijs vk vk_preis verkaufspreis bruttopreis price_eur preis_eur",
    "sale_price": "aktionspreis sonderpreis angebotspreis prix_promo precio_oferta prezzo_scontato",
    "currency": "waehrung währung devise moneda valuta",
    "availability": "verfuegbarkeit verfügbarkeit bestand lagerbestand lager disponibilité disponibilidad",
    "brand": "marke hersteller marque marca merk fabricant",
    "color": "farbe couleur colore kleur",
    "gender": "geschlecht genre sexo genere geslacht",
    "product_type": "kategorie warengruppe produktart categorie catégorie categoria rubrik",
    "gtin": "ean13 ean_code barcode_ean gtin13",
    "item_group_id": "gruppe parent variante_von modell_id",
}
_FOREIGN_OF = {normal_name(name): ours for ours, names in _FOREIGN.items() for name in names.split()}
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif|heic)(?:\?.*)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Glance:
    """What is seen of a feed before its columns are understood."""

    format: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]  # the first, their cells cut
    used: Mapping[str, str]  # our columns -> the feed's, that are clear
    proposed: Mapping[str, str]  # and that are probable

    @property
    def missing(self) -> list[str]:
        """Returns the columns that are needed and neither clear nor probable."""
        return [column for column in REQUIRED if column not in self.used and column not in self.proposed]

    @property
    def key(self) -> str:
        """Returns what the header is known by, whatever the order of its names."""
        return header_key(self.header)

    def as_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "header": list(self.header),
            "rows": [list(row) for row in self.rows],
            "used": dict(self.used),
            "proposed": dict(self.proposed),
        }


def header_key(header: Sequence[str]) -> str:
    """Returns the SHA-256 of a header's names, sorted as they are compared."""
    return sha256("\n".join(sorted(filter(None, map(normal_name, header)))).encode()).hexdigest()


def glance_at(path: Path) -> Glance | None:
    """Returns what is seen of a feed with a row of column names, in a zip too; None of one whose columns are told by
    its kind (XML, JSON lines, Shopify's). Reads the first rows alone.

    Raises InputError as `open_feed` and `open_archive` do.
    """
    with TemporaryDirectory(prefix="glance-") if is_zip(path) and not is_workbook(path) else nullcontext() as folder:
        if folder is not None:
            with open_archive(path) as archive:
                path = Path(folder) / archive.feed_name.rpartition("/")[2]
                archive.copy_feed(path)
        grid = _grid(path)
        return None if grid is None or is_shopify(grid.header) else _glance(grid)


def _grid(path: Path) -> Grid | None:
    if is_workbook(path):
        return open_sheet(path, None)
    text = open_text(path)
    start = next(text.chunks(), "").lstrip("\ufeff \t\r\n")
    return None if start[:1] in {"<", "{", "["} else open_lines(text)


def _glance(grid: Grid) -> Glance:
    header = tuple(name.strip() for name in grid.header)
    sample = [record.cells for record in islice(grid.records(), _LOOKED_AT) if record.problem is None]
    used = match_columns(header).used
    shown = tuple(tuple(cell.strip()[:_SHOWN] for cell in cells) for cells in sample[:ROWS])
    return Glance(grid.format, header, shown, used, _propose(header, sample, used))


def _propose(header: Sequence[str], sample: Sequence[Sequence[str]], used: Mapping[str, str]) -> dict[str, str]:
    proposed: dict[str, str] = {}
    free = [place for place, name in enumerate(header) if name and name not in used.values()]

    def take(column: str, place: int) -> None:
        proposed[column] = header[place]
        free.remove(place)

    for is_named in (_is_foreign, _is_nearly):
        for place in list(free):
            column = is_named(header[place])
            if column and column not in used and column not in proposed:
                take(column, place)
    for column, looks in _LOOKS.items():  # what is needed, by what its cells hold
        if column not in used and column not in proposed:
            likely = next((place for place in free if _all(looks, [row[place] for row in sample])), None)
            if likely is not None:
                take(column, likely)
    return proposed


def _is_foreign(name: str) -> str:
    return _FOREIGN_OF.get(normal_name(name), "")


def _is_nearly(name: str) -> str:
    normal = normal_name(name)
    best = max(COLUMNS, key=lambda column: SequenceMatcher(None, normal, column).ratio())
    return best if SequenceMatcher(None, normal, best).ratio() >= _NEARLY else ""


def _is_picture(cell: str) -> bool:
    return bool(_PICTURE.search(cell))


def _is_price(cell: str) -> bool:
    if not re.search(r"[.,]\d\d(?!\d)|[€$£]|\b[A-Z]{3}\b", cell):  # a bare whole number may be anything
        return False
    try:
        parse_price(cell)
    except InputError:
        return False
    return True


def _is_name(cell: str) -> bool:
    return 3 <= len(cell) <= 150 and bool(re.search(r"[^\W\d_]{3}", cell)) and "/" not in cell and "@" not in cell


_LOOKS = {"image_link": _is_picture, "price": _is_price, "title": _is_name}


def _all(looks: Any, cells: Sequence[str]) -> bool:
    filled = [cell.strip() for cell in cells if cell.strip()]
    return len(filled) >= max(1, len(cells) // 2) and all(map(looks, filled))
