"""Moves images to and from registries by digest: references, the images lock, pushes, pulls, and Amazon ECR's calls."""
