"""The words that shops use for what they sell, and the category each of them means. Data only.

Words are lower case and singular as `category_words.singular` makes them. The first ten groups are what the
detector can see; the others are common in fashion feeds, listed so that their slugs don't depend on who uploads first.

On glasses: `glasses` and `eyewear` alone mean sunglasses, because that is what fashion feeds sell under these words and
what the detector sees of both; words for seeing aids (`eyeglasses`, `reading glasses`) are a category of their own.
"""

_WORDS: dict[str, str] = {
    "sunglasses": """
        sunglasses, sunglass, sun glasses, glasses, eyewear, aviator, wayfarer,
        sonnenbrille, sonnenbrillen, lunette de soleil, gafa de sol, occhiali da sole""",
    "hats": """
        hat, cap, beanie, beret, fedora, headwear, headgear, bonnet, snapback, visor, panama, trilby, sunhat,
        hüte, mütze, mützen, kappe, kappen, chapeau, chapeaux, casquette, sombrero, gorra, gorro, cappello, berretto""",
    "jackets": """
        jacket, coat, blazer, outerwear, outwear, parka, anorak, waistcoat, vest, gilet, cardigan, windbreaker, bomber,
        trench, raincoat, overcoat, poncho, cape, fleece, puffer, shacket, shrug,
        jacke, jacken, mantel, mäntel, weste, westen, veste, manteau, manteaux, blouson, chaqueta, abrigo, giacca,
        cappotto""",
    "tops": """
        top, shirt, t shirt, tshirt, tee, blouse, polo, tank, camisole, cami, tunic, kurta, kurti, sweater, jumper,
        pullover, sweatshirt, hoodie, hoody, jersey, longsleeve, long sleeve, bodysuit, turtleneck, knitwear, henley,
        vest top, oberteil, oberteile, hemd, hemden, bluse, blusen, pulli, chemise, chemisier, haut, pull, camiseta,
        camisa, blusa, maglia, maglietta, camicia, felpa""",
    "pants": """
        pant, trouser, jean, denim, chino, legging, jegging, jogger, sweatpant, slack, capri, cargo, trackpant,
        corduroy, culotte, palazzo, churidar, patiala, bottom, khaki,
        hosen, jeanshose, pantalon, pantalón, pantalone, vaquero""",
    "shorts": "short, boardshort, bermuda, hot pant, kurze hose, kurze hosen, pantalon corto, pantaloncino",
    "skirts": "skirt, miniskirt, skort, röcke, jupe, falda, gonna",
    "dresses": "dress, gown, sundress, maxi, frock, kleid, kleider, vestido, vestito, abito",
    "bags": """
        bag, handbag, backpack, rucksack, tote, clutch, satchel, purse, duffel, duffle, crossbody, knapsack, daypack,
        messenger, holdall, briefcase, fanny pack, waist pouch, waist pack, handbag wallet and case, shopper,
        tasche, taschen, handtasche, handtaschen, sac, sac a main, sac à main, bolso, mochila, borsa, zaino""",
    "shoes": """
        shoe, footwear, sneaker, trainer, boot, bootie, sandal, heel, flat, loafer, slipper, flip flop, flipflop, pump,
        mule, clog, espadrille, moccasin, oxford, brogue, derby, stiletto, wedge, ballerina, plimsoll, slide, floater,
        sandale, sandalen, schuh, schuhe, stiefel, stiefelette, stiefeletten, chaussure, botte, bottine, zapato,
        zapatilla, bota, scarpa, scarpe, stivale, stivali""",
    "eyeglasses": """
        eyeglasses, eye glasses, spectacle, reading glasses, prescription glasses, optical frame, eyeglasses frame,
        brille, brillen""",
    "goggles": "goggle",
    "watches": "watch, wristwatch, smartwatch, timepiece, uhr, uhren, armbanduhr, montre, reloj, orologio",
    "belts": "belt, gürtel, ceinture, cinturón, cintura",
    "ties": "tie, necktie, bowtie, krawatte, krawatten, fliege, cravate, corbata, cravatta",
    "scarves": """
        scarf, shawl, muffler, stole, snood, pashmina, schal, écharpe, foulard, bufanda, pañuelo, sciarpa""",
    "gloves": "glove, mitten, handschuh, handschuhe, gant, guante, guanto",
    "socks": "sock, stocking, hosiery, tight, pantyhose, socken, strumpf, strümpfe, chaussette, calcetín, calza",
    "underwear": """
        underwear, lingerie, bra, brief, boxer, panty, innerwear, innerwear vest, undershirt, thong, shapewear,
        boxer short, trunk, unterwäsche, sou vêtement""",
    "sleepwear": """
        sleepwear, nightwear, nightdress, nightgown, night suit, nightsuit, pajama, pyjama, loungewear, bathrobe,
        bath robe, dressing gown, lounge short""",
    "swimwear": "swimwear, swimsuit, swim suit, bikini, swim trunk, bademode, badeanzug, maillot de bain, bañador",
    "suits": "suit, tuxedo, tracksuit, anzug, anzüge, kostüm, traje",
    "jumpsuits": "jumpsuit, romper, playsuit, overall, dungaree, one piece, combinaison",
    "sarees": "saree, sari, dupatta, lehenga",
    "wallets": "wallet, card holder, cardholder, money clip, geldbörse, geldbörsen, portefeuille, cartera, portafoglio",
    "luggage": "luggage, suitcase, trolley, koffer, valise, maleta",
    "jewelry": "jewelry, jewellery, jewel, jewelry set, jewellery set, schmuck, bijou, bijoux, joya, gioiello",
    "earrings": "earring, ohrring, ohrringe, pendiente, orecchino",
    "necklaces": "necklace, pendant, chain, halskette, halsketten, collier, collana",
    "bracelets": "bracelet, bangle, pulsera, bracciale",
    "rings": "ring, bague, anillo, anello",
    "headbands": "headband, hair band, hairband, stirnband",
    "hair-accessories": "hair accessory, scrunchie, hair clip, barrette",
    "umbrellas": "umbrella, regenschirm, parapluie, paragua, ombrello",
    "perfumes": "perfume, fragrance, cologne, perfume and body mist, parfüm, parfum",
    "shoe-accessories": "shoe accessory, shoelace, shoe lace, insole, shoe care, shoe polish, shoe cover",
    "watch-accessories": "watch accessory, watch band, watch strap, watch winder",
    "other": "other, miscellaneou, misc, variou, uncategorized, none, n a, na, sonstige, autre, otro, altro",
}


