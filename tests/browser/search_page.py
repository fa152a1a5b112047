"""The shopper's page as a test drives it: what a shopper does, and what she sees."""

import base64
import io
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, Response, expect

Json = dict[str, Any]
Box = list[float]


class SearchPage:
    """`page` is the browser's own; `troubles` are the errors it logged."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.troubles: list[str] = []
        self.forgiven: tuple[str, ...] = ()
        self._responses: list[Response] = []
        page.on("console", self._listen)
        page.on("requestfinished", self._keep)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.dots = page.locator(".dot")
        self.chips = page.locator("#chips .chip")
        self.cards = page.locator("#grid .card")
        self.title = page.locator("#found-title")
        self.box = page.locator("#box")

    def forgive(self, *words: str) -> None:
        """Lets errors pass that contain one of these words: a browser logs every request that a test breaks."""
        self.forgiven = words

    def open(self, path: str = "/") -> None:
        self.page.goto(path)
        self.page.wait_for_load_state("networkidle")

    def answer_to(self, act: Callable[[], object]) -> Json:
        """Returns the last answer that `act` led to, once it is on the page. A drag leads to several."""
        before = self.page.url
        act()
        expect(self.page).not_to_have_url(before)
        expect(self.page.locator("#found")).to_have_attribute("aria-busy", "false")
        shown = self.shown_search()
        for _ in range(100):  # the page may be faster than the news of it
            for response in reversed(self._responses):
                if shown in response.text():
                    answer: Json = response.json()
                    return answer
            self.page.wait_for_timeout(50)
        raise AssertionError(f"The page shows {shown}, which no search answered.")

    def shown_search(self) -> str:
        """Returns the id of the answer in the address bar."""
        return self.page.url.rsplit("/", 1)[1].split("?")[0]

    def show_all(self) -> None:
        """Opens what is not close, where the answer has both."""
        further = self.page.locator(".further button")
        if further.count():
            further.click()

    def wait_for(self, answer: Json) -> None:
        expect(self.page).to_have_url(re.compile(rf"/s/{answer['id']}(\?|$)"))
        expect(self.page.locator("#found")).to_have_attribute("aria-busy", "false")

    def wait_until_kept(self, answer: Json) -> None:
        """Waits until this device has the photo of an answer: whoever leaves the page at once may leave without it."""
        self.until(
            f"""new Promise((resolve, reject) => {{
                const asked = indexedDB.open("shop-search");
                asked.onerror = reject;
                asked.onsuccess = () => {{
                    const found = asked.result.transaction("searches").objectStore("searches").get("{answer["id"]}");
                    found.onerror = reject;
                    found.onsuccess = () => {{
                        asked.result.close();
                        resolve(Boolean(found.result));
                    }};
                }};
            }})"""
        )

    def wait_until_recent(self, answer: Json) -> None:
        """Waits until an answer is among the latest searches of this device."""
        self.until(f"(localStorage.getItem('shop-search-recent') ?? '').includes('{answer['id']}')")

    def search(self, photo: Path | Json) -> Json:
        return self.answer_to(lambda: self.page.set_input_files("#choose", photo))  # type: ignore[arg-type]

    def shown_products(self) -> list[int]:
        cards = self.cards.all()
        return [int(card.get_attribute("data-product") or 0) for card in cards]

    def shown_box(self, image: Json) -> Box:
        """Returns the box on the photo in pixels of the image."""
        frame, box = bounds(self.page.locator("#stage-picture")), bounds(self.box)
        scale = image["width"] / frame["width"]
        x, y = box["x"] - frame["x"], box["y"] - frame["y"]
        return [x * scale, y * scale, (x + box["width"]) * scale, (y + box["height"]) * scale]

    def wait_for_box(self, answer: Json, *, pixels: float = 4.0) -> None:
        """Waits until the box on the photo is the answer's: going back, its address is there before it is."""
        wanted = answer["selected"]["box"]
        deadline = time.monotonic() + 60
        while any(abs(a - b) > pixels for a, b in zip(self.shown_box(answer["image"]), wanted, strict=True)):
            assert time.monotonic() < deadline, f"The box is at {self.shown_box(answer['image'])}, not at {wanted}."
            self.page.wait_for_timeout(50)

    def wait_for_products(self, answer: Json) -> None:
        """Waits until the answer's products are shown, and no others."""
        wanted = [result["product"]["id"] for result in answer["results"]]
        deadline = time.monotonic() + 60
        while self.shown_products() != wanted:
            assert time.monotonic() < deadline, f"Shown is {self.shown_products()}, not {wanted}."
            self.page.wait_for_timeout(50)

    def active_category(self) -> str:
        pressed = self.page.locator('#chips .chip[aria-pressed="true"]')
        return pressed.get_attribute("data-category") or ""

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, pause_ms: int = 0) -> None:
        """Drags the mouse between two points of the window, resting before it lets go."""
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
        mouse.move(*end, steps=4)
        if pause_ms:
            self.page.wait_for_timeout(pause_ms)
        mouse.up()

    def until(self, expression: str) -> None:
        """Waits for a claim about the page to be true; playwright's own way needs what our security policy forbids."""
        deadline = time.monotonic() + 60
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"Still not: {expression}"
            self.page.wait_for_timeout(50)

    def record_questions(self) -> None:
        """Keeps the fields of each question the page asks; `sent_photo` gives its picture."""
        self.page.evaluate(
            """() => {
                const plain = window.fetch;
                window.asked = [];
                window.fetch = (url, options) => {
                    if (options?.body instanceof FormData) window.asked.push(Object.fromEntries(options.body));
                    return plain(url, options);
                };
            }"""
        )

    def sent_photo(self) -> Image.Image:
        """Returns the picture of the last question."""
        data = self.page.evaluate(
            """async () => {
                const bytes = new Uint8Array(await window.asked.at(-1).image.arrayBuffer());
                return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
            }"""
        )
        return Image.open(io.BytesIO(base64.b64decode(data)))

    def _keep(self, request: Request) -> None:
        response = request.response() if is_search_request(request) else None
        if response is not None:
            self._responses.append(response)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(word in message.text for word in self.forgiven):
            self.troubles.append(message.text)


def is_search(response: Response) -> bool:
    return is_search_request(response.request)


def is_search_request(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith("/api/v1/search/")


def bounds(locator: Locator) -> dict[str, float]:
    """Returns x, y, width and height in pixels of the window."""
    box = locator.bounding_box()
    assert box is not None, "not visible"
    return dict(box)  # type: ignore[arg-type]


def corner(locator: Locator, x: float, y: float) -> tuple[float, float]:
    """Returns a point of an element: (0, 0) is its top left, (1, 1) its bottom right."""
    box = bounds(locator)
    return box["x"] + x * box["width"], box["y"] + y * box["height"]
