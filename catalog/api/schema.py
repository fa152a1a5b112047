"""The shapes of the answers, for the OpenAPI document. A test holds real answers against them."""

from typing import Any

from rest_framework import serializers

from catalog.bands import Band
from catalog.models import Feedback

_BANDS = [str(band) for band in Band]


class ErrorShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField(child=serializers.CharField())  # type: ignore[assignment]


class SizeShape(serializers.Serializer[Any]):
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class BoxShape(serializers.ListField):
    child = serializers.FloatField()


class RegionShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    box = BoxShape(min_length=4, max_length=4)
    category = serializers.CharField()
    confidence = serializers.FloatField(min_value=0, max_value=1)


class CategoryScoreShape(serializers.Serializer[Any]):
    slug = serializers.CharField()
    confidence = serializers.FloatField(min_value=0, max_value=1)


class SelectedCategoryShape(serializers.Serializer[Any]):
    slug = serializers.CharField()
    confidence = serializers.FloatField(min_value=0, max_value=1)
    source = serializers.ChoiceField(choices=["detector", "neighbors", "fused", "user"])  # type: ignore[assignment]
    scores = CategoryScoreShape(many=True, help_text="The likeliest categories, best first, at most five.")


class SelectedShape(serializers.Serializer[Any]):
    region = serializers.IntegerField(allow_null=True)
    box = BoxShape(min_length=4, max_length=4, allow_null=True)
    category = SelectedCategoryShape(allow_null=True)
    category_applied = serializers.BooleanField()


class MerchantShape(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()


class ProductShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    sku = serializers.CharField()
    title = serializers.CharField()
    price = serializers.CharField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    category = serializers.CharField()
    brand = serializers.CharField(allow_blank=True)
    colors = serializers.ListField(child=serializers.CharField())
    image = serializers.CharField(allow_null=True)
    url = serializers.CharField(allow_blank=True)
    merchant = MerchantShape()
    in_stock = serializers.BooleanField()


class PartsShape(serializers.Serializer[Any]):
    appearance = serializers.FloatField(min_value=0, max_value=1)
    color = serializers.FloatField(min_value=0, max_value=1)
    attributes = serializers.FloatField(min_value=0, max_value=1)
    quality = serializers.FloatField(min_value=0, max_value=1)


class OffersShape(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=2)
    # `from` is a word of Python's own, so the field can't be an attribute of that name.
    currency = serializers.CharField(allow_blank=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), "from": serializers.CharField(allow_null=True)}


class ResultShape(serializers.Serializer[Any]):
    rank = serializers.IntegerField(min_value=1)
    score = serializers.FloatField(help_text="Cosine of the embeddings. Bands are calibrated on it.")
    band = serializers.ChoiceField(choices=_BANDS)
    product = ProductShape()
    parts = PartsShape(allow_null=True, help_text="What the order is made of: docs/ranking.md.")
    offers = OffersShape(allow_null=True, help_text="Listings of the same thing behind this card, if there are others.")
    others = serializers.ListField(child=serializers.IntegerField(), help_text="Ids of the products of those listings.")


class WishShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    start = serializers.IntegerField(min_value=0)
    end = serializers.IntegerField(min_value=0)


class CountShape(serializers.Serializer[Any]):
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField(min_value=1)


class PriceRangeShape(serializers.Serializer[Any]):
    min = serializers.FloatField()
    max = serializers.FloatField()
    currency = serializers.CharField(allow_blank=True)


class StockShape(serializers.Serializer[Any]):
    true = serializers.IntegerField()
    false = serializers.IntegerField()


class FacetsShape(serializers.Serializer[Any]):
    """Counted over the nearest 100 pictures that the filters allow, not over the whole shop.

    A kind that is filtered by is counted without its own filter. Categories without any filter tell how many products
    the whole shop has of each.
    """

    category = CountShape(many=True)
    brand = CountShape(many=True)
    color = CountShape(many=True)
    merchant = CountShape(many=True)
    gender = CountShape(many=True)
    article_type = CountShape(many=True)
    pattern = CountShape(many=True)
    price = PriceRangeShape(allow_null=True)
    in_stock = StockShape()


class OutfitShape(serializers.Serializer[Any]):
    region = serializers.IntegerField(min_value=0)
    category = SelectedCategoryShape()
    band = serializers.ChoiceField(choices=_BANDS)
    results = ResultShape(many=True)


class CopyImageShape(serializers.Serializer[Any]):
    url = serializers.CharField()
    width = serializers.IntegerField(min_value=1)
    height = serializers.IntegerField(min_value=1)


class OverlayShape(serializers.Serializer[Any]):
    """Where photo and picture show the same thing, in pixels of the upright originals."""

    query_box = serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)
    image_box = serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)
    turn = serializers.IntegerField(
        min_value=0, max_value=7, help_text="How the photo's part is turned: 0 not at all, 1 mirrored; docs/copies.md."
    )
    likeness = serializers.FloatField(min_value=0, max_value=1)
    recolored = serializers.BooleanField(help_text="Whether it may be the same thing in another color.")


class CopyShape(serializers.Serializer[Any]):
    distance = serializers.IntegerField(min_value=0, max_value=256, help_text="Bits in which the fingerprints differ.")
    product = ProductShape()
    image = CopyImageShape()
    overlay = OverlayShape()


class ColorShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    hex = serializers.CharField()
    share = serializers.FloatField(min_value=0, max_value=1)


class FactsShape(serializers.Serializer[Any]):
    """What is known of the photo. Where and with what it was taken is neither read nor kept."""

    width = serializers.IntegerField(min_value=1)
    height = serializers.IntegerField(min_value=1)
    format = serializers.CharField()
    colors = ColorShape(many=True)
    credit = serializers.CharField(allow_null=True)
    brand = serializers.CharField(allow_null=True)
    seller = serializers.CharField(allow_null=True)


class AnswerShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    image = SizeShape(allow_null=True)
    regions = RegionShape(many=True)
    selected = SelectedShape()
    band = serializers.ChoiceField(choices=_BANDS)
    reason = serializers.CharField(allow_null=True)
    wishes = WishShape(many=True)
    rest = serializers.CharField(allow_blank=True, help_text="What of `q` went into the embedding.")
    facets = FacetsShape()
    results = ResultShape(many=True)
    outfit = OutfitShape(many=True, required=False, help_text="Only where `outfit=true` was asked.")
    copies = CopyShape(many=True)
    facts = FactsShape(allow_null=True)
    timings_ms = serializers.DictField(child=serializers.FloatField())
    models = serializers.DictField(child=serializers.CharField())


class ProductPageShape(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    results = ProductShape(many=True)


class FeedbackShape(serializers.Serializer[Any]):
    product = serializers.IntegerField()
    verdict = serializers.ChoiceField(choices=Feedback.Verdict.choices)


class HealthShape(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["ok", "degraded"])
    database = serializers.CharField()
    vector_store = serializers.CharField()
    detector = serializers.CharField()
    encoder = serializers.CharField()
    products = serializers.IntegerField(allow_null=True)
    images_indexed = serializers.IntegerField(allow_null=True)
