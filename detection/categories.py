"""The categories that the detector can see, in class order, and the names that datasets give them."""

# Class order of every detector that we train: the order of the labels in our training data.
DETECTED: tuple[str, ...] = (
    "sunglasses",
    "hats",
    "jackets",
    "tops",
    "pants",
    "shorts",
    "skirts",
    "dresses",
    "bags",
    "shoes",
)

NAMES: dict[str, str] = {slug: slug.capitalize() for slug in DETECTED}

_ALIASES: dict[str, str] = {
    "sunglass": "sunglasses",
    "glasses": "sunglasses",
    "hat": "hats",
    "cap": "hats",
    "jacket": "jackets",
    "coat": "jackets",
    "blazer": "jackets",
    "outwear": "jackets",
    "top": "tops",
    "shirt": "tops",
    "t-shirt": "tops",
    "polo": "tops",
    "blouse": "tops",
    "longsleeve": "tops",
    "hoodie": "tops",
    "undershirt": "tops",
    "pant": "pants",
    "trousers": "pants",
    "jeans": "pants",
    "short": "shorts",
    "skirt": "skirts",
    "dress": "dresses",
    "bag": "bags",
    "handbag": "bags",
    "shoe": "shoes",
    "footwear": "shoes",
}


def category_of(name: str) -> str | None:
    """Returns the slug for a class name of a detection dataset or model, or None when it is none of ours."""
    word = name.strip().lower()
    return word if word in NAMES else _ALIASES.get(word)
