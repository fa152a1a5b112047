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


# Names that words have and that a color alone can't show: silver looks gray, and a whole product may be multicolor.
SILVER = "silver"
MULTICOLOR = "multicolor"

# Where each name lies in CIELAB. A photographed "navy" is grayer than a painted one, and "red" covers more than one
# point, so most names have several. Fitted to agree with the color that merchants gave 2,436 product photos and with
# the usual names of 123 paints; how many of 2,706 other photos agree, `benchmarks/color_naming.py` tells.
_ANCHORS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "black": ((22, 0, 0), (36, 0, 0)),
    "gray": ((46, 0, 0), (58, 0, 0), (71, 0, 0)),
    "white": ((87, 0, 0), (98, 0, 0)),
    "beige": ((70, 6, 22), (89, 4, 9), (84, 1, 11)),
    "brown": ((23, 6, 6), (39, 7, 12), (57, 9, 26), (53, 20, 25)),
    "red": ((33, 47, 20), (49, 59, 37), (53, 71, 45)),
    "burgundy": ((24, 24, 9), (26, 35, 14)),
    "orange": ((69, 45, 39), (77, 15, 38), (54, 25, 30)),
    "yellow": ((77, -1, 48), (88, -2, 71), (81, 3, 60)),
    "gold": ((52, 7, 34), (70, 7, 28)),
    "green": ((30, -13, 3), (51, -24, 19), (68, -30, 26), (87, -18, 17), (85, -17, 6)),
    "olive": ((34, 0, 13), (48, -3, 18)),
    "turquoise": ((25, -18, -22), (75, -20, -2), (83, -23, -3), (39, -29, -17)),
    "blue": ((37, -3, -16), (53, -5, -15), (67, -5, -14), (93, -2, -8), (40, 18, -47)),
    "navy": ((18, 2, -11), (32, 6, -21), (28, 17, -40)),
    "purple": ((22, 14, -11), (43, 15, -19), (73, 15, -16), (59, 31, -37)),
    "pink": ((51, 58, -7), (61, 36, -1), (89, 6, 2), (76, 12, 2)),
}
NAMES: tuple[str, ...] = (*_ANCHORS, SILVER, MULTICOLOR)

_OWNERS = tuple(name for name, anchors in _ANCHORS.items() for _ in anchors)
_POINTS = np.array([anchor for anchors in _ANCHORS.values() for anchor in anchors], dtype=np.float64)

_WORDS: dict[str, str] = {
    "black": "jet, jet black, ebony, onyx, noir, anthracite black, schwarz, negro, nero",
    "gray": """
        grey, charcoal, anthracite, slate, graphite, ash, smoke, heather, melange, gunmetal, pewter, grau, gris""",
    SILVER: "metallic, steel, chrome, platinum, silber",
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
