"""Names for the arrays that the engine passes around.

``L`` is a label matrix, shape (n items, m sources): class positions 0..k-1,
-1 abstains, int8 up to 127 classes and int16 beyond.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

INT8_CLASSES = 127

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
VoteArray = NDArray[np.signedinteger[Any]]

ABSTAINS = -1


def vote_dtype(classes: int) -> type[np.int8] | type[np.int16]:
    """Smallest integer type that holds the positions of so many classes.

    Examples
    --------
    >>> vote_dtype(2).__name__, vote_dtype(200).__name__
    ('int8', 'int16')
    """
    if classes > np.iinfo(np.int16).max:
        raise ValueError(f"A label set holds at most {np.iinfo(np.int16).max} classes, got {classes}.")
    return np.int8 if classes <= INT8_CLASSES else np.int16
