"""The benchmark workload: it turns one job file into one result file inside an image or environment.

It knows TensorFlow, numpy and the standard library; it must not know the program on the host that starts it.
"""

__version__ = "1.0.0"
