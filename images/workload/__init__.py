"""The benchmark workload: it reads one job file and writes one result file, inside an image or environment.

It uses TensorFlow, numpy and the standard library. It must not know the program on the host that starts it.
"""

__version__ = "1.0.0"
