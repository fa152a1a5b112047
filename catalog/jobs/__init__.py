"""Long work that people start from a page: asked for once, run by a worker, taken over when that dies.

ask -> a Job (a row) and a task in Django's tasks backend -> a worker claims the Job -> progress -> result | error

from catalog.jobs import Progress, ask, job
"""

from catalog.jobs.asking import ask, cancel
from catalog.jobs.registry import Progress, job
from catalog.jobs.running import asker

__all__ = ["Progress", "ask", "asker", "cancel", "job"]
