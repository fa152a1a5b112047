"""What comes in, and, for the OpenAPI schema, the shape of what goes out (built by catalog/search/answers.py)."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.models import Feedback
from catalog.search.questions import MAX_LIMIT, MAX_OFFSET, MAX_TEXT, Filters, Question
from detection.types import Box

# More values of one kind than this are no choice of a person's.
MAX_VALUES = 20
MAX_OPINIONS = 50


@extend_schema_field(str)
class BoxField(serializers.Field[Box, Any, Any, Any]):
    """`x1,y1,x2,y2` or a JSON list of four numbers: pixels of the upright image."""

    def to_internal_value(self, data: Any) -> Box:
        if data == "":
            raise serializers.SkipField
        parts = data if isinstance(data, list | tuple) else str(data).split(",")
        try:
            x1, y1, x2, y2 = (float(part) for part in parts)
        except (TypeError, ValueError) as error:
            message = f"{data!r} is no box. Send four numbers: x1,y1,x2,y2 in pixels."
            raise serializers.ValidationError(message) from error
        return (x1, y1, x2, y2)


class ManyField(serializers.ListField):
    """One value or several of them: a repeated form field, or a JSON list or single value. Blank ones are left out."""

    def get_value(self, dictionary: Any) -> Any:
        if self.field_name not in dictionary:
            return serializers.empty
        if hasattr(dictionary, "getlist"):
            return dictionary.getlist(self.field_name)
        return dictionary[self.field_name]

    def to_internal_value(self, data: Any) -> list[Any]:
        values = data if isinstance(data, list | tuple) else [data]
        return list(dict.fromkeys(super().to_internal_value([value for value in values if value not in ("", None)])))


class QuestionSerializer(serializers.Serializer[Any]):
    """The search request, multipart or JSON."""

    image = serializers.FileField(required=False, allow_empty_file=True, max_length=None)
    # catalog.pictures.fetch says what an address may be.
    image_url = serializers.CharField(required=False, max_length=2048)
    product = serializers.IntegerField(required=False, min_value=1)
    q = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT, default="")
    box = BoxField(required=False)
    category = serializers.CharField(required=False, allow_blank=True, max_length=300)
    price_min = serializers.DecimalField(12, 2, required=False, min_value=0)
    price_max = serializers.DecimalField(12, 2, required=False, min_value=0)
    brand = ManyField(child=serializers.CharField(max_length=120), max_length=MAX_VALUES, default=list)
    color = ManyField(child=serializers.CharField(max_length=60), max_length=MAX_VALUES, default=list)
    gender = ManyField(child=serializers.CharField(max_length=20), max_length=MAX_VALUES, default=list)
    pattern = ManyField(child=serializers.CharField(max_length=20), max_length=MAX_VALUES, default=list)
    article_type = ManyField(child=serializers.CharField(max_length=60), max_length=MAX_VALUES, default=list)
    merchant = ManyField(child=serializers.SlugField(), max_length=MAX_VALUES, default=list)
    in_stock = serializers.BooleanField(required=False, allow_null=True, default=None)
    like = ManyField(child=serializers.IntegerField(min_value=1), max_length=MAX_OPINIONS, default=list)
    dislike = ManyField(child=serializers.IntegerField(min_value=1), max_length=MAX_OPINIONS, default=list)
    outfit = serializers.BooleanField(required=False, default=False)
    limit = serializers.IntegerField(required=False, default=24, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(required=False, default=0, min_value=0, max_value=MAX_OFFSET)

    def to_question(self, sent: Any) -> Question:
        """Returns the checked request as a Question. Raises ValidationError naming each field that can't be used."""
        data = self.run_validation(sent)
        upload = data.get("image")
        return Question(
            image=None if upload is None else upload.read(),
            image_url=data.get("image_url"),
            product=data.get("product"),
            text=data["q"],
            box=data.get("box") or None,
            category=data.get("category") or None,
            filters=Filters(
                price_min=data.get("price_min"),
                price_max=data.get("price_max"),
                brands=tuple(data["brand"]),
                colors=tuple(data["color"]),
                genders=tuple(data["gender"]),
                patterns=tuple(data["pattern"]),
                article_types=tuple(data["article_type"]),
                merchants=tuple(data["merchant"]),
                in_stock=data["in_stock"],
            ),
            outfit=data["outfit"],
            like=tuple(data["like"]),
            dislike=tuple(data["dislike"]),
            limit=data["limit"],
            offset=data["offset"],
        )


# One for all requests: validating changes nothing in it, and copying its fields for each took a millisecond.
_QUESTIONS = QuestionSerializer()


def asked_question(sent: Any) -> Question:
    """Returns what a request's data asks. Raises ValidationError naming each field that can't be used."""
    return _QUESTIONS.to_question(sent)


class FeedbackSerializer(serializers.Serializer[Any]):
    """What a shopper says of one result."""

    product = serializers.IntegerField(min_value=1)
    verdict = serializers.ChoiceField(choices=Feedback.Verdict.choices)


class PageSerializer(serializers.Serializer[Any]):
    """A window on a list, and what to look for in it."""

    q = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT, default="")
    category = serializers.CharField(required=False, max_length=300)
    merchant = serializers.SlugField(required=False)
    limit = serializers.IntegerField(required=False, default=24, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(required=False, default=0, min_value=0)
