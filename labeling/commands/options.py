"""What options of the command line may be."""

from enum import StrEnum


class By(StrEnum):
    """Who has a vote."""

    function = "function"
    expert = "expert"


class Of(StrEnum):
    """What a share is a share of."""

    all = "all"
    voting = "voting"


class Ties(StrEnum):
    """What becomes of a tie."""

    abstain = "abstain"
    prior = "prior"
    random = "random"


class Model(StrEnum):
    """How votes are combined."""

    majority = "MajorityVote"
    weighted = "WeightedVote"
    dawid_skene = "DawidSkene"
    snorkel = "SnorkelLabelModel"
    robust = "Robust"
