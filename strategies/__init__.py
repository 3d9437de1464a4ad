"""What to ask next: strategies over arrays, for pools and streams."""

from strategies.base import Pick, Pool, Ranking, Strategy
from strategies.baseline import Random
from strategies.uncertainty import Entropy, LeastConfidence, Margin

__all__ = [
    "Entropy",
    "LeastConfidence",
    "Margin",
    "Pick",
    "Pool",
    "Random",
    "Ranking",
    "Strategy",
]
