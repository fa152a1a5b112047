"""Every format but delimited text, which test_reader covers: one reader gives the same rows for all."""

import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings

from catalog.feeds import FeedRow, RowError, SeenIds, open_feed
from shop_search.errors import InputError

FEEDS = Path(settings.BASE_DIR) / "fixtures" / "feeds"
RSS = '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>{}</channel></rss>'
ITEM = "<item><g:id>{0}</g:id><title>Product {0}</title><g:image_link>{0}.png</g:image_link>{1}</item>"


def read(path: Path, **options) -> tuple[list[FeedRow], list[RowError]]:
    found = list(open_feed(path, **options))
    return [one for one in found if isinstance(one, FeedRow)], [one for one in found if isinstance(one, RowError)]


def written(folder: Path, content: str | bytes, name: str = "feed.xml") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rss(*extras: str) -> str:
    return RSS.format("".join(ITEM.format(n, extra) for n, extra in enumerate(extras, start=1)))


# --- XML


def test_a_google_rss_feed_is_read():
    rows, errors = read(FEEDS / "google.xml")

    assert rows[0] == FeedRow(
        row=1,
        sku="S-1",
        title="Canvas sneaker & laces",
        description="Light and washable, made for summer.",
        link="https://shop.example/s-1?color=white&size=40",
        image_link="https://cdn.example/s-1,w_800.png",
        additional_image_links=("https://cdn.example/s-1-back%2Cw_800.png", "https://cdn.example/s-1-sole.png"),
        price=Decimal("49.90"),
        currency="EUR",
        brand="Linden",
        colors=("white", "red"),
        product_type="Shoes > Sneakers",
    )
    assert [(row.sku, row.price, row.in_stock, row.item_group) for row in rows[1:]] == [
        ("B-1", Decimal("1234.50"), False, "B")
    ]
    assert [(error.row, error.column, error.code, error.value) for error in errors] == [
        (2, "price", "price_invalid", "cheap")
    ]


def test_an_atom_feed_is_read_whatever_googles_prefix_is():
    rows, errors = read(FEEDS / "atom.xml")

    assert errors == []
    assert [(row.sku, row.title, row.link, row.gtin) for row in rows] == [
        ("S-1", "Canvas sneaker", "https://shop.example/s-1", "4006381333931"),
        ("S-2", "Boot", "", ""),
    ]


def test_the_format_is_found_in_the_content_and_not_in_the_name(tmp_path):
    path = written(tmp_path, rss(""), "products.csv")

    assert (open_feed(path).format, open_feed(path).most_rows) == ("xml", 1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "iso-8859-2", "cp1252"])
def test_an_xml_feed_is_read_in_its_encoding(tmp_path, encoding):
    name = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{name}"?>' + rss("<g:brand>Größe</g:brand>")

    rows, errors = read(written(tmp_path, text.encode(encoding)))

    assert (errors, rows[0].brand) == ([], "Größe")


def test_an_xml_feed_that_lies_about_its_encoding_is_read_all_the_same(tmp_path):
    text = '<?xml version="1.0" encoding="utf-8"?>' + rss("<g:brand>Größe</g:brand>")

    assert read(written(tmp_path, text.encode("cp1252")))[0][0].brand == "Größe"


