"""Posts of a community that does not exist; the name under which scripts import what makes them."""

from labeling.demo.posts import make_posts

__all__ = ["make_posts"]
