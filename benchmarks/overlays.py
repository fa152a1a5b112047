"""Pictures with text laid over them, as some shops do it: stickers, banners, captions, watermarks, tiled watermarks.

Words and fonts are of two sides, so that what is learned on one is measured on words and fonts that nobody learned.
"""

import io
import random
from collections.abc import Callable
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont

_SYSTEM = Path("/usr/share/fonts/truetype/dejavu")
_OTHERS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
# None is the font that Pillow brings along. Fonts that a machine lacks are left out.
FONTS = (
    (
        *(_SYSTEM / f"DejaVu{name}.ttf" for name in ("Sans", "Sans-Bold", "Serif", "SansCondensed-Bold")),
        *(_OTHERS / f"{name}.ttf" for name in ("cmr10", "STIXGeneralBol")),
    ),
    (
        None,
        *(_SYSTEM / f"DejaVu{name}.ttf" for name in ("SansCondensed", "Serif-Bold", "Sans-Oblique", "SansMono-Bold")),
        *(_OTHERS / f"{name}.ttf" for name in ("cmss10", "STIXGeneral", "cmb10")),
    ),
)
_LEARNED = ["SALE", "-30%", "NEW", "19.99 EUR", "BEST PRICE", "50% OFF", "FREE SHIPPING", "www.shop.com", "Preview"]
_REPORTED = ["OFFER", "-45%", "ONLY TODAY", "€ 24,90", "HOT DEAL", "Save 20%", "Free returns", "Copyright 2026"]
WORDS = (
    [*_LEARNED, "Linden & Co", "Sample", "Buy 2 get 1"],
    [*_REPORTED, "myfashion.net", "Atelier Brink", "Limited edition", "DO NOT COPY"],
)
_COLORS = ("#d00", "#e6007e", "#000", "#0a58ca", "#138a36", "#ffd400", "#ff7a00", "#fff")
_ON_BRIGHT = {"#ffd400": "#000", "#fff": "#000"}
_LEAST = 10  # a font's size in pixels: smaller text can't be read


def overlaid(image: Image.Image, kind: str, *, side: int, seed: int) -> Image.Image:
    """Returns the picture with text of this kind (of KINDS) over it, saved as a JPEG and read again."""
    chance = random.Random(seed)
    canvas = image.convert("RGBA")
    layer = Image.new("RGBA", canvas.size, (0, 0, 0, 0))
    opacity = KINDS[kind](layer, chance, side)
    if opacity < 1:
        layer.putalpha(layer.getchannel("A").point(lambda alpha: int(alpha * opacity)))
    canvas.alpha_composite(layer)
    file = io.BytesIO()
    canvas.convert("RGB").save(file, "JPEG", quality=chance.choice([75, 85, 92]))
    return Image.open(file).convert("RGB")


def _sticker(layer: Image.Image, chance: random.Random, side: int) -> float:
    """A disc or a label in a corner."""
    word = chance.choice([word for word in WORDS[side] if len(word) <= 10])
    width = int(min(layer.size) * chance.uniform(0.25, 0.42))
    font = _font(side, word, width * 0.8, chance)
    _, top, _, bottom = font.getbbox(word)
    box_width = max(width, int(font.getlength(word) * 1.15))
    is_disc = chance.random() < 0.5
    box_height = box_width if is_disc else int((bottom - top) * 2)
    x = chance.choice([2, layer.width - box_width - 3])
    y = chance.choice([2, layer.height - box_height - 3])
    color = chance.choice(_COLORS[:-1])
    draw = ImageDraw.Draw(layer)
    (draw.ellipse if is_disc else draw.rectangle)([x, y, x + box_width, y + box_height], fill=color)
    middle = (x + box_width / 2, y + box_height / 2)
    draw.text(middle, word, font=font, fill=_ON_BRIGHT.get(color, "#fff"), anchor="mm")
    return 1.0


def _banner(layer: Image.Image, chance: random.Random, side: int) -> float:
    """A strip from side to side."""
    word = chance.choice(WORDS[side])
    font = _no_taller(_font(side, word, layer.width * chance.uniform(0.5, 0.8), chance), layer, 0.2)
    _, top, _, bottom = font.getbbox(word)
    height = int((bottom - top) * 1.9)
    y = chance.choice([0, layer.height - height, int(layer.height * 0.7)])
    color, opacity = chance.choice(_COLORS), chance.uniform(0.6, 1)
    draw = ImageDraw.Draw(layer)
    draw.rectangle([0, y, layer.width, y + height], fill=color)
    middle = (layer.width / 2, y + height / 2)
    draw.text(middle, word, font=font, fill=_ON_BRIGHT.get(color, "#fff"), anchor="mm")
    return opacity


