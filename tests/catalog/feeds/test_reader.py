import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings

from catalog.feeds import FeedRow, RowError, open_feed, read_rows
from shop_search.errors import InputError

FEEDS = Path(settings.BASE_DIR) / "fixtures" / "feeds"
HEADER = "id,title,image_link,price\n"


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "feed.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path) -> tuple[list[FeedRow], list[RowError]]:
    found = list(read_rows(path))
    return [one for one in found if isinstance(one, FeedRow)], [one for one in found if isinstance(one, RowError)]


def test_a_good_feed_is_read_whole():
    rows, errors = read(FEEDS / "good.csv")

    assert errors == []
    assert rows[0] == FeedRow(
        row=2,
        sku="S-1",
        title="Canvas sneaker",
        description="Light, washable, made for summer.",
        link="https://shop.example/s-1",
        image_link="shoes/s-1.png",
        additional_image_links=("shoes/s-1-back.png", "shoes/s-1-sole.png"),
        price=Decimal("49.90"),
        currency="EUR",
        in_stock=True,
        brand="Linden",
        colors=("white", "red"),
        gender="unisex",
        product_type="Sneakers",
        google_product_category="187",
        gtin="4006381333931",
        item_group="S",
    )
    assert [row.sku for row in rows] == ["S-1", "B-1", "D-1", "W-1"]
    assert rows[1].title == 'Tote "Market"'
    assert rows[1].description == "Two handles. One inside pocket."
    assert [row.row for row in rows] == [2, 3, 4, 5]
    assert [row.in_stock for row in rows] == [True, True, False, False]
    assert [row.gender for row in rows] == ["unisex", "female", "female", "male"]


def test_a_bad_row_costs_itself_and_says_what_is_wrong():
    rows, errors = read(FEEDS / "bad.csv")

    assert [row.sku for row in rows] == ["A-14", "A-15", "A-16", "A-19"]
    assert [(error.row, error.column, error.code) for error in errors] == [
        (2, "id", "value_missing"),
        (3, "title", "value_missing"),
        (4, "image_link", "value_missing"),
        (5, "price", "price_invalid"),
        (6, "price", "price_invalid"),
        (7, "price", "price_ambiguous"),
        (8, "price", "currency_unknown"),
        (9, "availability", "availability_unknown"),
        (10, "", "too_many_cells"),
        (11, "", "too_few_cells"),
        (12, "", "broken_quotes"),
        (13, "", "broken_quotes"),
        (17, "id", "id_repeated"),
        (18, "price", "price_invalid"),
        (18, "image_link", "value_missing"),
    ]
    assert all(error.is_fatal for error in errors)


def test_what_is_only_half_wrong_is_left_out_and_told():
    rows, _ = read(FEEDS / "bad.csv")
    without_link, without_gtin = rows[0], rows[1]

    assert without_link.link == ""
    assert [(w.column, w.code, w.value, w.is_fatal) for w in without_link.warnings] == [
        ("link", "link_invalid", "javascript:alert(1)", False)
    ]
    assert without_gtin.gtin == ""
    assert [(w.column, w.code) for w in without_gtin.warnings] == [("gtin", "gtin_invalid")]
    assert "format the column as text" in without_gtin.warnings[0].message


