"""What to ask next: strategies over arrays, for pools and streams."""

from strategies.bandit import Bandit, Outcome
from strategies.base import Pick, Product, Ranking, Strategy, Weighted
from strategies.baseline import Random
from strategies.bayesian import MCDropout
from strategies.budget import (
    BalancedIncrementalQuantileFilter,
    FixedBudget,
    FixedThreshold,
    RandomVariableUncertainty,
    Split,
    VariableUncertainty,
)
from strategies.budget_state import Budget, BudgetDecision, BudgetState, draws
from strategies.clusters import KMeans, TypiClust
from strategies.combine import Auto, Explore, Sequence
from strategies.diversity import Density, KCenter, RankedBatch
from strategies.evidence import Committee, LabelConflict, NearErrors, Region
from strategies.gradients import Badge
from strategies.outliers import OutlierGuard
from strategies.pool import Pool
from strategies.uncertainty import Entropy, LeastConfidence, Margin

__all__ = [
    "Auto",
    "Badge",
    "BalancedIncrementalQuantileFilter",
    "Bandit",
    "Budget",
    "BudgetDecision",
    "BudgetState",
    "Committee",
    "Density",
    "Entropy",
    "Explore",
    "FixedBudget",
    "FixedThreshold",
    "KCenter",
    "KMeans",
    "LabelConflict",
    "LeastConfidence",
    "MCDropout",
    "Margin",
    "NearErrors",
    "Outcome",
    "OutlierGuard",
    "Pick",
    "Pool",
    "Product",
    "Random",
    "RandomVariableUncertainty",
    "RankedBatch",
    "Ranking",
    "Region",
    "Sequence",
    "Split",
    "Strategy",
    "TypiClust",
    "VariableUncertainty",
    "Weighted",
    "draws",
]
