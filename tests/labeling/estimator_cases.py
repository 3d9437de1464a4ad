"""Every classifier of scikit-learn, small, and what people build of them."""

import inspect
from functools import partial

import numpy as np
from scipy import stats
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2, mutual_info_classif
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, StratifiedKFold
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

LEFT_OUT = {"OutputCodeClassifier": "has neither predict_proba nor decision_function"}
"""Classifiers that no loop is made with, and why."""

_SMALL = {"n_estimators": 2, "cv": 2, "max_iter": 20}
_OTHERWISE = {
    "LinearSVC": {"max_iter": 200},
    "LogisticRegressionCV": {"Cs": 2, "cv": 2},
    "LogisticRegression": {},
    "NuSVC": {"nu": 0.3},
    "SelfTrainingClassifier": {"estimator": LogisticRegression()},
    "SVC": {},
    "TunedThresholdClassifierCV": {"cv": 2, "thresholds": 2},
    "VotingClassifier": {"voting": "soft"},
}
_INNER = {"estimator": LogisticRegression(), "estimators": [("a", LogisticRegression()), ("b", LogisticRegression())]}


def classifiers():
    """Every classifier of scikit-learn by name, as small as its constructor allows."""
    return {name: _small(name, kind) for name, kind in all_estimators("classifier") if name not in LEFT_OUT}


def _small(name, kind):
    parameters = inspect.signature(kind).parameters
    given = {key: value for key, value in _OTHERWISE.get(name, _SMALL).items() if key in parameters}
    return kind(**given, **{key: _INNER[key] for key, each in parameters.items() if each.default is each.empty})


def compositions():
    """What people build of them, by name; each call builds it anew."""
    two = [("tree", DecisionTreeClassifier()), ("linear", LogisticRegression())]
    linear, folds = LogisticRegression(), StratifiedKFold(2, shuffle=True)
    columns = [("scaled", StandardScaler(with_mean=False), [0]), ("as they are", "passthrough", slice(1, 2))]
    values = stats.loguniform(1e-2, 1e2)
    return {
        "SimpleImputer": make_pipeline(SimpleImputer(), StandardScaler(with_mean=False), linear),
        "SimpleImputer(inf)": make_pipeline(SimpleImputer(strategy="constant", fill_value=np.inf), linear),
        "KNNImputer": make_pipeline(KNNImputer(n_neighbors=2, missing_values=np.nan), DecisionTreeClassifier()),
        "log1p": make_pipeline(MaxAbsScaler(), FunctionTransformer(np.log1p, accept_sparse=True), linear),
        "TfidfVectorizer": make_pipeline(TfidfVectorizer(ngram_range=(1, 2), dtype=np.float32), linear),
        "SelectKBest(chi2)": make_pipeline(MaxAbsScaler(), SelectKBest(chi2, k=1), linear),
        "SelectKBest(partial)": make_pipeline(SelectKBest(partial(mutual_info_classif, n_neighbors=2), k=1), linear),
        "ColumnTransformer": make_pipeline(ColumnTransformer(columns, remainder="drop"), linear),
        "FeatureUnion": make_pipeline(make_union(TruncatedSVD(1), MaxAbsScaler()), linear),
        "VotingClassifier": VotingClassifier([*two, ("none", "drop")], voting="soft", weights=[0.5, 2, 1]),
        "StackingClassifier": StackingClassifier(two, final_estimator=RandomForestClassifier(2), cv=folds),
        "BaggingClassifier": BaggingClassifier(make_pipeline(MaxAbsScaler(), linear), n_estimators=2),
        "AdaBoostClassifier": AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=2),
        "CalibratedClassifierCV": CalibratedClassifierCV(LinearSVC(class_weight={0: 1, 1: 5}), cv=folds),
        "OneVsRestClassifier": OneVsRestClassifier(SVC(gamma=0.5, class_weight="balanced")),
        "OneVsOneClassifier": OneVsOneClassifier(SGDClassifier(loss="modified_huber", eta0=np.float64(0.1))),
        "GridSearchCV": GridSearchCV(linear, {"C": np.logspace(-1, 1, 2), "class_weight": [None, {0: 1, 1: 5}]}, cv=2),
        "GridSearchCV(list)": GridSearchCV(linear, [{"C": (1, np.inf)}, {"l1_ratio": [0.0]}], cv=2, error_score=np.nan),
        "RandomizedSearchCV": RandomizedSearchCV(linear, {"C": values}, n_iter=2, cv=folds),
        "GaussianProcessClassifier": GaussianProcessClassifier(1.5 * RBF() + WhiteKernel(), optimizer=None),
        "class_weight": LogisticRegression(class_weight={np.int64(0): 1, 1: np.float64(5)}, C=np.inf, tol=1e-3),
        "weights of a forest": RandomForestClassifier(2, class_weight={0: 1, 1: 5}, max_features=np.int64(1)),
    }


_DENSE = (
    "CategoricalNB|GaussianNB|(composed: )?GaussianProcessClassifier|HistGradientBoostingClassifier|"
    "LinearDiscriminantAnalysis|QuadraticDiscriminantAnalysis|composed: KNNImputer"
)
UNTRAINED = {
    f"({_DENSE}) of text": r"takes no sparse features\. Make the classifier as SklearnClassifier\(.*dense=True\)",
    "(CategoricalNB|ComplementNB|MultinomialNB) of numbers": "Negative values in data passed to",
    "composed: SelectKBest\\(chi2\\) of numbers": "Input X must be non-negative",
    "ClassifierChain of .*": "ClassifierChain could not be trained on",
    "MultiOutputClassifier of .*": "y must have at least two dimensions",
    "composed: log1p of numbers": "Input X contains infinity",
    "composed: TfidfVectorizer of .*": "reads texts, and is given features.*Leave the TfidfVectorizer out",
}
"""Loops whose classifier cannot be trained, by a pattern of their names, and what their notes say."""
