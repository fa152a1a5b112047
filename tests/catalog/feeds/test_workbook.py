"""Excel workbooks: what people see in a sheet is what the feed says, and what is dangerous in one does no harm."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from catalog.feeds import FeedRow, RowError, open_feed
from catalog.feeds.number_formats import NumberFormat, number_format
from shop_search.errors import InputError

HEADER = ["id", "title", "image_link", "price"]
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def saved(folder: Path, *rows: Iterable[Any], name: str = "feed.xlsx") -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(folder / name)
    return folder / name


def read(path: Path, **options) -> tuple[list[FeedRow], list[RowError]]:
    found = list(open_feed(path, **options))
    return [one for one in found if isinstance(one, FeedRow)], [one for one in found if isinstance(one, RowError)]


def made(folder: Path, sheet: str, *, strings: str = "", name: str = "feed.xlsx") -> Path:
    """A workbook of hand-written parts, as no library would write it."""
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships><Relationship Id="a" Type="{LINKS}/officeDocument" Target="/xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<x:workbook {MAIN.replace("xmlns", "xmlns:x")} xmlns:r="{LINKS}"><x:sheets>'
        '<x:sheet name="One" sheetId="1" r:id="r1"/></x:sheets></x:workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="r1" Type="{LINKS}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
    }
    if strings:
        parts["xl/sharedStrings.xml"] = strings
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, text in parts.items():
            archive.writestr(part, text)
    return folder / name


def inline(*cells: str) -> str:
    return "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells) + "</row>"


def sheet_of(*rows: str) -> str:
    return f"<worksheet {MAIN}><sheetData>{''.join(rows)}</sheetData></worksheet>"


def test_a_workbook_is_read_as_a_csv_would_be(tmp_path):
    path = saved(
        tmp_path,
        [*HEADER, "availability", "gtin"],
        ["S-1", "Canvas sneaker", "s-1.png", "49.90 EUR", True, 4006381333931],
        [],
        ["S-2", "Boot", "s-2.png", "cheap", 0, None],
    )

    feed = open_feed(path)
    rows, errors = read(path)

    assert (feed.format, feed.most_rows) == ("xlsx", 2)
    assert [(row.row, row.sku, row.price, row.in_stock, row.gtin) for row in rows] == [
        (2, "S-1", Decimal("49.90"), True, "4006381333931")
    ]
    assert [(error.row, error.column, error.code) for error in errors] == [(4, "price", "price_invalid")]


def test_numbers_and_days_are_the_texts_that_people_see(tmp_path):
    book = Workbook()
    sheet = book.active
    sheet.append([*HEADER, "sale_price", "brand", "description"])
    sheet.append([7, 0.1 + 0.2, "a.png", 1234.5, 19.9, date(2026, 11, 21), 0.125])
    sheet["A2"].number_format, sheet["D2"].number_format = "00000", '#,##0.00 "EUR"'
    sheet["E2"].number_format, sheet["G2"].number_format = "[$€-407] 0.00", "0.0%"
    book.save(tmp_path / "feed.xlsx")

    (row,), errors = read(tmp_path / "feed.xlsx")

    assert not errors
    assert (row.sku, row.title, row.price, row.currency) == ("00007", "0.3", Decimal("19.90"), "EUR")
    assert (row.brand, row.description) == ("2026-11-21", "12.5%")


@pytest.mark.parametrize(
    ("code", "raw", "shown"),
    [
        ("General", "19.899999999999999", "19.9"),
        ("General", "1E+20", "100000000000000000000"),
        ("General", "not a number", "not a number"),
        ("0", "2.5", "3"),
        ("0.00;[Red]-0.00", "-3", "-3.00"),
        ("0.0##", "1.25", "1.25"),
        ('"SKU-"0000', "12", "SKU-0012"),
        ("$#,##0.00", "1234.5", "$1234.50"),
        ("_-* #,##0.00 [$€-407]_-", "5", "5.00 €"),
        ("0,", "12000", "12000"),
        ("0.00E+00", "4006381333931", "4006381333931"),
        ("@", "5", "5"),
        ("# ?/?", "0.5", "0.5"),
        ("m/d/yyyy", "45992", "2025-12-01"),
        ("yyyy-mm-dd hh:mm", "45992.5", "2025-12-01 12:00"),
        ("h:mm", "0.75", "18:00:00"),
        ("[h]:mm", "0.5", "12:00:00"),
        ("d", "59", "1900-02-28"),
        ("yyyy", "99999999", "99999999"),
    ],
)
def test_a_format_shows_a_number_as_spreadsheets_do(code, raw, shown):
    assert number_format("164", code).show(raw) == shown


def test_built_in_formats_and_the_count_from_1904_are_known():
    assert number_format("2").show("3") == "3.00"
    assert number_format("14").show("45992") == "2025-12-01"
    assert number_format("14").show("44530", is_1904=True) == "2025-12-01"
    assert number_format("0") == NumberFormat()


def test_the_sheet_and_the_row_with_the_column_names_are_found(tmp_path):
    book = Workbook()
    book.active.append(["Our spring catalog"])
    book.active.append(["Made by", "Linden"])
    hidden = book.create_sheet("Old")
    hidden.sheet_state = "hidden"
    products = book.create_sheet("Products")
    for sheet, sku in ((hidden, "OLD"), (products, "NEW")):
        sheet.append(["Products of the season"])
        sheet.append([])
        sheet.append(HEADER)
        sheet.append([sku, "Boot", "a.png", 5])
    book.save(tmp_path / "feed.xlsx")

    rows, errors = read(tmp_path / "feed.xlsx")

    assert [(row.row, row.sku) for row in rows] == [(4, "NEW")]
    assert not errors


def test_names_of_the_merchants_own_are_mapped(tmp_path):
    book = Workbook()
    book.active.append(["A title", "and a second cell"])
    sheet = book.create_sheet("Ware")
    sheet.append(["Artikel", "Bezeichnung", "Foto"])
    sheet.append(["A-1", "Stiefel", "a.png"])
    book.save(tmp_path / "feed.xlsx")

    rows, _ = read(
        tmp_path / "feed.xlsx", columns={"id": "Artikel", "title": "Bezeichnung", "image_link": "Foto"}, currency="EUR"
    )

    assert [(row.sku, row.title) for row in rows] == [("A-1", "Stiefel")]


def test_shopifys_export_saved_as_a_workbook_is_one(tmp_path):
    path = saved(
        tmp_path,
        ["Handle", "Title", "Option1 Name", "Option1 Value", "Variant SKU", "Variant Price", "Image Src"],
        ["tote", "Tote", "Color", "Red", "T-R", 20, "https://cdn.example/tote.png"],
        ["tote", None, None, "Blue", "T-B", 21, None],
    )

    rows, _ = read(path)

    assert open_feed(path).format == "shopify"
    assert [(row.sku, row.title, row.colors, row.item_group) for row in rows] == [
        ("T-R", "Tote", ("Red",), "tote"),
        ("T-B", "Tote", ("Blue",), "tote"),
    ]


def test_text_that_is_formatted_in_parts_is_one_text(tmp_path):
    book = Workbook()
    book.active.append(HEADER)
    rich = CellRichText("Canvas ", TextBlock(InlineFont(b=True), "sneaker"), " & laces")
    book.active.append(["S-1", rich, "a.png", 5])
    book.save(tmp_path / "feed.xlsx")

    assert [row.title for row in read(tmp_path / "feed.xlsx")[0]] == ["Canvas sneaker & laces"]


def test_how_a_word_is_spoken_is_no_part_of_it(tmp_path):
    strings = f'<sst {MAIN}><si><t>靴</t><rPh sb="0" eb="1"><t>クツ</t></rPh></si></sst>'
    row = '<row r="2"><c r="A2" t="inlineStr"><is><t>S-1</t></is></c><c r="B2" t="s"><v>0</v></c>' + (
        '<c r="C2" t="str"><v>a_x000D_.png</v></c></row>'
    )
    path = made(tmp_path, sheet_of(inline("id", "title", "image_link"), row), strings=strings)

    assert [(row.title, row.image_link) for row in read(path)[0]] == [("靴", "a .png")]


def test_formulas_are_not_calculated_and_one_without_a_value_is_told(tmp_path):
    path = saved(
        tmp_path,
        [*HEADER, "brand"],
        ["S-1", '=HYPERLINK("http://evil.example","Click")', "a.png", 5, "Vale"],
        ["S-2", "Boot", "a.png", 5, "=1/0"],
        ["S-3", "Boot", "a.png", "=2*3", "Vale"],
    )

    rows, errors = read(path)

    assert [(row.sku, row.brand) for row in rows] == [("S-2", "")]
    assert [(error.row, error.column, error.code, error.is_fatal) for error in errors] == [
        (2, "title", "cell_is_error", True),
        (4, "price", "price_invalid", True),
    ]
    assert [(warning.column, warning.code) for warning in rows[0].warnings] == [("brand", "cell_is_error")]


def test_the_value_that_was_saved_beside_a_formula_counts(tmp_path):
    row = (
        '<row r="2"><c r="A2" t="str"><f>"S-"&amp;1</f><v>S-1</v></c><c r="B2" t="e"><f>X</f><v>#REF!</v></c>'
        '<c r="C2" t="str"><f>""</f><v></v></c></row>'
    )
    path = made(tmp_path, sheet_of(inline("id", "title", "image_link"), row))

    _, errors = read(path)

    assert [(error.column, error.code) for error in errors] == [
        ("title", "cell_is_error"),
        ("image_link", "value_missing"),
    ]


@pytest.mark.parametrize("part", ["sheet", "strings"])
def test_entities_of_its_own_are_refused(tmp_path, part):
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]>'
    good = sheet_of(inline("id", "title", "image_link"), inline("S-1", "Boot", "a.png"))
    texts = f"<sst {MAIN}><si><t>x</t></si></sst>"
    path = made(tmp_path, (bomb if part == "sheet" else "") + good, strings=(bomb if part == "strings" else "") + texts)

    with pytest.raises(InputError) as caught:
        open_feed(path)

    assert caught.value.code == "feed_doctype_forbidden"


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = made(tmp_path, sheet_of(inline("id", "title", "image_link")) + " " * 50_000_000)

    with pytest.raises(InputError) as caught:
        open_feed(path)

    assert caught.value.code == "archive_bomb"


def test_rows_and_columns_that_claim_to_be_far_away_cost_nothing(tmp_path):
    row = (
        '<row r="99999999999999"><c r="A2" t="inlineStr"><is><t>S-1</t></is></c><c r="ZZZZ2"><v>1</v></c>'
        '<c r="B2" t="inlineStr"><is><t>Boot</t></is></c><c t="inlineStr"><is><t>a.png</t></is></c></row>'
    )
    path = made(tmp_path, sheet_of(inline("id", "title", "image_link"), row, inline("S-2", "Bag", "b.png")))

    rows, errors = read(path)

    assert [(row.row, row.sku, row.image_link) for row in rows] == [(2, "S-1", "a.png"), (3, "S-2", "b.png")]
    assert not errors


def test_a_sheet_that_breaks_off_gives_the_rows_before_and_says_so(tmp_path):
    good = sheet_of(inline("id", "title", "image_link"), inline("S-1", "Boot", "a.png"))
    path = made(tmp_path, good.replace("</sheetData></worksheet>", "<row><c"))

    rows, errors = read(path)

    assert [row.sku for row in rows] == ["S-1"]
    assert [(error.row, error.code) for error in errors] == [(4, "xlsx_broken")]


def test_a_text_that_is_not_there_fails_its_row_alone(tmp_path):
    row = (
        '<row r="2"><c r="A2" t="s"><v>99</v></c><c r="B2" t="str"><v>Boot</v></c><c r="C2" t="str"><v>a</v></c></row>'
    )
    path = made(tmp_path, sheet_of(inline("id", "title", "image_link"), row, inline("S-2", "Bag", "b.png")))

    rows, errors = read(path)

    assert [row.sku for row in rows] == ["S-2"]
    assert [(error.row, error.column, error.code) for error in errors] == [(2, "id", "cell_is_error")]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"[Content_Types].xml": "<Types/>", "xl/workbook.bin": ""}, "feed_xlsx_unsupported"),
        ({"[Content_Types].xml": "<Types/>", "xl/styles.xml": "<a/>"}, "feed_unreadable"),
        ({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook><sheets>"}, "feed_unreadable"),
        ({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"}, "feed_empty"),
        (
            {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>", "../evil": ""},
            "archive_path_forbidden",
        ),
    ],
)
def test_a_workbook_that_cannot_be_read_says_why(tmp_path, parts, code):
    path = tmp_path / "feed.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)

    with pytest.raises(InputError) as caught:
        open_feed(path)

    assert caught.value.code == code


def test_a_cut_off_workbook_is_told(tmp_path):
    path = saved(tmp_path, HEADER, ["S-1", "Boot", "a.png", 5])
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(InputError) as caught:
        open_feed(path)

    assert caught.value.code == "archive_unreadable"


READ_ALL = """
import resource, sys
from pathlib import Path
from catalog.feeds import open_feed
list(open_feed(Path(sys.argv[1])))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(1 for _ in open_feed(Path(sys.argv[2])))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_stays_flat_however_long_the_sheet_is(tmp_path):
    """Each text is another one: 30,000 of a kilobyte are 30 MB, which a list of them would take."""
    small, large = (made_long(tmp_path / f"{rows}.xlsx", rows) for rows in (2000, 30_000))

    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(small), str(large)], capture_output=True, text=True, check=True
    )

    count, grown_kib = map(int, done.stdout.split())
    assert count == 30_000
    assert grown_kib < 12_000


def made_long(path: Path, rows: int) -> Path:
    texts, cells = io.StringIO(), io.StringIO()
    texts.write(f"<sst {MAIN}>")
    cells.write(f"<worksheet {MAIN}><sheetData>{inline('id', 'title', 'image_link', 'description')}")
    for n in range(rows):
        texts.write(f"<si><t>{os.urandom(500).hex()}</t></si>")
        cells.write(
            f'<row r="{n + 2}"><c t="inlineStr"><is><t>S-{n}</t></is></c><c t="str"><v>Boot</v></c>'
            f'<c t="str"><v>a.png</v></c><c t="s"><v>{n}</v></c></row>'
        )
    made(
        path.parent, cells.getvalue() + "</sheetData></worksheet>", strings=texts.getvalue() + "</sst>", name=path.name
    )
    return path
