"""The plan as a Docker Compose file, and a run that such a file has carried out as records."""
