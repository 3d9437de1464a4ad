"""The demo projects; ``make run`` makes them first."""

from labeling.demo.forum import create_demo

__all__ = ["create_demo"]
