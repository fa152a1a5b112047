"""The demo shop in one command: filled on the first start, served on every one."""

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from catalog.management.commands import serve


class Command(serve.Command):
    help = "Fills this home with the demo shop, then runs it until Ctrl-C."

    def prepare(self, **options: Any) -> None:
        """Loads the demo in a process of its own: models and drawing tools would stay in this one's memory."""
        command = [sys.executable, "-m", "shop_search.leash", str(settings.BASE_DIR / "manage.py"), "load_demo"]
        with subprocess.Popen(
            [*command, "--skip-checks"],
            cwd=settings.BASE_DIR,
            env=serve.environment(),
            stdin=subprocess.PIPE,
            start_new_session=True,
        ) as loading:
            try:
                code = loading.wait()
            except KeyboardInterrupt:  # leaving the block lets go of the leash
                raise CommandError("Stopped. The next start goes on from here.", returncode=130) from None
        if code != 0:
            raise CommandError("The demo shop couldn't be set up; the lines above say why.")
