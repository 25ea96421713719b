"""Programs for the maintainers of the kit: they write lock files and Dockerfiles, and prove the intervals."""
