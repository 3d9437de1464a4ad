"""How many people answer an item: one, or several for a share of the items."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from labeling.arguments import whole_number

if TYPE_CHECKING:
    from storage.ledger import Ledger
    from storage.transactions import Connection

OVERLAP = "overlap"
"""The kind of change of a project that says how many people answer an item."""

RULES = ("all", "disagreement", "low confidence")


@dataclass(frozen=True)
class Overlap:
    """How many people are asked about an item.

    Attributes
    ----------
    people
        Answers wanted on a chosen item, each by another person; 1 on the others.
    share
        Of the items that the rule allows, how many are chosen, in (0, 1].
    rule
        "all"; "disagreement": items whose answers differ from each other or from what the model said when it was
        asked; "low confidence": items whose likeliest class the model gave less than `below` then.
    below
        For "low confidence".
    seed
        Chooses the share.

    Examples
    --------
    >>> Overlap(people=3, share=0.25).wanted(5), Overlap(people=3).wanted(5)
    (1, 3)
    """

    people: int = 1
    share: float = 1.0
    rule: str = "all"
    below: float = 0.6
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise for what cannot be."""
        if whole_number("annotators_per_item", self.people, 1) > 100:
            raise ValueError(f"annotators_per_item is at most 100, got {self.people}.")
        if not 0.0 < float(self.share) <= 1.0:
            raise ValueError(f"share is the part of the items in (0, 1], got {self.share!r}.")
        if self.rule not in RULES:
            raise ValueError(f"rule is one of {', '.join(map(repr, RULES))}, got {self.rule!r}.")
        if not 0.0 < float(self.below) <= 1.0:
            raise ValueError(f"below is a probability in (0, 1], got {self.below!r}.")

    @property
    def several(self) -> bool:
        """Whether any item is asked of more than one person."""
        return self.people > 1

    def wanted(self, item_id: int) -> int:
        """Return how many people an item is to be asked of, as far as chance decides: the rule is asked apart."""
        if self.people == 1 or self.share == 1.0:
            return self.people
        digest = hashlib.blake2b(f"{self.seed}:{item_id}".encode(), digest_size=8).digest()
        return self.people if int.from_bytes(digest, "big") < self.share * 2.0**64 else 1

    def allows(self, predicted: int | None, probabilities: Mapping[str, float], said: frozenset[int]) -> bool:
        """Tell whether the rule wants more answers of an item.

        Parameters
        ----------
        predicted, probabilities
            What the model said when the item was first asked.
        said
            The classes that people have named so far.
        """
        if self.rule == "disagreement":
            return len(said) > 1 or (predicted is not None and not said <= {predicted})
        if self.rule == "low confidence":
            return bool(probabilities) and max(probabilities.values()) < self.below
        return True

    def dump(self) -> dict[str, Any]:
        """Return it as the ledger stores it."""
        return asdict(self)


def overlap_of(ledger: Ledger, connection: Connection | None = None) -> Overlap:
    """Return how many people answer an item of a project now, as seen in an open transaction if there is one."""
    changes = ledger.changes(OVERLAP) if connection is None else ledger.changes_in(connection, OVERLAP)
    return Overlap(**changes[-1][1]) if changes else Overlap()
