"""Where README's numbers come from. Each module runs with `python -m benchmarks.NAME` in the test environment."""
