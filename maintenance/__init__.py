"""What only those who maintain the kit run: it writes the locks and the rendered Dockerfiles anew."""
