"""Runs the web process alone. `serve` runs it for you; on a fleet, your own process manager does."""

import logging
import signal
import socket
import threading
from argparse import ArgumentParser
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog.serving import follow
from detection import detector
from embeddings import encoder, vector_store
from shop_search import instance
from shop_search.errors import ServiceError
from shop_search.http_server import exit_on_signal, serve_http

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Runs the web process alone, without worker and vector store."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="the port to listen on (default: 8000)")
        parser.add_argument("--fd", type=int, help="an already listening socket to take over, as a descriptor")

    def handle(self, *args: Any, host: str, port: int, fd: int | None, **options: Any) -> None:
        try:
            listener = socket.socket(fileno=fd) if fd is not None else instance.bind(host, port)
            instance.listen(listener)
        except ServiceError as error:
            raise CommandError(error.message) from error
        settings.STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns of a missing one; only collectstatic fills it
        from shop_search.wsgi import application

        signal.signal(signal.SIGTERM, exit_on_signal)
        threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
        feed = settings.UPLOADS_MAX_BYTES + 1024 * 1024  # a form is somewhat larger than the file in it
        serve_http(
            application,
            listener,
            max_body_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
            larger_bodies={"/api/v1/uploads/": feed, "/merchant/": feed},
        )


def warm_up() -> None:
    """Loads the models and reaches the store, so that the first shopper doesn't wait for either."""
    started = perf_counter()
    try:
        detector()
        encoder()
        vector_store().collections()
    except ServiceError as error:
        # The rest of the site works without, the health page says the same, and each search tries again.
        logger.error("Not ready to search: %s", error.message)
    else:
        logger.info("Ready to search after %.1f s", perf_counter() - started)
    threading.Thread(target=follow, args=[threading.Event()], name="follow", daemon=True).start()
