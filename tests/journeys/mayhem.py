"""Kills a running shop's programs at random while uploads come in, then adds up: nothing acknowledged may be lost.

    python -m tests.journeys.mayhem [--kills 50] [--rows 5000] [--seed 1] [--database postgresql]

`serve` runs on a home of its own with its real web, worker, supervisor, database and vector store; only the models are
small fakes (tests/journeys/crash_settings.py), for what is asked is who loses what. Of each four kills, one each meets
web, worker and store, and one takes the database away: on SQLite, all writers are locked out for longer than they wait;
on PostgreSQL (a server of its own), connections end, some or all at once, or the server crashes. Meanwhile
one feed after another is uploaded and single products are put and withdrawn, each until it is acknowledged.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from embeddings.stores.edge import EdgeStore
from tests.fakes import picture
from tests.feed_folder import FeedFolder
from tests.journeys.attacked_databases import AttackedDatabase, AttackedPostgres, AttackedSQLite

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"is ready at http://127\.0\.0\.1:(\d+)/")
PROGRAMS = {"web": "web", "worker": "worker", "embeddings.stores.edge_program": "store"}
PICTURES = 100
BAD_EVERY = 100  # one row of so many has no price that can be read
PATIENCE_S = 240.0
_ELSEWHERE = ("QDRANT_URL", "SHOP_SEARCH_DATABASE_URL")
# A program that dies again and again is started later each time; nobody dies of old age here.
SERVE = """
from shop_search import supervisor
supervisor.LONGEST_DELAY_S = 0.5
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "serve", "--port", "0"])
"""


@dataclass
class Told:
    """What the shop has acknowledged."""

    uploads: list[tuple[str, int]] = field(default_factory=list)  # id, price of its rows
    puts: dict[str, tuple[int, int]] = field(default_factory=dict)  # SKU -> price acknowledged, and last one sent
    withdrawn: set[str] = field(default_factory=set)


class Mayhem:
    """A shop under attack."""

    def __init__(self, folder: Path, *, rows: int, seed: int, database: str = "sqlite") -> None:
        self.home = folder / "home"
        self.rows = rows
        self.kills: Counter[str] = Counter()
        self.told = Told()
        self._chance = random.Random(seed)
        self._folder = folder
        self._lines: list[str] = []
        self._stopped = threading.Event()
        self._failures: list[str] = []
        self.home.mkdir(parents=True)
        self._database: AttackedDatabase = AttackedSQLite(self.home) if database == "sqlite" else AttackedPostgres()
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in _ELSEWHERE},
            "SHOP_SEARCH_HOME": str(self.home),
            "DJANGO_SETTINGS_MODULE": "tests.journeys.crash_settings",
            "FAKE_ENCODER_DELAY_S": "0.002",
            "PYTHONUNBUFFERED": "1",
            **self._database.environment,
        }

    @property
    def bad(self) -> int:
        return len(range(0, self.rows, BAD_EVERY))

    def run(self, kills: int) -> dict[str, Any]:
        """Returns what was done and found; `wrong` is empty where everything adds up."""
        try:
            return self._run(kills)
        finally:
            self._database.stop()

    def _run(self, kills: int) -> dict[str, Any]:
        self._manage("migrate", "--verbosity", "0")
        key = self._manage("create_merchant", "atelier", "--with-key").strip()
        process = self._serve()
        started = time.monotonic()
        try:
            address = f"http://127.0.0.1:{self._port(process)}/api/v1"
            client = httpx.Client(base_url=address, headers={"Authorization": f"Api-Key {key}"}, timeout=20)
            single = threading.Thread(target=self._guarded, args=(self._put_and_withdraw, address, key))
            single.start()
            price = 10
            while sum(self.kills.values()) < kills or len(self.told.uploads) < 2:
                upload = self._upload(client, price)
                while self._status(client, upload) not in {"done", "failed", "rejected", "canceled"}:
                    if sum(self.kills.values()) < kills:
                        self._kill_one(process)
                    time.sleep(self._chance.uniform(0.05, 0.6))
                price += 1
            self._stopped.set()
            single.join()
            self._settle(client)
        finally:
            self._stopped.set()
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
        wrong = self._failures + list(self._wrong())
        EdgeStore(self.home / "vectors").stop()
        return {
            "kills": dict(self.kills),
            "uploads": len(self.told.uploads),
            "rows": self.rows,
            "single_products": len(self.told.puts),
            "withdrawn": len(self.told.withdrawn),
            "seconds": round(time.monotonic() - started),
            "wrong": wrong,
        }

    def _serve(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(process,), daemon=True).start()
        return process

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with (self._folder / "serve.log").open("w") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                if READY.search(line):
                    self._lines.append(line)

    def _port(self, process: subprocess.Popen[str]) -> int:
        until = time.monotonic() + PATIENCE_S
        while not self._lines:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "serve.log").read_text())
            time.sleep(0.1)
        return int(READY.search(self._lines[0])[1])  # type: ignore[index]

    def _manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True)
        if done.returncode and "--check" not in arguments:
            raise RuntimeError(done.stdout + done.stderr)
        return done.stdout

    # --- what goes wrong

    def _kill_one(self, serve: subprocess.Popen[str]) -> None:
        target = self._chance.choice(["web", "worker", "store", "database"])
        if target == "database":
            target = self._database.attack(self._chance)
        else:
            process = self._running(serve).get(target)
            if process is None:
                return  # dead already
            try:
                process.kill()
            except psutil.NoSuchProcess:
                return
        self.kills[target] += 1
        if target == "worker":
            self._database.let_claims_run_out()

    def _running(self, serve: subprocess.Popen[str]) -> dict[str, psutil.Process]:
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(serve.pid).children():
            try:
                found.update({PROGRAMS[word]: child for word in child.cmdline() if word in PROGRAMS})
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found

    # --- what merchants do meanwhile

    def _upload(self, client: httpx.Client, price: int) -> str:
        """Sends the feed until it is accepted, and returns the upload's id."""
        data = self._feed(price)
        while True:
            try:
                answer = client.post("/uploads/", files={"file": ("feed.zip", data)})
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            if answer.status_code == 202:
                self.told.uploads.append((answer.json()["id"], price))
                return str(answer.json()["id"])
            if answer.status_code < 500:
                raise RuntimeError(answer.text)
            time.sleep(0.1)

    def _feed(self, price: int) -> bytes:
        feed = FeedFolder(self._folder / "feed")
        for n in range(PICTURES):
            feed.draw(f"{n}.png", seed=n, size=(32, 32))
        for n in range(self.rows):
            cost = "cheap" if n % BAD_EVERY == 0 else f"{price} EUR"
            feed.rows.append(
                {"id": f"P-{n:05}", "title": f"Product {n}", "image_link": f"{n % PICTURES}.png", "price": cost}
            )
        return feed.zip()

    def _status(self, client: httpx.Client, upload: str) -> str:
        try:
            return str(client.get(f"/uploads/{upload}/").raise_for_status().json()["status"])
        except httpx.HTTPError:
            return ""

    def _guarded(self, do: Any, *arguments: Any) -> None:
        try:
            do(*arguments)
        except Exception as error:
            self._failures.append(f"{type(error).__name__}: {error}")

    def _put_and_withdraw(self, address: str, key: str) -> None:
        client = httpx.Client(base_url=address, headers={"Authorization": f"Api-Key {key}"}, timeout=20)
        chance = random.Random(2)
        number = 0
        while not self._stopped.wait(0.1):
            number += 1
            sku = f"X-{number if number < 8 else chance.randrange(1, 8)}"
            if sku in self.told.puts and chance.random() < 0.2:
                if self._answered(client, "DELETE", f"/catalog/{sku}/"):
                    self.told.withdrawn.add(sku)
                continue
            acknowledged = self.told.puts.get(sku, (0, 0))[0]
            self.told.puts[sku] = (acknowledged, number)
            fields = {"title": sku, "price": f"{number} EUR", "product_type": "shoes"}
            file = {"image": ("one.png", picture(1000 + number % 7, size=(32, 32)))}
            if self._answered(client, "PUT", f"/catalog/{sku}/", data=fields, files=file):
                self.told.puts[sku] = (number, number)
                self.told.withdrawn.discard(sku)

    def _answered(self, client: httpx.Client, method: str, path: str, **sent: Any) -> bool:
        """Asks until it is acknowledged; False when the mayhem is over before."""
        while True:
            try:
                status = client.request(method, path, **sent).status_code
            except httpx.TransportError:
                status = 599
            if status < 300:
                return True
            if status < 500 and status != 429:
                self._failures.append(f"{method} {path} was answered with {status}")
                return False
            if self._stopped.wait(0.2):
                return False

    def _settle(self, client: httpx.Client) -> None:
        """Waits until nothing is due any more."""
        until = time.monotonic() + PATIENCE_S
        next_look = 0.0
        while time.monotonic() < until:
            if time.monotonic() > next_look:  # a claim of somebody who was killed
                self._database.let_claims_run_out()
                next_look = time.monotonic() + 20
            if (
                self._database.ask(
                    "SELECT COUNT(*) FROM catalog_productimage i JOIN catalog_product p ON p.id = i.product_id "
                    "WHERE (i.state = 'pending' AND p.withdrawn_at IS NULL) OR i.payload_due IS NOT NULL"
                )
                == 0
            ):
                return
            time.sleep(0.5)
        self._failures.append("Pictures were still due after the mayhem.")

    # --- what is found

    def _wrong(self) -> Iterator[str]:
        """Yields a sentence for each thing that doesn't add up."""
        good = self.rows - self.bad
        for upload, _ in self.told.uploads:
            columns = "status, rows_done, rows_failed, added + changed + unchanged"
            found = self._database.ask(
                f"SELECT {columns} FROM catalog_upload WHERE id = ?", self._database.upload_id(upload)
            )
            if found != ("done", self.rows, self.bad, good):
                yield f"Upload {upload} ended as {found}."
            errors = self._database.ask(
                "SELECT COUNT(*), COUNT(DISTINCT row) FROM catalog_uploaderror WHERE upload_id = ?",
                self._database.upload_id(upload),
            )
            if errors != (self.bad, self.bad):
                yield f"Upload {upload} has errors {errors}, not {self.bad}."
        if self._database.ask("SELECT SUM(added) FROM catalog_upload") != good:
            yield "Not each product was added once."
        price = self.told.uploads[-1][1]
        fresh = self._database.ask("SELECT COUNT(*) FROM catalog_product WHERE sku LIKE ? AND price = ?", "P-%", price)
        if fresh != good:
            yield f"{fresh} of {good} products have the last feed's price."
        products, skus = self._database.ask("SELECT COUNT(*), COUNT(DISTINCT sku) FROM catalog_product")
        images = self._database.ask("SELECT COUNT(*) FROM catalog_productimage")
        if not products == skus == images:
            yield f"{products} products have {skus} SKUs and {images} pictures."
        for sku, (acknowledged, last) in self.told.puts.items():
            query = "SELECT price, withdrawn_at IS NOT NULL FROM catalog_product WHERE sku = ?"
            row = (
                self._database.ask(query, sku)
                if self._database.ask("SELECT COUNT(*) FROM catalog_product WHERE sku = ?", sku)
                else None
            )
            if acknowledged and row is None:
                yield f"{sku} was acknowledged and is gone."
            elif row is not None and not acknowledged <= row[0] <= last:
                yield f"{sku} costs {row[0]}, acknowledged were {acknowledged} to {last}."
            elif row is not None and row[0] == acknowledged == last and bool(row[1]) != (sku in self.told.withdrawn):
                yield f"{sku} is {'' if row[1] else 'not '}withdrawn, which is not what was acknowledged."
        kept = list((self.home / "uploads").iterdir()) if (self.home / "uploads").is_dir() else []
        if kept:
            yield f"{len(kept)} files of uploads were left."
        checked = json.loads(self._manage("reindex_catalog", "--check", "--no-repair", "--json"))["before"]
        if not checked["agrees"]:
            yield f"Index and database differ: {checked}."


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--keep", type=Path, help="a folder for the home, kept afterwards")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shop-search-mayhem-") as folder:
        mayhem = Mayhem(asked.keep or Path(folder), rows=asked.rows, seed=asked.seed, database=asked.database)
        report = mayhem.run(asked.kills)
    print(json.dumps(report, indent=2))
    sys.exit(1 if report["wrong"] else 0)


if __name__ == "__main__":
    main()