def _caption(layer: Image.Image, chance: random.Random, side: int) -> float:
    """Bare words at the upper or lower edge."""
    word = chance.choice(WORDS[side])
    font = _no_taller(_font(side, word, layer.width * chance.uniform(0.3, 0.7), chance), layer, 0.15)
    x, anchor = chance.choice([(3, "l"), (layer.width / 2, "m"), (layer.width - 4, "r")])
    is_above = chance.random() < 0.5
    color = chance.choice(["#000", "#d00", "#555", "#0a58ca"])
    at = (x, 4 if is_above else layer.height - 5)
    ImageDraw.Draw(layer).text(at, word, font=font, fill=color, anchor=anchor + ("t" if is_above else "b"))
    return 1.0


def _watermark(layer: Image.Image, chance: random.Random, side: int) -> float:
    """Large pale words across the middle."""
    word, opacity, color, angle = _pale(chance, side)
    font = _no_taller(_font(side, word, layer.width * chance.uniform(0.6, 0.9), chance), layer, 0.22)
    _, _, width, height = font.getbbox(word)
    words = Image.new("RGBA", (int(width) + 8, int(height) + 8), (0, 0, 0, 0))
    _write(words, (4, 4), word, font, color)
    _paste_in_the_middle(layer, words.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC))
    return opacity


def _tiled(layer: Image.Image, chance: random.Random, side: int) -> float:
    """Pale words all over."""
    word, opacity, color, angle = _pale(chance, side)
    font = _font(side, word, layer.width * chance.uniform(0.3, 0.45), chance)
    _, _, width, height = font.getbbox(word)
    across, down = int(width * 1.3) + 6, int(height * 3)
    tiles = Image.new("RGBA", (2 * max(layer.size),) * 2, (0, 0, 0, 0))
    for row, y in enumerate(range(0, tiles.height, down)):
        for x in range(-(row % 2) * across // 2, tiles.width, across):
            _write(tiles, (x, y), word, font, color)
    _paste_in_the_middle(layer, tiles.rotate(angle, resample=Image.Resampling.BICUBIC))
    return opacity


KINDS: dict[str, Callable[[Image.Image, random.Random, int], float]] = {
    "sticker": _sticker,
    "banner": _banner,
    "caption": _caption,
    "watermark": _watermark,
    "tiled": _tiled,
}


def _pale(chance: random.Random, side: int) -> tuple[str, float, str, int]:
    word = chance.choice(WORDS[side])
    opacity, color = chance.uniform(0.2, 0.5), chance.choice(["#000", "#777", "#fff", "#c00"])
    return word, opacity, color, chance.choice([0, 20, 30, 45, -30, -45])


def _write(layer: Image.Image, at: tuple[int, int], word: str, font: Font, color: str) -> None:
    """White words have a gray rim, or nobody would see them on white."""
    draw = ImageDraw.Draw(layer)
    if color == "#fff":
        draw.text(at, word, font=font, fill=color, stroke_width=1, stroke_fill="#888")
    else:
        draw.text(at, word, font=font, fill=color)


def _paste_in_the_middle(layer: Image.Image, other: Image.Image) -> None:
    left, top = ((mine - its) // 2 for mine, its in zip(layer.size, other.size, strict=True))
    part = other.crop((max(0, -left), max(0, -top), min(other.width, -left + layer.width), other.height + min(0, top)))
    layer.alpha_composite(part.crop((0, 0, part.width, min(part.height, layer.height))), (max(0, left), max(0, top)))


def _font(side: int, word: str, width: float, chance: random.Random) -> Font:
    """Returns a font in which the word is this wide."""
    there = [path for path in FONTS[side] if path is None or path.is_file()]
    path = chance.choice(there)
    size = max(_LEAST, int(40 * width / _of_size(path, 40).getlength(word)))
    return _of_size(path, size)


def _of_size(path: Path | None, size: int) -> Font:
    font = ImageFont.load_default(size) if path is None else ImageFont.truetype(str(path), size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _no_taller(font: Font, layer: Image.Image, share: float) -> Font:
    return font.font_variant(size=min(font.size, max(_LEAST, int(min(layer.size) * share))))
