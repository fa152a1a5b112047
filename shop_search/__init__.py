"""The project: settings, processes, and what every room shares.

Importing OpenVINO sends a message to Google Analytics, unless the package that does so can't be found. A shop's machine
tells nobody what runs on it; whoever imports a room has imported this first.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
