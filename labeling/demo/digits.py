"""The second demo project: handwritten digits as pictures, to be labeled by what a network with dropout asks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labeling import LabelBudget, Project, TargetScore, default_storage
from strategies import MCDropout

if TYPE_CHECKING:
    import numpy.typing as npt

NAME = "digits"
DESCRIPTION = (
    "1,797 handwritten digits of 43 people, 8 x 8 pixels each, as they come with scikit-learn. Nothing is labeled yet: "
    "a small network asks for those it is least sure of, and answers for the rest."
)
LABELS = tuple("0123456789")
LOOP = "first questions"
SIDE = 160


def create_digits(storage: str | None = None, *, pictures: int | None = None) -> Project:
    """Make the demo project of digits, ready to label; one that is there already is opened as it is.

    What the digits are is known: 30 % are held out to score the network, and the rest is the truth to compare with.

    Parameters
    ----------
    storage
        URL of the database; None: the default storage.
    pictures
        Only so many of them.
    """
    project = Project.create(
        NAME,
        labels=[{"name": name, "key": name, "definition": f"A handwritten {name}."} for name in LABELS],
        storage=storage or default_storage(),
        exist_ok=True,
        description=DESCRIPTION,
    )
    if any(loop.name == LOOP for loop in project.loops()):
        return project
    project.add_items(
        make_digits(pictures), id="id", image="picture", gold="truth", name="scikit-learn digits", progress=False
    )
    project.set_holdout(fraction=0.3, seed=1)
    project.pool_loop(
        LOOP,
        strategy=MCDropout("entropy"),
        batch_size=10,
        seed=1,
        stop=[LabelBudget(300), TargetScore("accuracy", 0.97)],
    )
    return project


def make_digits(n: int | None = None) -> pl.DataFrame:
    """Return the digits as pictures that a person can read.

    Parameters
    ----------
    n
        Only the first so many.

    Returns
    -------
    Columns id, picture (PNG), and truth, "0" to "9".

    Examples
    --------
    >>> make_digits(2).select("id", "truth").rows()
    [('digit-0001', '0'), ('digit-0002', '1')]
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images, truth = bunch.images[:n], bunch.target[:n]
    return pl.DataFrame(
        {
            "id": [f"digit-{place:04}" for place in range(1, len(truth) + 1)],
            "picture": [draw(pixels) for pixels in images],
            "truth": [str(label) for label in truth],
        }
    )


def draw(pixels: npt.NDArray[np.float64]) -> bytes:
    """Dark ink on white, smoothly enlarged, as PNG; (8, 8) values of 0 to 16."""
    from PIL import Image

    ink = Image.fromarray((255 - pixels * (255 / 16)).astype(np.uint8))
    large = np.asarray(ink.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    # Sixteen greys are all there were, and take a third of the bytes.
    few = Image.fromarray(large // 16)
    few.putpalette([grey * 17 for grey in range(16) for _ in range(3)])
    content = io.BytesIO()
    few.save(content, "PNG", bits=4, compress_level=3)
    return content.getvalue()
