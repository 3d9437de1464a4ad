import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from labeling.classifiers.features.text import TextFeatures, reduce
from labeling.classifiers.linear import balance, fit_linear, softmax
from labeling.classifiers.text_and_tables import TextClassifier

POSTS = pl.DataFrame(
    {
        "text": ["good day", "good food", "bad day", "bad food", "", None, "unheard words"],
        "label": [0, 0, 1, 1, 0, 1, 0],
    }
)


def learnt(n=200, k=3, d=8, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)).astype(np.float32)
    y = (X @ rng.normal(size=(d, k)) + rng.gumbel(size=(n, k))).argmax(axis=1)
    return X, y


def assert_probabilities(proba, shape):
    assert proba.shape == shape
    assert np.isfinite(proba).all()
    assert proba.min() >= 0
    np.testing.assert_allclose(proba.sum(axis=1), 1)


def test_the_vocabulary_comes_from_the_rows_to_learn_from_alone():
    learn = np.array([True, True, False, False, False, False, False])
    features = TextFeatures.learn(POSTS, text="text", learn_from=learn, min_count=1)
    assert set(features.vectorizer.vocabulary_) == {"good", "day", "food", "good day", "good food"}
    changed = POSTS.with_columns(
        pl.when(pl.col("text") == "bad day").then(pl.lit("zzz")).otherwise("text").alias("text")
    )
    again = TextFeatures.learn(changed, text="text", learn_from=learn, min_count=1)
    assert (again.transform(POSTS) != features.transform(POSTS)).nnz == 0


def test_features_are_sparse_float32_and_rows_of_length_one_or_zero():
    X = TextClassifier(min_count=1).featurize(POSTS, text="text")
    assert X.dtype == np.float32
    assert X.shape[0] == 7
    lengths = np.sqrt(X.multiply(X).sum(axis=1)).A1
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 0, 0, 1], atol=1e-6)


def test_words_that_are_rare_are_kept_where_nothing_else_is_left():
    frame = pl.DataFrame({"text": ["one", "two"]})
    assert TextClassifier().featurize(frame, text="text").shape == (2, 2)


@pytest.mark.parametrize("column", [["", None, "!!"], []])
def test_no_word_at_all_gives_no_features_and_even_probabilities(column):
    frame = pl.DataFrame({"text": column}, schema={"text": pl.String})
    classifier = TextClassifier()
    X = classifier.featurize(frame, text="text")
    assert X.shape == (len(column), 0)
    if column:
        proba = classifier.fit(X, np.array([[1.0, 0], [0, 1], [0.5, 0.5]])).predict_proba(X)
        np.testing.assert_allclose(proba, 0.5, atol=1e-3)


def test_nothing_to_learn_from_is_no_vocabulary():
    assert TextClassifier().featurize(POSTS, text="text", learn_from=np.zeros(7, dtype=bool)).shape == (7, 0)


def test_a_missing_text_column_is_named():
    with pytest.raises(ValueError, match=r"'body'.*text, label"):
        TextClassifier().featurize(POSTS, text="body")


def test_numbers_are_read_as_text():
    assert TextClassifier(min_count=1).featurize(POSTS, text="label").shape == (7, 2)


def test_a_few_labels_teach_it():
    classifier = TextClassifier(min_count=1)
    X = classifier.featurize(POSTS, text="text")
    proba = classifier.fit(X[[0, 3]], np.eye(2)).predict_proba(X)
    assert proba[:4].argmax(axis=1).tolist() == [0, 0, 1, 1] or proba[0, 0] > 0.5 > proba[3, 0]
    assert_probabilities(proba, (7, 2))


@pytest.mark.parametrize("k", [2, 3, 5])
def test_hard_targets_give_scikit_learns_logistic_regression(k):
    X, y = learnt(k=k)
    theirs = LogisticRegression(C=2.0, tol=1e-8, max_iter=1000).fit(X, y)
    ours = fit_linear(X, np.eye(k)[y], C=2.0)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=2e-3)


def test_weights_count_as_repetitions():
    X, y = learnt()
    repeats = np.random.default_rng(1).integers(0, 4, size=len(y))
    weighted = fit_linear(X, np.eye(3)[y], repeats.astype(float))
    repeated = fit_linear(np.repeat(X, repeats, axis=0), np.eye(3)[np.repeat(y, repeats)])
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=2e-3)