@pytest.mark.parametrize("encoding", ["u", "rot13", "zip", "cp99999", "unicode_escape", "utf-16"])
def test_an_encoding_that_is_none_is_not_believed(tmp_path, encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + rss("<g:brand>Größe</g:brand>")

    assert read(written(tmp_path, text.encode("cp1252")))[0][0].brand == "Größe"


def test_html_entities_and_control_characters_do_not_break_xml(tmp_path):
    rows, errors = read(
        written(tmp_path, rss("<g:brand>Caf&eacute; &#233; &amp; &#xe9;</g:brand>", "&#0;", "\x0b", ""))
    )

    assert rows[0].brand == "Café é & é"
    assert [row.sku for row in rows] == ["1", "2", "3", "4"]
    assert errors == []


def test_a_control_character_in_a_value_costs_its_row(tmp_path):
    rows, errors = read(written(tmp_path, rss("<g:brand>a\x0bb</g:brand>", "")))

    assert [row.sku for row in rows] == ["2"]
    assert [(error.row, error.code) for error in errors] == [(1, "bad_encoding")]


def test_broken_xml_keeps_the_items_before_and_says_where_it_broke(tmp_path):
    text = rss("", "", "<g:brand>Never closed", "")

    rows, errors = read(written(tmp_path, text))

    assert [row.sku for row in rows] == ["1", "2"]
    assert [(error.row, error.code) for error in errors] == [(3, "xml_broken")]
    assert "line 1" in errors[0].message


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss SYSTEM "http://evil.example/x.dtd">',
        '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
def test_a_document_type_is_refused_and_nothing_of_it_is_resolved(tmp_path, doctype):
    with pytest.raises(InputError) as caught:
        open_feed(written(tmp_path, doctype + rss("<g:brand>&x;&b;</g:brand>")))

    assert caught.value.code == "feed_doctype_forbidden"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<rss><channel><title>Empty</title></channel></rss>", "feed_unsupported"),
        ("<item>" + "<a>" * 1000, "feed_unsupported"),
        ("<rss><item></wrong>", "feed_unreadable"),
        ('<rss><item a="' + "x" * 5_000_000 + '"/></rss>', "feed_unsupported"),
        (rss("").replace("g:image_link", "g:picture_of_it"), "columns_missing"),
    ],
)
def test_xml_without_readable_products_is_refused(tmp_path, text, code):
    with pytest.raises(InputError) as caught:
        open_feed(written(tmp_path, text))

    assert caught.value.code == code


