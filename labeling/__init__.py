"""The labeling engine and its public API; names are imported when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labeling.applying import apply
    from labeling.calibration import Calibrated
    from labeling.classifiers import Classifier, TableClassifier, TextClassifier
    from labeling.column_labels import labels_of
    from labeling.curves import Curves
    from labeling.dawid_skene import DawidSkene
    from labeling.decisions import Decision
    from labeling.drift import ChiSquare, DriftDetector, ErrorRise, KolmogorovSmirnov
    from labeling.drift_river import ADWIN, DDM, KSWIN, PageHinkley
    from labeling.embeddings import EmbeddingClassifier
    from labeling.estimators import SklearnClassifier
    from labeling.forecast import Forecast
    from labeling.functions import (
        ABSTAIN,
        LabelingFunction,
        as_function,
        comparison,
        keyword,
        labeling_function,
        regex,
        when,
    )
    from labeling.known_answers import GoldReport
    from labeling.label_file import weak_label_file
    from labeling.label_models import LabelModel, MajorityVote
    from labeling.matrix import LabelMatrix
    from labeling.model_functions import lookup, model, nearest, votes_column
    from labeling.networks import NetworkClassifier
    from labeling.picture_networks import PictureClassifier
    from labeling.pool import PoolLoop
    from labeling.project import Project, default_storage
    from labeling.records import (
        UNSURE,
        Alike,
        Annotation,
        HeldGroup,
        ImportReport,
        LabelClass,
        Near,
        Query,
        QueueEmpty,
        Why,
    )
    from labeling.robust import Robust
    from labeling.simulation import simulate
    from labeling.snorkel_model import SnorkelLabelModel
    from labeling.stopping import After, LabelBudget, OverallUncertainty, Plateau, Stability, StopRule, TargetScore
    from labeling.stream import StreamLoop
    from labeling.stream_learning import Online, Refits
    from labeling.suggesting import Suggestion
    from labeling.tuning import Tuned
    from labeling.weighted_vote import WeightedVote
    from storage import ProjectArchived, StorageError

_HOME = {
    "After": "labeling.stopping",
    "Alike": "labeling.records",
    "Forecast": "labeling.forecast",
    "HeldGroup": "labeling.records",
    "Near": "labeling.records",
    "Why": "labeling.records",
    "Refits": "labeling.stream_learning",
    "Online": "labeling.stream_learning",
    "DriftDetector": "labeling.drift",
    "ErrorRise": "labeling.drift",
    "KolmogorovSmirnov": "labeling.drift",
    "ChiSquare": "labeling.drift",
    "PageHinkley": "labeling.drift_river",
    "KSWIN": "labeling.drift_river",
    "DDM": "labeling.drift_river",
    "ADWIN": "labeling.drift_river",
    "Decision": "labeling.decisions",
    "StreamLoop": "labeling.stream",
    "Calibrated": "labeling.calibration",
    "Classifier": "labeling.classifiers",
    "Curves": "labeling.curves",
    "NetworkClassifier": "labeling.networks",
    "PictureClassifier": "labeling.picture_networks",
    "OverallUncertainty": "labeling.stopping",
    "Plateau": "labeling.stopping",
    "EmbeddingClassifier": "labeling.embeddings",
    "SklearnClassifier": "labeling.estimators",
    "Stability": "labeling.stopping",
    "TableClassifier": "labeling.classifiers",
    "simulate": "labeling.simulation",
    "Suggestion": "labeling.suggesting",
    "Tuned": "labeling.tuning",
    "nearest": "labeling.model_functions",
    "model": "labeling.model_functions",
    "votes_column": "labeling.model_functions",
    "lookup": "labeling.model_functions",
    "GoldReport": "labeling.known_answers",
    "ProjectArchived": "storage",
    "labels_of": "labeling.column_labels",
    "weak_label_file": "labeling.label_file",
    "apply": "labeling.applying",
    "WeightedVote": "labeling.weighted_vote",
    "SnorkelLabelModel": "labeling.snorkel_model",
    "Robust": "labeling.robust",
    "DawidSkene": "labeling.dawid_skene",
    "ABSTAIN": "labeling.functions",
    "UNSURE": "labeling.records",
    "Annotation": "labeling.records",
    "ImportReport": "labeling.records",
    "LabelBudget": "labeling.stopping",
    "LabelClass": "labeling.records",
    "LabelMatrix": "labeling.matrix",
    "LabelModel": "labeling.label_models",
    "LabelingFunction": "labeling.functions",
    "MajorityVote": "labeling.label_models",
    "PoolLoop": "labeling.pool",
    "Project": "labeling.project",
    "Query": "labeling.records",
    "QueueEmpty": "labeling.records",
    "StopRule": "labeling.stopping",
    "StorageError": "storage",
    "TargetScore": "labeling.stopping",
    "TextClassifier": "labeling.classifiers",
    "as_function": "labeling.functions",
    "comparison": "labeling.functions",
    "default_storage": "labeling.project",
    "keyword": "labeling.functions",
    "labeling_function": "labeling.functions",
    "regex": "labeling.functions",
    "when": "labeling.functions",
}

__all__ = [
    "ABSTAIN",
    "ADWIN",
    "DDM",
    "KSWIN",
    "UNSURE",
    "After",
    "Alike",
    "Annotation",
    "Calibrated",
    "ChiSquare",
    "Classifier",
    "Curves",
    "DawidSkene",
    "Decision",
    "DriftDetector",
    "EmbeddingClassifier",
    "ErrorRise",
    "Forecast",
    "GoldReport",
    "HeldGroup",
    "ImportReport",
    "KolmogorovSmirnov",
    "LabelBudget",
    "LabelClass",
    "LabelMatrix",
    "LabelModel",
    "LabelingFunction",
    "MajorityVote",
    "Near",
    "NetworkClassifier",
    "Online",
    "OverallUncertainty",
    "PageHinkley",
    "PictureClassifier",
    "Plateau",
    "PoolLoop",
    "Project",
    "ProjectArchived",
    "Query",
    "QueueEmpty",
    "Refits",
    "Robust",
    "SklearnClassifier",
    "SnorkelLabelModel",
    "Stability",
    "StopRule",
    "StorageError",
    "StreamLoop",
    "Suggestion",
    "TableClassifier",
    "TargetScore",
    "TextClassifier",
    "Tuned",
    "WeightedVote",
    "Why",
    "apply",
    "as_function",
    "comparison",
    "default_storage",
    "keyword",
    "labeling_function",
    "labels_of",
    "lookup",
    "model",
    "nearest",
    "regex",
    "simulate",
    "votes_column",
    "weak_label_file",
    "when",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'labeling' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
