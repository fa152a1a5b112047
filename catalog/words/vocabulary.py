"""The small words of English queries, and what each tells the reader (`query`). Data only.

All are lower case, without accents, with straight apostrophes.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GENDERS: dict[str, str] = {
    word: gender
    for gender, words in {
        "men": "men men's mens man man's male gentlemen gents",
        "women": "women women's womens woman woman's female ladies ladies' lady",
        "boys": "boys boys' boy boy's",
        "girls": "girls girls' girl girl's",
        "kids": "kids kids' kid kid's children children's child toddler toddlers",
        "unisex": "unisex",
    }.items()
    for word in words.split()
}
# These name a gender only as who it is for: "for my boyfriend", not "boyfriend jeans".
RECIPIENTS: dict[str, str] = {
    word: gender
    for gender, words in {
        "men": "him husband boyfriend dad father",
        "women": "her wife girlfriend mom mum mother",
        "boys": "son",
        "girls": "daughter",
    }.items()
    for word in words.split()
}

STOCK: tuple[tuple[tuple[str, ...], bool], ...] = (
    (("not", "sold", "out"), True),
    (("out", "of", "stock"), False),
    (("available", "now"), True),
    (("in", "stock"), True),
    (("on", "stock"), True),
    (("available",), True),
)

COLOR_WORDS = _words("color colour colored coloured")
# Colors that are also materials, prints and plants: a color only in "in stone" or "stone colored".
ORDINARY_COLORS = _words(
    "ash bone cherry forest grape graphite havana heather ink lemon linen melange melon natural orchid papaya poppy"
    " rose skin smoke snow steel stone sunflower tomato tortoise tortoiseshell vanilla wheat metallic military army"
)

NEGATIONS = _words("without no not non except excluding minus")
# "no show socks", "not too tight"
NOT_NEGATED = _words("too so very that only just sure show iron name sold")
BEFORE_EXCLUDED = _words("a an the any in with for from by")
AND = _words("and or nor")
# What is excluded ends at these.
STOPS = _words("and or nor but with for in from by to on of under over below without non except excluding minus")

# A category's word ends its phrase at these: in "dress with belt", the dress is wanted.
AFTER_HEAD = _words("with for and or in on from like to of by")
# They say how a thing is, though a shop's vocabulary knows them as things.
NEVER_ALONE = _words("short khaki maxi flat")
SHAPES_OF_TOP = _words("high low hi mid")  # high top sneakers are no tops

# Brands whose names are ordinary words: brands only when written like a name.
ORDINARY_BRANDS = _words(
    "all basic basics classic coach express free gap guess leather me monsoon new next object one only original"
    " originals other pieces reserved sale selected sport style theory vintage weekday"
)
BEFORE_BRAND = _words("by from brand")

# Dropped from the ends of what is left for the embedding.
LEADING_FILLERS = _words(
    "like this that these those it but and or in with for by from the a an please something anything similar to same"
    " show me find i want need looking search just only is are of would my some buy get"
)
TRAILING_FILLERS = _words(
    "but and or in with for by from the a an please one ones is to of color colour colored coloured only this that"
)
