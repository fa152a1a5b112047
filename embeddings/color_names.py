"""The few color names that shoppers filter by, and the many words that shops and shoppers use for them.

A filter needs few names: nobody who wants red looks under "vermilion". So every color that is seen, and every word that
is read, becomes one of `NAMES`.
"""

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from embeddings.lab import difference


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A name for a whole product, never for one of its colors.
MULTICOLOR = "multicolor"

# Where each name lies in CIELAB. A photographed "navy" is grayer than a painted one, and "red" covers more than one
# point, so most names have several.
_ANCHORS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "black": ((12, 0, 0), (22, 0, -1), (29, 1, 0)),
    "gray": ((40, 0, 0), (55, 0, -1), (68, 0, 0)),
    "silver": ((80, 0, -1),),
    "white": ((90, 0, 1), (97, 0, 0)),
    "beige": ((72, 3, 16), (82, 2, 12), (88, 1, 10)),
    "brown": ((26, 6, 7), (36, 9, 13), (48, 11, 22)),
    "red": ((38, 50, 28), (48, 58, 36), (52, 70, 50)),
    "burgundy": ((20, 18, 4), (30, 28, 9)),
    "orange": ((64, 36, 48), (72, 24, 34)),
    "yellow": ((82, 0, 50), (88, -3, 70)),
    "gold": ((64, 5, 34), (72, 3, 26)),
    "green": ((32, -20, 10), (52, -30, 22), (70, -24, 30), (80, -16, 16)),
    "olive": ((34, -3, 14), (46, -5, 22)),
    "turquoise": ((44, -20, -10), (68, -26, -8), (82, -18, -6)),
    "blue": ((38, 4, -32), (48, -3, -24), (66, -5, -18), (78, -4, -12)),
    "navy": ((18, 3, -12), (26, 3, -16)),
    "purple": ((28, 18, -16), (42, 24, -22), (66, 14, -14)),
    "pink": ((46, 52, 2), (62, 36, 4), (78, 16, 4)),
}
NAMES: tuple[str, ...] = (*_ANCHORS, MULTICOLOR)

_OWNERS = tuple(name for name, anchors in _ANCHORS.items() for _ in anchors)
_POINTS = np.array([anchor for anchors in _ANCHORS.values() for anchor in anchors], dtype=np.float64)

_WORDS: dict[str, str] = {
    "black": "jet, jet black, ebony, onyx, noir, anthracite black, schwarz, negro, nero",
    "gray": """
        grey, charcoal, anthracite, slate, graphite, ash, smoke, heather, melange, gunmetal, pewter, grau, gris""",
    "silver": "metallic, steel, chrome, platinum, silber",
    "white": "off white, offwhite, ivory, snow, chalk, optic white, optical white, weiss, weiß, blanc, blanco, bianco",
    "beige": """
        cream, ecru, sand, nude, skin, khaki, stone, oatmeal, champagne, natural, linen, bone, eggshell, wheat, vanilla,
        buff, biscuit""",
    "brown": """
        tan, camel, cognac, chocolate, coffee, mocha, taupe, copper, bronze, chestnut, caramel, espresso, walnut, hazel,
        mahogany, sepia, umber, tobacco, mushroom, toffee, cocoa, tortoise, tortoiseshell, havana, braun, marron""",
    "red": "scarlet, crimson, cherry, ruby, vermilion, tomato, brick, poppy, rot, rouge, rojo, rosso",
    "burgundy": "maroon, wine, bordeaux, oxblood, claret, merlot, wine red, bordeaux red, dark red, deep red, garnet",
    "orange": "rust, coral, peach, apricot, tangerine, terracotta, salmon, amber, burnt orange, melon, papaya",
    "yellow": "mustard, lemon, canary, ochre, ocher, sunflower, maize, gelb, jaune, amarillo, giallo",
    "gold": "golden, brass",
    "green": """
        lime, emerald, mint, sage, forest, forest green, bottle green, jade, pistachio, moss, sea green, lime green,
        fluorescent green, neon green, hunter green, kelly green, grün, vert, verde""",
    "olive": "olive green, army, army green, military, military green, khaki green, olive drab, dark khaki",
    "turquoise": "teal, aqua, cyan, petrol, aquamarine, turquoise blue, turquoise green, türkis",
    "blue": """
        cobalt, sky blue, royal blue, denim blue, baby blue, powder blue, electric blue, azure, cerulean, sapphire,
        light wash, mid wash, ice blue, cornflower, blau, bleu, azul, blu""",
    "navy": "navy blue, marine, midnight, midnight blue, dark blue, indigo, ink, dark wash, dark navy, dunkelblau",
    "purple": """
        violet, lavender, lilac, plum, mauve, aubergine, eggplant, grape, amethyst, orchid, lila, violett, morado""",
    "pink": """
        magenta, fuchsia, fuschia, rose, blush, hot pink, baby pink, raspberry, bubblegum, rose gold, dusty pink,
        dusty rose, neon pink, flamingo, rosa""",
    MULTICOLOR: """
        multi, multi color, multi colour, multicolored, multicolour, multicoloured, colorful, colourful, rainbow,
        assorted, bunt""",
}
# "dark green" is green unless it is listed above ("dark blue" is navy).
_MODIFIERS = _words(
    "light dark bright pale deep medium mid soft dusty neon fluorescent fluo pastel vivid hot warm cool rich faded"
    " washed heather matte matt metallic shiny glossy solid pure true burnt muted classic vintage melange marl off"
)
_NAME_OF: dict[str, str] = {
    **{word.strip(): name for name, words in _WORDS.items() for word in words.split(",")},
    **{name: name for name in NAMES},
}


def nearest_names(lab: NDArray[np.floating]) -> list[str]:
    """Returns the name of each row of (n, 3) Lab colors: that of the nearest anchor by CIEDE2000."""
    if not len(lab):
        return []
    return [_OWNERS[index] for index in difference(lab, _POINTS).argmin(axis=1)]


@lru_cache(maxsize=4096)
def normalize_color_word(word: str) -> str | None:
    """Returns the name for what a shop or a shopper calls a color ("Navy Blue", "dark-green"), or None for no color.

    All of the text must be the color: "red shoes" is none. Of a list ("Blue/White"), ask for each part.
    """
    text = " ".join(re.sub(r"[\W_]+", " ", word.casefold()).split())
    if text in _NAME_OF:
        return _NAME_OF[text]
    first, _, others = text.partition(" ")
    if others and first in _MODIFIERS:
        return normalize_color_word(others)
    rest, _, last = text.rpartition(" ")
    if rest and last in ("melange", "marl", "color", "colour"):
        return normalize_color_word(rest)
    # Two names ("brown tan", "reddish brown"): the last says which, the first what kind of it.
    if rest and last in _NAME_OF and (rest in _NAME_OF or rest.endswith("ish")):
        return _NAME_OF[last]
    return None
