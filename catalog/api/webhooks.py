"""The merchant's part of the API: addresses that are told when an upload has ended."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.keys import MerchantView
from catalog.api.schema import ErrorShape
from catalog.models import Delivery
from catalog.uploads.webhooks import (
    active_webhooks,
    delivery_as_json,
    end_webhook,
    make_webhook,
    send_again,
    send_test,
    webhook_as_json,
    webhook_of,
)

MOST_LISTED = 100


class WebhookSerializer(serializers.Serializer[Any]):
    """The request for a webhook."""

    url = serializers.CharField(max_length=1000)


class WebhookShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    url = serializers.CharField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_why = serializers.CharField(allow_blank=True)


class NewWebhookShape(WebhookShape):
    secret = serializers.CharField()


class TryShape(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    ms = serializers.IntegerField()


class DeliveryShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    event = serializers.CharField()
    upload = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    tries = TryShape(many=True)
    next_try_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


_LIST = inline_serializer("WebhookList", {"results": WebhookShape(many=True)})
_DELIVERIES = inline_serializer("DeliveryList", {"results": DeliveryShape(many=True)})


class WebhooksView(MerchantView):
    """Makes webhooks, and lists those that are told."""

    parser_classes = [JSONParser, MultiPartParser, FormParser]

    @extend_schema(request=WebhookSerializer, responses={201: NewWebhookShape, 400: ErrorShape, 401: ErrorShape})
    def post(self, request: Request) -> Response:
        """Makes a webhook. Its secret is in this answer and in no other."""
        form = WebhookSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        webhook, secret = make_webhook(self.merchant, form.validated_data["url"])
        return Response({**webhook_as_json(webhook), "secret": secret}, status=201)

    @extend_schema(operation_id="webhooks_list", responses={200: _LIST, 401: ErrorShape})
    def get(self, request: Request) -> Response:
        """Lists the webhooks that are told, newest first."""
        return Response({"results": [webhook_as_json(one) for one in active_webhooks(self.merchant)]})


class WebhookView(MerchantView):
    """One webhook."""

    @extend_schema(responses={204: None, 401: ErrorShape, 404: ErrorShape})
    def delete(self, request: Request, webhook_id: int) -> Response:
        """Ends a webhook: it is told nothing any more."""
        end_webhook(webhook_of(self.merchant, webhook_id))
        return Response(status=204)


class DeliveriesView(MerchantView):
    """What a webhook was told."""

    @extend_schema(responses={200: _DELIVERIES, 401: ErrorShape, 404: ErrorShape})
    def get(self, request: Request, webhook_id: int) -> Response:
        """Lists the last hundred deliveries with each of their tries, newest first."""
        deliveries = webhook_of(self.merchant, webhook_id).deliveries.all()[:MOST_LISTED]
        return Response({"results": [delivery_as_json(one) for one in deliveries]})


class WebhookTestView(MerchantView):
    """Tries a webhook."""

    @extend_schema(request=None, responses={202: DeliveryShape, 401: ErrorShape, 404: ErrorShape})
    def post(self, request: Request, webhook_id: int) -> Response:
        """Sends a delivery of type `webhook.test`."""
        return Response(delivery_as_json(send_test(webhook_of(self.merchant, webhook_id))), status=202)


class SendAgainView(MerchantView):
    """Sends a delivery anew."""

    @extend_schema(request=None, responses={202: DeliveryShape, 401: ErrorShape, 404: ErrorShape})
    def post(self, request: Request, delivery_id: UUID) -> Response:
        """Sends a delivery that was given up, or taken, once more; its id stays."""
        return Response(delivery_as_json(send_again(self.merchant, delivery_id)), status=202)
