"""May these records be divided by one another, and did both sides train the same thing? Pure functions."""
