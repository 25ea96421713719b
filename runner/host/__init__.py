"""The CPUs that a launch is held to, and the checks of whether this host is fit to measure on."""
