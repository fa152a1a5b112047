"""Every way a photo comes in."""

import io
import json
from base64 import b64encode

import pillow_heif
from PIL import Image
from playwright.sync_api import expect

from tests.browser.search_page import is_search

# Hands the page a file the way the browser does: as a drop or as a paste.
GIVE = """async ([kind, type, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "photo.jpg", { type }));
    const target = document.querySelector("main");
    if (kind === "paste") {
        target.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }));
        return;
    }
    for (const name of ["dragenter", "dragover", "drop"]) {
        target.dispatchEvent(new DragEvent(name, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        window.veils = [...(window.veils ?? []), !document.getElementById("drop-veil").hidden];
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}"""


def give(page, kind, data, type="image/jpeg"):
    page.page.evaluate(GIVE, [kind, type, b64encode(data).decode()])


def test_a_dropped_photo_is_searched(page, look):
    answer = page.answer_to(lambda: give(page, "drop", look.read_bytes()))

    assert page.page.evaluate("window.veils") == [True, True, False]
    expect(page.cards).to_have_count(len(answer["results"]))


def test_a_pasted_photo_is_searched(page, look):
    answer = page.answer_to(lambda: give(page, "paste", look.read_bytes()))

    expect(page.cards).to_have_count(len(answer["results"]))


def test_another_photo_dropped_on_the_results_replaces_the_first(page, look, other_look):
    first = page.search(look)

    second = page.answer_to(lambda: give(page, "drop", other_look.read_bytes()))

    assert second["id"] != first["id"]
    expect(page.dots).to_have_count(len(second["regions"]))


def test_a_sample_is_one_tap_away(page):
    answer = page.answer_to(lambda: page.page.locator(".sample").first.click())

    expect(page.page.locator("#photo")).to_be_visible()
    expect(page.cards).to_have_count(len(answer["results"]))


def test_a_file_that_is_no_picture_is_refused_where_the_shopper_is(page, look):
    give(page, "drop", b"%PDF-1.7", "application/pdf")
    expect(page.page.get_by_role("alert")).to_contain_text("That is not a photo")

    answer = page.search(look)
    give(page, "paste", b"%PDF-1.7", "application/pdf")
    expect(page.page.get_by_role("alert").filter(has_text="That is not a photo")).to_be_visible()
    expect(page.cards).to_have_count(len(answer["results"]))


def test_a_picture_that_can_not_be_read_leads_back_to_the_start_with_the_reason(page):
    page.forgive("415", "422")
    page.page.set_input_files("#choose", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"not a picture"})

    expect(page.page.get_by_role("alert")).to_contain_text("This is not an image that can be read")
    expect(page.page.locator("#start")).to_be_visible()


def test_a_file_over_the_limit_is_refused_before_it_is_sent(page):
    requests = []
    page.page.on("request", lambda request: requests.append(request.url))
    page.page.evaluate(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(26 * 2 ** 20)], "a.heic", { type: "image/heic" }));
            document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }"""
    )

    expect(page.page.get_by_role("alert")).to_contain_text("That photo is too large. Choose one of at most 25 MB.")
    assert not any("search" in url for url in requests)


def test_a_large_photo_is_made_smaller_and_upright_before_it_is_sent(page, look):
    exif = Image.Exif()
    exif[0x0112] = 6  # a phone held upright stores the picture lying, with a note to turn it
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 0.0)}
    stream = io.BytesIO()
    upright = Image.open(look).resize((3000, 4000))
    upright.rotate(90, expand=True).save(stream, "JPEG", exif=exif, quality=90)

    page.record_questions()
    answer = page.search({"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": stream.getvalue()})

    sent = page.sent_photo()
    assert sent.size == (1200, 1600)
    assert not sent.getexif()
    assert answer["image"] == {"width": 1200, "height": 1600}
    assert answer["regions"]


def test_a_picture_this_browser_can_not_show_is_searched_all_the_same(page, look):
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.open(look)).save(stream, quality=80)

    answer = page.search({"name": "IMG_1.HEIC", "mimeType": "image/heic", "buffer": stream.getvalue()})

    expect(page.page.get_by_role("img", name="Where the products were in the photo")).to_be_visible()
    expect(page.dots).to_have_count(len(answer["regions"]))
    with page.page.expect_response(is_search):
        page.dots.first.click()


def test_a_transparent_picture_is_searched_on_white(page, look):
    cut = Image.open(look).convert("RGBA").resize((2000, 3000))
    cut.paste((0, 0, 0, 0), (0, 0, 400, 400))
    stream = io.BytesIO()
    cut.save(stream, "PNG", compress_level=1)

    page.record_questions()
    page.search({"name": "a.png", "mimeType": "image/png", "buffer": stream.getvalue()})

    assert min(page.sent_photo().convert("RGB").getpixel((20, 20))) > 250


def test_scripts_find_their_words_and_addresses_on_the_page(page):
    data = json.loads(page.page.locator("#page-data").text_content() or "")

    assert data["searchUrl"] == "/api/v1/search/"
    assert data["texts"]["reasons"]["too_dark"][0] == "The photo is very dark"
