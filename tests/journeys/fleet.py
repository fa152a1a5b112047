"""An instance of the shop on PostgreSQL, as on a fleet; its processes may be killed, and so may its connections."""

from pathlib import Path
from typing import Any

from tests.feed_folder import FeedFolder
from tests.journeys.test_crashes import Home
from tests.services.postgres import Postgres


class FleetHome(Home):
    def __init__(
        self, path: Path, feed: FeedFolder, postgres: Postgres, name: str, *, template: str = "template1"
    ) -> None:
        super().__init__(path, feed, environment={"SHOP_SEARCH_DATABASE_URL": postgres.create(name, template=template)})
        self.postgres = postgres
        self.name = name

    def ask(self, query: str) -> Any:
        return self.postgres.run(query, self.name)[0][0]

    def end_connections(self) -> int:
        """Ends every connection of the shop's processes, as a failing network does; returns how many there were."""
        return self.postgres.end_connections(self.name)

    def let_claims_run_out(self) -> None:
        for table in ("productimage", "upload"):
            update = f"UPDATE catalog_{table} SET claimed_until = '2000-01-01' WHERE claimed_until IS NOT NULL"
            self.postgres.run(update, self.name)
