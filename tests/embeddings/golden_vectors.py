"""The pictures and texts whose embeddings are pinned, and the command that pins them after the weights were replaced.

DJANGO_SETTINGS_MODULE=tests.settings python -m tests.embeddings.golden_vectors
"""

import json
from pathlib import Path

from django.conf import settings
from PIL import Image, ImageDraw

CARD = Path(settings.BASE_DIR) / "embeddings" / "weights" / "card.json"
PINS = Path(__file__).parent / "golden" / "encoder.json"
DIMS = 16  # enough to tell any change
TEXTS = ("red dress", "Nike Men White Running Shoes", "Zwölfkampf-Handtasche ☂", "")


def pictures() -> dict[str, Image.Image]:
    """Returns drawn pictures of several sizes and modes: no file, no font, nothing that differs between machines."""
    gradient = Image.linear_gradient("L").resize((300, 200))
    ramps = Image.merge(
        "RGB", (gradient, gradient.transpose(Image.Transpose.ROTATE_180), Image.new("L", (300, 200), 90))
    )
    shapes = Image.new("RGB", (160, 320), "white")
    draw = ImageDraw.Draw(shapes)
    draw.rectangle((30, 40, 130, 180), fill=(180, 30, 40))
    draw.rectangle((50, 180, 110, 300), fill=(30, 60, 150))
    stripes = Image.new("RGB", (64, 64), (240, 230, 210))
    draw = ImageDraw.Draw(stripes)
    for y in range(0, 64, 8):
        draw.rectangle((0, y, 64, y + 3), fill=(20, 90, 60))
    return {"ramps": ramps, "shapes": shapes, "stripes": stripes, "gray": gradient.resize((97, 41))}


def pin() -> None:
    """Writes what the bundled encoder makes of them today."""
    from embeddings.backends.openvino import OpenVINOEncoder

    encoder = OpenVINOEncoder(CARD)
    images, texts = encoder.encode_images(list(pictures().values())), encoder.encode_texts(TEXTS)
    pinned = {
        "fingerprint": encoder.card.fingerprint,
        "images": {name: _rounded(row) for name, row in zip(pictures(), images, strict=True)},
        "texts": {text: _rounded(row) for text, row in zip(TEXTS, texts, strict=True)},
    }
    PINS.parent.mkdir(exist_ok=True)
    PINS.write_text(json.dumps(pinned, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _rounded(row: object) -> list[float]:
    return [round(float(value), 5) for value in row[:DIMS]]  # type: ignore[index]


if __name__ == "__main__":
    import django

    django.setup()
    pin()
