"""What a refit predicts, as it is kept."""

from __future__ import annotations

import numpy as np

PREDICTIONS = np.dtype([("item", "<i8"), ("label", "<i2"), ("confidence", "<f4")])


PACKED = f"V{PREDICTIONS.itemsize}"
"""Item, label and confidence of each prediction, as refits keep them beside the distributions."""
