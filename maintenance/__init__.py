"""Programs for the maintainers of the kit. They write the lock files and the rendered Dockerfiles."""
