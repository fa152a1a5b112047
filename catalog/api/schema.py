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


class SelectedCategoryShape(serializers.Serializer[Any]):
    slug = serializers.CharField()
    confidence = serializers.FloatField(min_value=0, max_value=1)
    source = serializers.ChoiceField(choices=["detector", "neighbors", "fused", "user"])  # type: ignore[assignment]


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


class ResultShape(serializers.Serializer[Any]):
    rank = serializers.IntegerField(min_value=1)
    score = serializers.FloatField()
    band = serializers.ChoiceField(choices=_BANDS)
    product = ProductShape()


class CopyShape(serializers.Serializer[Any]):
    distance = serializers.IntegerField()
    product = ProductShape()
    image = serializers.DictField()


class AnswerShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    image = SizeShape(allow_null=True)
    regions = RegionShape(many=True)
    selected = SelectedShape()
    band = serializers.ChoiceField(choices=_BANDS)
    reason = serializers.CharField(allow_null=True)
    results = ResultShape(many=True)
    copies = CopyShape(many=True)
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