def test_a_soft_target_is_a_row_of_each_class_with_that_weight():
    X, y = learnt(n=60, k=2)
    soft = np.where(np.eye(2)[y] == 1, 0.8, 0.2)
    expanded = fit_linear(np.vstack([X, X]), np.vstack([np.eye(2)[y], np.eye(2)[1 - y]]), np.repeat([0.8, 0.2], 60))
    np.testing.assert_allclose(fit_linear(X, soft).predict_proba(X), expanded.predict_proba(X), atol=2e-3)


def test_balanced_classes_weigh_the_same():
    targets = np.eye(2)[[0, 0, 0, 1]]
    weights = balance(targets, np.ones(4))
    np.testing.assert_allclose(weights @ targets, [2, 2])


def test_class_weight_balanced_is_that_of_scikit_learn():
    X, y = learnt(k=2)
    keep = (y == 0) | (np.arange(len(y)) % 5 == 0)
    X, y = X[keep], y[keep]
    theirs = LogisticRegression(class_weight="balanced", tol=1e-8).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(fit_linear(X, np.eye(2)[y], class_weight="balanced").predict_proba(X), theirs, atol=2e-3)


def test_one_class_only_says_that_class_and_leaves_room_for_the_others():
    classifier = TextClassifier(min_count=1)
    X = classifier.featurize(POSTS, text="text")
    proba = classifier.fit(X[:2], np.array([[0.0, 1.0, 0.0]] * 2)).predict_proba(X)
    assert_probabilities(proba, (7, 3))
    np.testing.assert_allclose(proba, np.tile([0.2, 0.6, 0.2], (7, 1)))


def test_a_class_never_seen_is_possible_but_unlikely():
    X, y = learnt(k=2)
    proba = fit_linear(X, np.eye(3)[y]).predict_proba(X)
    assert_probabilities(proba, (200, 3))
    np.testing.assert_allclose(proba[:, 2], 1 / 203)


def test_rows_without_weight_teach_nothing():
    X, y = learnt()
    weights = np.ones(200)
    weights[100:] = 0
    lost = y.copy()
    lost[100:] = 0
    np.testing.assert_array_equal(
        fit_linear(X, np.eye(3)[y], weights).coef, fit_linear(X, np.eye(3)[lost], weights).coef
    )


@pytest.mark.parametrize(
    ("targets", "weights", "message"),
    [
        (np.eye(2)[[0, 1, 0]], None, r"\(3, 2\)"),
        (np.array([[0.5, 0.1], [1, 0]]), None, "sum to 1"),
        (np.eye(2), np.array([-1.0, 1]), "at least 0"),
        (np.eye(2), np.array([np.nan, 1]), "finite"),
        (np.eye(2), np.zeros(2), "Nothing to train on"),
    ],
)
def test_targets_that_cannot_be_are_refused(targets, weights, message):
    with pytest.raises(ValueError, match=message):
        fit_linear(np.ones((2, 1)), targets, weights)


def test_other_features_than_trained_on_are_refused():
    model = fit_linear(np.ones((2, 3)), np.eye(2))
    with pytest.raises(ValueError, match="3 features, got 2"):
        model.predict_proba(np.ones((1, 2)))


def test_softmax_survives_large_logits():
    np.testing.assert_allclose(softmax(np.array([[1000.0, 0.0], [-1000.0, -1000.0]])), [[1, 0], [0.5, 0.5]])


def test_an_embedding_is_small_dense_and_seeded():
    X = TextClassifier(min_count=1).featurize(POSTS, text="text")
    embedding = reduce(X, 3)
    assert embedding.shape == (7, 3)
    assert embedding.dtype == np.float32
    np.testing.assert_array_equal(embedding, reduce(X, 3))
    np.testing.assert_allclose(embedding[4:6], 0)


def test_an_embedding_keeps_the_angles_of_the_features():
    X = TextClassifier(min_count=1).featurize(POSTS, text="text")
    full = reduce(X, 7)
    np.testing.assert_allclose(full @ full.T, (X @ X.T).toarray(), atol=1e-4)


def test_an_embedding_of_nothing_is_defined():
    X = TextClassifier().featurize(POSTS, text="text", learn_from=np.zeros(7, dtype=bool))
    assert reduce(X, 3).shape == (7, 1)