def test_a_long_xml_feed_on_one_line_holds_one_item_at_a_time(tmp_path):
    path = tmp_path / "feed.xml"
    extra = f"<description>{'Größe ' * 800}</description>"
    with path.open("w", encoding="utf-8") as stream:
        start, end = RSS.split("{}")
        stream.write(start)
        for n in range(4000):
            stream.write(ITEM.format(n, extra))
        stream.write(end)

    tracemalloc.start()
    count = sum(isinstance(one, FeedRow) for one in open_feed(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 4000
    assert peak < path.stat().st_size / 4


def test_a_value_that_first_comes_late_is_still_taken(tmp_path):
    rows, _ = read(written(tmp_path, rss(*[""] * 600, "<g:sale_price>5 EUR</g:sale_price>")))

    assert (rows[-1].price, rows[0].price) == (Decimal(5), None)
    assert "sale_price" not in open_feed(tmp_path / "feed.xml").columns.used


# --- JSON lines


def test_json_lines_are_read_with_exact_prices_and_a_bad_line_costs_itself():
    rows, errors = read(FEEDS / "good.jsonl")

    assert [(row.row, row.sku, row.title, row.price, row.currency) for row in rows] == [
        (1, "S-1", "Canvas sneaker", Decimal("59.90"), "EUR"),
        (2, "2", "Größe", Decimal("1299.10"), "USD"),
        (3, "S-3", "Exact", Decimal("19.90"), "EUR"),
    ]
    assert rows[0].additional_image_links == ("a%2Cb.png", "c.png")
    assert rows[0].colors == ("white", "red")
    assert (rows[1].in_stock, rows[1].product_type, rows[1].brand) == (False, "Shoes > Boots", "")
    assert [(error.row, error.code) for error in errors] == [
        (5, "json_broken"),
        (6, "json_not_object"),
        (7, "bad_encoding"),
    ]


@pytest.mark.parametrize(
    "line",
    ["[" * 100_000, "{" * 100_000, '{"a":' * 100_000, '{"id": ' + "9" * 100_000 + "}", '{"id": NaN}', '{"\\ud800": 1}'],
)
def test_a_hostile_json_line_costs_itself(tmp_path, line):
    good = '{"id": "1", "title": "One", "image_link": "a.png"}\n'

    rows, errors = read(written(tmp_path, good + line + "\n" + good.replace("1", "2"), "feed.jsonl"))

    assert [row.sku for row in rows] == ["1", "2"]
    assert {error.row for error in errors} == {2}


# --- Shopify


def test_a_shopify_export_gives_a_product_for_each_variant():
    rows, errors = read(FEEDS / "shopify.csv", currency="eur")
    white40, white41, red40, tote = rows

    assert white40 == FeedRow(
        row=2,
        sku="SNK-W-40",
        title="Canvas Sneaker",
        description="Light & washable. Cotton Rubber",
        image_link="https://cdn.example/sneaker-white.jpg?v=1",
        additional_image_links=(
            "https://cdn.example/sneaker-sole.jpg",
            "https://cdn.example/sneaker-red.jpg",
            "https://cdn.example/sneaker-box.jpg",
        ),
        price=Decimal("59.90"),
        currency="EUR",
        in_stock=True,
        brand="Linden",
        colors=("White",),
        gender="unisex",
        product_type="Sneakers",
        google_product_category="Apparel & Accessories > Shoes",
        gtin="4006381333931",
        item_group="canvas-sneaker",
    )
    assert (white41.sku, white41.in_stock, white41.additional_image_links, white41.gtin) == ("SNK-W-41", False, (), "")
    assert (red40.sku, red40.in_stock, red40.colors) == ("SNK-R-40", True, ("Red",))  # sold beyond its stock
    assert red40.image_link == "https://cdn.example/sneaker-red.jpg"
    assert (red40.title, red40.brand, red40.price) == ("Canvas Sneaker", "Linden", Decimal("64.90"))
    assert (tote.sku, tote.in_stock, tote.colors) == ("market-tote", True, ())  # neither a SKU nor a stock is kept
    assert [(error.row, error.column, error.code, error.is_fatal) for error in errors] == [
        (7, "", "not_published", False),
        (8, "Variant Price", "price_invalid", True),
        (8, "Image Src", "value_missing", True),
    ]


def test_a_shopify_row_that_cannot_be_read_costs_itself_and_not_its_product(tmp_path):
    text = (FEEDS / "shopify.csv").read_text().replace("SNK-W-41,500", "SNK-W-41,too,many")

    rows, errors = read(written(tmp_path, text, "shopify.csv"))

    assert [row.sku for row in rows][:2] == ["SNK-W-40", "SNK-R-40"]
    assert (errors[0].row, errors[0].code) == (3, "too_many_cells")


def test_todays_names_of_shopifys_columns_are_known_too(tmp_path):
    header = "Title,URL handle,Description,Vendor,Type,Status,SKU,Option1 name,Option1 value,Price,Inventory quantity,"
    text = (
        f"{header}Product image URL,Variant image URL\nHat,hat,,Linden,Hats,Active,H-1,Colour,Blue,12.00,4,hat.jpg,\n"
    )

    rows, errors = read(written(tmp_path, text, "shopify.csv"))

    assert errors == []
    assert [(row.sku, row.title, row.price, row.colors, row.image_link, row.in_stock) for row in rows] == [
        ("H-1", "Hat", Decimal(12), ("Blue",), "hat.jpg", True)
    ]


def test_a_handle_without_end_does_not_fill_the_memory(tmp_path):
    lines = [f"hat,,S-{n},1,hat.jpg" for n in range(7000)]
    text = "\n".join(["Handle,Title,Variant SKU,Variant Price,Image Src", "hat,Hat,S,1,hat.jpg", *lines])

    rows, errors = read(written(tmp_path, text, "shopify.csv"))

    assert len(rows) == 3000  # the first title is too far away for the others
    assert {error.code for error in errors} == {"value_missing"}


# --- what all share


def test_a_price_without_a_currency_is_in_the_currency_that_the_sender_says(tmp_path):
    path = written(tmp_path, "id,title,image_link,price\n1,One,a.png,5\n2,Two,b.png,6 USD\n", "feed.csv")

    assert [row.currency for row in read(path, currency="eur")[0]] == ["EUR", "USD"]


def test_every_id_that_a_feed_names_is_remembered_whether_its_row_is_good_or_not(tmp_path):
    path = written(
        tmp_path, 'id,title,image_link,price\n1,One,a.png,1\n2,,a.png,1\n3,"broken,a.png\n4,Four,a.png,1\n', "feed.csv"
    )

    with SeenIds() as seen:
        assert [reading.row for reading in open_feed(path).readings(seen)] == [2, 3, 4, 5]
        assert seen.unmentioned(["1", "2", "3", "4", "5"]) == ["3", "5"]
        assert seen.unreadable == 1
