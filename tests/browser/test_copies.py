"""Who uses the very picture, both laid over each other, and what is known of it."""

import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from embeddings.fingerprint import TURNS, turned


@pytest.fixture(scope="module")
def copy(shop, tmp_path_factory):
    """A picture of the shop's, smaller and saved again, on a larger ground."""
    source = min((shop.home / "media" / "products").rglob("*.jpg"))
    picture = Image.open(source).convert("RGB").resize((300, 300))
    ground = Image.new("RGB", (420, 480), (200, 180, 160))
    ground.paste(picture, (60, 100))
    path = tmp_path_factory.mktemp("copies") / "copy.jpg"
    ground.save(path, quality=80)
    return path


def test_a_copy_is_found_with_its_seller_and_laid_over_the_photo(page, copy):
    answer = page.search(copy)
    assert answer["copies"]

    panel = page.page.get_by_role("region", name="seller uses this picture")
    expect(panel.locator(".copy")).to_have_count(min(3, len(answer["copies"])))
    expect(panel).to_contain_text(answer["copies"][0]["product"]["merchant"]["name"])
    expect(panel).to_contain_text("320 \u00d7 320")
    panel.get_by_role("button", name="Compare").first.click()

    dialog = page.page.get_by_role("dialog", name="Your photo and the shop's picture")
    expect(dialog).to_be_visible()
    page.until("document.querySelector('#overlay-canvas').width > 300")
    left, right = drawn(page, 0), drawn(page, 100)
    inside = np.abs(left[130:370, 90:330] - right[130:370, 90:330]).mean()
    assert inside < 12  # the shop's picture lies where it is in the photo
    assert Axe().run(page.page).response["violations"] == []

    page.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def drawn(page, percent):
    """Returns the middle of the comparison as (height, width, 3), with the edge at this share of its width."""
    data = page.page.evaluate(
        """(percent) => {
            const slider = document.getElementById("overlay-slider");
            slider.value = percent;
            slider.dispatchEvent(new Event("input"));
            const canvas = document.getElementById("overlay-canvas");
            const { width, height } = canvas;
            return [width, height, [...canvas.getContext("2d").getImageData(0, 0, width, height).data]];
        }""",
        percent,
    )
    width, height, values = data
    return np.array(values, dtype=float).reshape(height, width, 4)[:, :, :3]


def test_every_turn_of_the_fingerprints_is_undone(page):
    backs = page.page.evaluate("import('/static/catalog/js/turns.js').then((module) => module.TURNS_BACK)")
    photo = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(3, 2))

    assert len(backs) == len(TURNS)
    for turn, (a, b, c, d, e, f) in enumerate(backs):
        picture = turned(photo, turn)
        for x in range(picture.width):
            for y in range(picture.height):
                s, t = (x + 0.5) / picture.width, (y + 0.5) / picture.height
                u, v = a * s + c * t + e, b * s + d * t + f
                assert picture.getpixel((x, y)) == photo.getpixel((int(u * photo.width), int(v * photo.height))), turn


def test_a_photo_that_nobody_uses_has_no_such_panel(page, look):
    answer = page.search(look)

    assert answer["copies"] == []
    expect(page.page.locator("#copies")).to_be_hidden()


def test_what_is_known_of_the_picture_is_one_tap_away(page, look):
    facts = page.search(look)["facts"]

    page.page.get_by_text("About this picture").click()

    panel = page.page.locator("#facts")
    expect(panel).to_contain_text(re.compile(rf"{facts['width']} \u00d7 {facts['height']}"))
    expect(panel.locator(".fact-color")).to_have_count(len(facts["colors"]))
    assert Axe().run(page.page).response["violations"] == []


def test_without_the_photo_there_is_nothing_to_compare(page, new_page, copy):
    answer = page.search(copy)
    friend = new_page()

    friend.open(f"/s/{answer['id']}")

    expect(friend.page.locator(".copy").first).to_be_visible()
    expect(friend.page.get_by_role("button", name="Compare")).to_have_count(0)
