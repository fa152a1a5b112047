"""Long work that editing categories leaves behind."""

from typing import Any

from catalog.curation.categories import follow_up
from catalog.jobs import Progress, job


@job(
    "refile_categories",
    title="Re-file what a category edit touched",
    about="Looks at pictures whose chosen part may change, and tells the index of all others.",
)
def refile_categories(
    report: Progress, *, look_at: list[list[int]], tell: list[list[int]], edit: str
) -> dict[str, Any]:
    """Returns what was done; `edit` says which edit it was, for people."""
    return {"edit": edit, **follow_up(report, look_at=look_at, tell=tell)}
