"""Where README's numbers come from. Each module runs with `python -m benchmarks.NAME` in the test environment."""

import shop_search  # noqa: F401 - before OpenVINO, whose import it keeps quiet
