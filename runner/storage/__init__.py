"""What a run leaves on disk: its folder, its records and its peaks.

What of its plan is left is told from them, and so is the plan of a run that repeats it.
"""
