"""The words for the outcome of a comparison whose interval is known."""

FASTER, SLOWER, NO_CLEAR_DIFFERENCE = "faster", "slower", "no clear difference"
VERDICTS = (FASTER, SLOWER, NO_CLEAR_DIFFERENCE)
