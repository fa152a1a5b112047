"""The API's views: parse, call one function, answer."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, parser_classes
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import schema
from catalog.api.cors import within_key
from catalog.api.serializers import FeedbackSerializer, PageSerializer, QuestionSerializer, asked_question
from catalog.health import health
from catalog.listing import list_products, shown_product
from catalog.search.answers import as_json, keep, product_as_json, recall
from catalog.search.feedback import give_feedback
from catalog.search.questions import Question
from catalog.search.search import search
from catalog.versions.visitors import by_visitor


def _base_url(request: Request) -> str:
    return request.build_absolute_uri("/").rstrip("/")


@extend_schema(
    request={"multipart/form-data": QuestionSerializer, "application/json": QuestionSerializer},
    responses={
        200: schema.AnswerShape,
        400: schema.ErrorShape,
        413: schema.ErrorShape,
        415: schema.ErrorShape,
        422: schema.ErrorShape,
        503: schema.ErrorShape,
    },
)
@by_visitor
@api_view(["POST"])
@parser_classes([MultiPartParser, FormParser, JSONParser])
def search_view(request: Request) -> Response:
    """Finds products for a photo, a product or some words."""
    answer = search(within_key(request, asked_question(request.data)))
    keep(answer)
    return Response(as_json(answer, _base_url(request)))


@extend_schema(responses={200: schema.AnswerShape, 404: schema.ErrorShape})
@api_view(["GET"])
def recall_view(request: Request, search_id: UUID) -> Response:
    """Gives an earlier answer again, with its products as they are now."""
    return Response(recall(search_id, _base_url(request)))


@extend_schema(request=FeedbackSerializer, responses={201: schema.FeedbackShape, 404: schema.ErrorShape})
@api_view(["POST"])
def feedback_view(request: Request, search_id: UUID) -> Response:
    """Records a click, a like, a dislike or a wrong category."""
    said = FeedbackSerializer(data=request.data)
    said.is_valid(raise_exception=True)
    give_feedback(search_id, **said.validated_data)
    return Response(said.validated_data, status=201)


@extend_schema(parameters=[PageSerializer], responses={200: schema.ProductPageShape})
@api_view(["GET"])
def products_view(request: Request) -> Response:
    """Lists products that shoppers may see."""
    page = PageSerializer(data=request.query_params)
    page.is_valid(raise_exception=True)
    count, products = list_products(**page.validated_data)
    base_url = _base_url(request)
    return Response({"count": count, "results": [product_as_json(product, base_url) for product in products]})


@extend_schema(responses={200: schema.ProductShape, 404: schema.ErrorShape})
@api_view(["GET"])
def product_view(request: Request, product_id: int) -> Response:
    """Shows one product."""
    return Response(product_as_json(shown_product(product_id), _base_url(request)))


@extend_schema(parameters=[PageSerializer], responses={200: schema.AnswerShape, 404: schema.ErrorShape})
@api_view(["GET"])
def similar_view(request: Request, product_id: int) -> Response:
    """Finds products that look like this one."""
    page = PageSerializer(data=request.query_params)
    page.is_valid(raise_exception=True)
    asked = page.validated_data
    question = Question(
        product=product_id, category=asked.get("category"), limit=asked["limit"], offset=asked["offset"]
    )
    return Response(as_json(search(question), _base_url(request)))


@extend_schema(responses={200: schema.HealthShape, 503: schema.HealthShape})
@api_view(["GET"])
def health_view(request: Request) -> Response:
    """Says whether searches can be answered, and which part fails if not."""
    report = health()
    return Response(report.as_json(), status=200 if report.status == "ok" else 503)
