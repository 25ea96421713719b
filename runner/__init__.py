"""The host program: plans launches, carries them out on an engine, keeps records and draws the report."""

__version__ = "0.1.0"
