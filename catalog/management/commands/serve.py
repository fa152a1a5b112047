"""Runs everything: web, worker and the embedded vector store, restarted when they die, stopped as one."""

import http.client
import json
import os
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from embeddings.stores.edge_address import IS_KEPT
from shop_search.errors import ServiceError
from shop_search.instance import LOCAL_HOSTS, Claim, listen
from shop_search.supervisor import Program, Supervisor

# After this without an answer, people are told that something is wrong; the programs are still kept running.
SLOW_START_S = 30.0
PROBE_EVERY_S = 0.2
PROBE_SLOWLY_EVERY_S = 5.0
PROBE_TIMEOUT_S = 10.0


class Command(BaseCommand):
    help = "Runs web, worker and vector store until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="the port to listen on (default: 8000)")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        try:
            with Claim(settings.SHOP_SEARCH_HOME, host, port) as claim:
                self.prepare(**options)
                self._serve(claim)
        except ServiceError as error:
            raise CommandError(error.message) from error

    def prepare(self, **options: Any) -> None:
        """Brings the home into the state that the programs expect."""
        call_command("migrate", interactive=False, verbosity=0)

    def _serve(self, claim: Claim) -> None:
        listen(claim.listener)
        self._say_who_is_refused(claim.host)
        kept = {**environment(), IS_KEPT: "1"}
        supervisor = Supervisor(programs(claim), cwd=settings.BASE_DIR, env=kept, say=self._say)
        threading.Thread(target=self._announce, args=(claim,), name="announce", daemon=True).start()
        supervisor.run()
        self._say("Stopped.")

    def _announce(self, claim: Claim) -> None:
        """Prints the address once searches can be answered."""
        slow_from = time.monotonic() + SLOW_START_S
        pause_s = PROBE_EVERY_S
        while (health := ask_health(claim.port)) != "ok":
            if pause_s == PROBE_EVERY_S and time.monotonic() > slow_from:
                self._say(f"Still not ready after {SLOW_START_S:.0f} s. The health page says: {health}")
                pause_s = PROBE_SLOWLY_EVERY_S
            time.sleep(pause_s)
        self.stdout.write(f"\nShop Search is ready at {claim.address}\nPress Ctrl-C to stop it.\n")
        self.stdout.flush()

    def _say_who_is_refused(self, host: str) -> None:
        """The port may be open to others while Django answers their requests with 400."""
        if host not in LOCAL_HOSTS and LOCAL_HOSTS.issuperset(settings.ALLOWED_HOSTS):
            self._say(f"Listening on {host}, but only this machine is answered: name others in SHOP_SEARCH_HOSTS.")

    def _say(self, line: str) -> None:
        self.stderr.write(f"serve: {line}")


def programs(claim: Claim) -> list[Program]:
    """Returns what has to run, in the order of starting."""
    manage = str(settings.BASE_DIR / "manage.py")
    listener = claim.listener.fileno()
    found = [
        Program("worker", (manage, "worker", "--skip-checks")),  # `serve` itself has run them
        Program("web", (manage, "web", "--skip-checks", "--fd", str(listener)), fds=(listener,)),
    ]
    if settings.VECTOR_STORE["BACKEND"] == "embeddings.stores.edge.EdgeStore":
        path = str(settings.VECTOR_STORE["OPTIONS"]["path"])
        found.insert(0, Program("store", ("-m", "embeddings.stores.edge_program", path), stops_last=True))
    return found


def environment() -> dict[str, str]:
    """Returns the environment of the programs: ours, with what their behavior depends on spelled out."""
    return {
        # Eight threads would otherwise get an arena each; two cost no measurable speed and save resident memory.
        "MALLOC_ARENA_MAX": "2",
        **os.environ,
        "SHOP_SEARCH_HOME": str(settings.SHOP_SEARCH_HOME),
        "PYTHONUNBUFFERED": "1",
    }


def ask_health(port: int) -> str:
    """Returns "ok", or what keeps the site from answering searches, for people to read."""
    hosts = [name.lstrip(".") for name in settings.ALLOWED_HOSTS if name != "*"]
    connection = http.client.HTTPConnection("localhost", port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", "/api/v1/health/", headers={"Host": hosts[0] if hosts else "localhost"})
        response = connection.getresponse()
        body = response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({error or type(error).__name__})"
    finally:
        connection.close()
    if response.status == 200:
        return "ok"
    try:
        return ", ".join(f"{part}: {state}" for part, state in json.loads(body).items())
    except (ValueError, AttributeError):
        return f"status {response.status}"
