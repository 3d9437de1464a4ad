"""Settings as strict JSON, and back by name."""

from labeling.serialization.settings import UnknownClass, describe, load, same
from labeling.serialization.writing import dump

__all__ = ["UnknownClass", "describe", "dump", "load", "same"]
