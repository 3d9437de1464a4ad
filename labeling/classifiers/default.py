"""Which classifier suits a project's columns and a loop's strategy."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from labeling.classifiers.base import Classifier
from labeling.classifiers.text_and_tables import TableClassifier, TextClassifier
from strategies import Strategy


def default_classifier(
    schema: Mapping[str, pl.DataType], strategy: Strategy | None = None, *, text: str | None = None
) -> Classifier:
    """The classifier that suits the columns and the strategy.

    A network with dropout where the strategy reads stochastic passes (`MCDropout`), a convolutional one where
    there is nothing but a column of pictures; else `TextClassifier`
    where there is a text column, `TableClassifier` where there are numbers, lists of numbers or pictures.

    Examples
    --------
    >>> from strategies import MCDropout
    >>> default_classifier({"body": pl.String()}, text="body")
    TextClassifier(C=10.0, class_weight='balanced', ngrams=(1, 1), min_count=2, max_features=100000)
    >>> type(default_classifier({"body": pl.String()}, MCDropout(), text="body")).__name__
    'NetworkClassifier'
    """
    columns = (text,) if text is not None else None
    if strategy is not None and "mc_proba" in strategy.reads():
        # PyTorch takes a second to load, and few projects need it.
        from labeling.classifiers.networks.convolution import PictureClassifier
        from labeling.classifiers.networks.perceptron import NetworkClassifier

        if text is None and _pictures_alone(schema):
            return PictureClassifier()
        return NetworkClassifier(columns=columns)
    if text is not None:
        return TextClassifier()
    if any(dtype.is_numeric() or dtype.is_nested() or dtype == pl.Binary for dtype in schema.values()):
        return TableClassifier()
    named = ", ".join(f"{name} ({dtype})" for name, dtype in schema.items()) or "none"
    raise ValueError(f"No column to learn from (columns: {named}). Pass classifier=, or name the text column.")


def _pictures_alone(schema: Mapping[str, pl.DataType]) -> bool:
    """Whether one column of pictures is all there is to learn from; words may be captions or file names."""
    pictures = [name for name, dtype in schema.items() if dtype == pl.Binary]
    others = [name for name, dtype in schema.items() if dtype.is_numeric() or dtype.is_nested()]
    return len(pictures) == 1 and not others