def test_an_error_names_the_column_as_the_feed_does(tmp_path):
    _, errors = read(write(tmp_path, "sku,name,picture\n1,,a.png\n"))

    assert [error.column for error in errors] == ["name"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_out(tmp_path, encoding, delimiter):
    cells = [["id", "title", "image_link", "color"], ["1", "Schöne Größe", "a.png", "weiß"]]
    text = "\r\n".join(delimiter.join(line) for line in cells)

    rows, errors = read(write(tmp_path, text.encode(encoding)))

    assert errors == []
    assert [(row.title, row.colors) for row in rows] == [("Schöne Größe", ("weiß",))]


def test_a_feed_of_latin_1_is_read_as_windows_1252(tmp_path):
    rows, _ = read(write(tmp_path, "id,title,image_link\n1,Robe d'été,a.png\n".encode("latin-1")))

    assert rows[0].title == "Robe d'été"


def test_one_damaged_line_in_a_utf_8_feed_costs_one_row(tmp_path):
    good = "".join(f"{n},Größe {n},a.png,1\n" for n in range(5)).encode()

    rows, errors = read(write(tmp_path, HEADER.encode() + good + b"bad,Gr\xf6\xdfe,a.png,1\n" + b"last,Good,a.png,1\n"))

    assert [row.sku for row in rows] == ["0", "1", "2", "3", "4", "last"]
    assert [(error.row, error.code) for error in errors] == [(7, "bad_encoding")]


def test_a_damaged_column_name_is_told_as_text(tmp_path):
    with pytest.raises(InputError) as caught:
        open_feed(write(tmp_path, b"id,t\xefitle\n" + "1,größe\n2,größe\n".encode()))
    assert caught.value.message.encode()
    assert "t\ufffditle" in caught.value.message


def test_a_nul_byte_costs_one_row(tmp_path):
    rows, errors = read(write(tmp_path, HEADER + "1,a\0b,a.png,1\n2,Good,a.png,1\n"))

    assert [row.sku for row in rows] == ["2"]
    assert [(error.row, error.code) for error in errors] == [(2, "nul_byte")]
    assert "\0" not in errors[0].value


def test_a_quote_that_is_never_closed_costs_one_row_of_a_long_feed(tmp_path):
    lines = [f"{n},Product {n},{n}.png,1\n" for n in range(3000)]
    lines[7] = '7,"Product 7,7.png,1\n'
    lines[9] = '9,"Product, the ninth",9.png,1\n'

    rows, errors = read(write(tmp_path, HEADER + "".join(lines)))

    assert len(rows) == 2999
    assert [(error.row, error.code) for error in errors] == [(9, "broken_quotes")]


def test_an_open_quote_does_not_swallow_a_cell_that_runs_over_lines(tmp_path):
    text = HEADER + '1,"Open,a.png,1\n2,"Two\nlines",a.png,1\n3,Good,a.png,1\n'

    rows, errors = read(write(tmp_path, text))

    assert [(row.sku, row.title) for row in rows] == [("2", "Two lines"), ("3", "Good")]
    assert [(error.row, error.code) for error in errors] == [(2, "broken_quotes")]


def test_quotes_are_plain_text_in_a_tab_separated_feed(tmp_path):
    rows, errors = read(
        write(tmp_path, 'id\ttitle\timage_link\n1\t"Best" shoe\ta.png\n2\t5" heel\ta.png\n3\t"odd\ta.png\n')
    )

    assert errors == []
    assert [row.title for row in rows] == ['"Best" shoe', '5" heel', '"odd']


def test_an_endless_line_costs_one_row(tmp_path):
    rows, errors = read(write(tmp_path, HEADER + "1," + "x" * 3_000_000 + ",a.png,1\n2,Good,a.png,1\n"))

    assert [row.sku for row in rows] == ["2"]
    assert [(error.row, error.code) for error in errors] == [(2, "row_too_long")]
    assert len(errors[0].value) < 300


def test_blank_lines_empty_cells_at_the_end_and_excels_first_line_are_no_mistakes(tmp_path):
    rows, errors = read(write(tmp_path, "sep=;\n\nid;title;image_link\n1;One;a.png\n;;\n\n2;Two;b.png;;;\n"))

    assert [(row.sku, row.row) for row in rows] == [("1", 4), ("2", 7)]
    assert [error.row for error in errors] == [5, 5, 5]


def test_a_feed_of_old_line_ends_is_read(tmp_path):
    rows, _ = read(write(tmp_path, b"id,title,image_link\r1,One,a.png\r2,Two,b.png\r"))

    assert [row.sku for row in rows] == ["1", "2"]


def test_what_spreadsheets_leave_around_a_value_is_taken_off(tmp_path):
    rows, _ = read(write(tmp_path, 'id,title,image_link,brand\n"=""0012""","\ufeff Two\u00a0 words ",a.png,N/A\n'))

    assert (rows[0].sku, rows[0].title, rows[0].brand) == ("0012", "Two words", "")


@pytest.mark.parametrize(
    ("availability", "in_stock"),
    [("", True), ("In Stock", True), ("in_stock", True), ("yes", True), ("7", True), ("0", False), ("sold out", False)],
)
def test_availability_is_read_from_words_and_counts(tmp_path, availability, in_stock):
    rows, _ = read(write(tmp_path, f"id,title,image_link,availability\n1,One,a.png,{availability}\n"))

    assert rows[0].in_stock is in_stock


@pytest.mark.parametrize(
    ("price", "sale", "paid"),
    [("20 EUR", "15 EUR", "15"), ("20 EUR", "25 EUR", "20"), ("20 EUR", "15 USD", "20"), ("", "15 EUR", "15")],
)
def test_the_price_is_what_a_shopper_pays(tmp_path, price, sale, paid):
    rows, _ = read(write(tmp_path, f"id,title,image_link,price,sale_price\n1,One,a.png,{price},{sale}\n"))

    assert rows[0].price == Decimal(paid)


def test_too_long_a_title_costs_the_row_and_too_long_a_description_is_cut(tmp_path):
    header = "id,title,image_link,description\n"

    rows, errors = read(write(tmp_path, f"{header}1,{'t' * 301},a.png,\n2,Two,a.png,{'d' * 20_000}\n"))

    assert [(error.row, error.code) for error in errors] == [(2, "value_too_long")]
    assert len(rows[0].description) == 10_000
    assert [warning.code for warning in rows[0].warnings] == ["value_too_long"]


def test_a_row_with_a_repeated_id_counts_once_even_if_the_first_was_bad(tmp_path):
    rows, errors = read(write(tmp_path, HEADER + "1,One,a.png,??\n1,Two,a.png,1\n1,Three,a.png,1\n"))

    assert [row.title for row in rows] == ["Two"]
    assert [error.code for error in errors] == ["price_invalid", "id_repeated"]
    assert "Row 3" in errors[1].message


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "feed_empty"),
        (b" \n \n", "feed_empty"),
        (b"PK\x03\x04rest", "feed_unsupported"),
        (b"\x89PNG\r\n", "feed_unsupported"),
        (b"<?xml version='1.0'?><rss/>", "feed_unsupported"),
        (b'{"id": 1}\n', "columns_missing"),
        (b'[{"id": 1}]\n', "feed_unsupported"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "feed_unsupported"),
        (b"one,two,three\n1,2,3\n", "columns_missing"),
        (b'id,"title,image_link\n1,One,a.png\n', "feed_unreadable"),
        (b"\xff\xd9\xfe\x01\x02\x03", "columns_missing"),
    ],
)
def test_a_file_that_is_no_feed_is_refused_by_what_it_is(tmp_path, content, code):
    with pytest.raises(InputError) as caught:
        open_feed(write(tmp_path, content))

    assert caught.value.code == code


def test_a_feed_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        open_feed(tmp_path / "nowhere.csv")

    assert caught.value.code == "feed_not_found"


def test_the_number_of_rows_is_known_before_reading(tmp_path):
    assert open_feed(write(tmp_path, HEADER + "1,One,a.png,1\n2,Two,a.png,1\n")).most_rows == 2
    assert open_feed(write(tmp_path, HEADER.strip())).most_rows == 0


def test_reading_a_long_feed_holds_one_row_at_a_time(tmp_path):
    description = "word " * 1000
    path = tmp_path / "feed.csv"
    with path.open("w") as stream:
        stream.write("id,title,image_link,description\n")
        for n in range(4000):
            stream.write(f"{n},Product {n},{n}.png,{description}\n")

    tracemalloc.start()
    count = sum(1 for _ in read_rows(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 4000
    assert peak < path.stat().st_size / 4
