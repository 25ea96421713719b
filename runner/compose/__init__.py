"""Writes a plan as a Docker Compose file, and makes records of a run that such a file has carried out."""