def _listed(words: str) -> list[str]:
    return [" ".join(word.split()) for word in words.split(",")]


SLUG_OF: dict[str, str] = {word: slug for slug, words in _WORDS.items() for word in _listed(words)}

# Phrases whose last word misleads: a bean bag is no bag. They are taken whole, as new words.
MISLEADING: frozenset[str] = frozenset(
    _listed("""
    bean bag, sleeping bag, tea bag, garbage bag, trash bag, punching bag, gift bag, vacuum bag, air bag,
    wine glasses, drinking glasses, beer glasses, magnifying glasses, table top, desk top, stove top, brake shoe,
    bottle cap, hub cap, swim cap, wig cap, shower cap, lens cap, life vest, life jacket, dog coat, dog dress,
    air pump, water pump, heat pump, bike pump, breast pump, boot liner, belt buckle, seat belt, timing belt,
    conveyor belt, cable tie, zip tie, key ring, napkin ring, bicycle chain, bike chain, key chain, snow chain,
    fuel tank, fish tank, water tank, storage trunk, apple watch band
    """)
)

# Parts of a path that say who for, when or where, and nothing of the thing itself.
GENERIC: frozenset[str] = frozenset(
    _listed("""
    apparel, apparel and accessory, clothing, clothe, clothing and accessory, clothing accessory, fashion, wear,
    garment, activewear, sportswear, baby and toddler clothing, home, shop, store, catalog, all, all product,
    product, collection, new, new in, new arrival, sale, outlet, bestseller, best seller, featured, offer,
    clearance, summer sale, man, men, woman, women, lady, gent, gentleman, kid, child, children, girl, boy,
    baby, toddler, unisex, adult, male, female, damen, herren, kinder, femme, homme, enfant, mujer, hombre, donna, uomo,
    spring, summer, fall, autumn, winter, default, root, category, general
    """)
)

# Google's product taxonomy: the ids that matter to a fashion shop. Source: Google's taxonomy-with-ids.en-US.txt.
GOOGLE_IDS: dict[int, str] = {
    178: "sunglasses",
    173: "hats",
    2020: "hats",
    203: "jackets",
    5598: "jackets",
    1831: "jackets",
    212: "tops",
    204: "pants",
    207: "shorts",
    1581: "skirts",
    5344: "skirts",
    2271: "dresses",
    5441: "dresses",
    3032: "bags",
    6551: "bags",
    5181: "bags",
    100: "bags",
    187: "shoes",
    201: "watches",
    169: "belts",
    176: "ties",
    177: "scarves",
    170: "gloves",
    209: "socks",
    215: "socks",
    213: "underwear",
    2562: "underwear",
    214: "underwear",
    1772: "underwear",
    208: "sleepwear",
    211: "swimwear",
    1594: "suits",
    5182: "jumpsuits",
    5250: "jumpsuits",
    2668: "wallets",
    188: "jewelry",
    194: "earrings",
    196: "necklaces",
    191: "bracelets",
    200: "rings",
    171: "hair-accessories",
    1662: "headbands",
    1933: "shoe-accessories",
    5122: "watch-accessories",
}
