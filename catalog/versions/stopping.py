"""When a live A/B is clear, however often one looks: a mixture sequential probability ratio test on two shares.

Looking at a fixed-sample test after every visitor finds a difference sooner or later where there is none. This test's
error holds over all looks together: the likelihood ratio of "they differ, by about TAU" (normal mixture) to "they
don't" is a martingale when they don't, and exceeds 1/alpha at any time with a chance of at most alpha (Ville). Source:
Johari, Koomen, Pekelis and Walsh, "Always Valid Inference: Continuous Monitoring of A/B Tests", Operations Research
2022.
"""

import math

# Of ending a trial in which both are alike, over its whole life; half of it falls on "worse".
ALPHA = 0.05
# The size of difference in click rate that the test is quickest for.
TAU = 0.1
# The normal approximation needs so many visitors of each side, and so many clicks and non-clicks together.
LEAST_VISITORS = 50
LEAST_CLICKS = 10


def likelihood_ratio(clicked_a: int, seen_a: int, clicked_b: int, seen_b: int, *, tau: float = TAU) -> float:
    """Returns how much likelier it is that the rates differ than that they don't; 1 where nothing can be said."""
    if min(seen_a, seen_b) < LEAST_VISITORS:
        return 1.0
    clicks, misses = clicked_a + clicked_b, seen_a + seen_b - clicked_a - clicked_b
    if min(clicks, misses) < LEAST_CLICKS:
        return 1.0
    pooled = clicks / (seen_a + seen_b)  # the variance if they don't differ
    variance = pooled * (1 - pooled) * (1 / seen_a + 1 / seen_b)
    apart = clicked_b / seen_b - clicked_a / seen_a
    spread = variance + tau**2
    return math.sqrt(variance / spread) * math.exp(min(tau**2 * apart**2 / (2 * variance * spread), 700.0))


def is_clearly_worse(clicked_a: int, seen_a: int, clicked_b: int, seen_b: int, *, alpha: float = ALPHA) -> bool:
    """Says whether B is clicked less than A, with a chance of error of at most alpha over all looks."""
    if not seen_a or not seen_b or clicked_b / seen_b >= clicked_a / seen_a:
        return False
    return likelihood_ratio(clicked_a, seen_a, clicked_b, seen_b) >= 1 / alpha
