"""What a run leaves on disk: its folder, its records and its peaks.

From these files follow the launches that are left of the run's plan, and the plan of a run that repeats it.
"""
