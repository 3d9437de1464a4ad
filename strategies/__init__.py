"""What to ask next: strategies over arrays, for pools and streams."""

from strategies.bandit import Bandit, Outcome
from strategies.base import Pick, Pool, Ranking, Strategy
from strategies.baseline import Random
from strategies.bayesian import MCDropout
from strategies.clusters import KMeans, TypiClust
from strategies.combine import Auto, Explore, Product, Sequence, Weighted
from strategies.diversity import Density, KCenter, RankedBatch
from strategies.evidence import Committee, LabelConflict, NearErrors, Region
from strategies.gradients import Badge
from strategies.uncertainty import Entropy, LeastConfidence, Margin

__all__ = [
    "Auto",
    "Badge",
    "Bandit",
    "Committee",
    "Density",
    "Entropy",
    "Explore",
    "KCenter",
    "KMeans",
    "LabelConflict",
    "LeastConfidence",
    "MCDropout",
    "Margin",
    "NearErrors",
    "Outcome",
    "Pick",
    "Pool",
    "Product",
    "Random",
    "RankedBatch",
    "Ranking",
    "Region",
    "Sequence",
    "Strategy",
    "TypiClust",
    "Weighted",
]
