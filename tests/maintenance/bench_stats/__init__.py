"""The simulation that proves the intervals."""
