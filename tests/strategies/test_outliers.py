import numpy as np
import pytest
from scipy.sparse import csr_matrix

from strategies import Entropy, OutlierGuard, Pool


def languages(english=400, spanish=20, seed=0):
    """Bags of words of two languages that share none; English has four topics."""
    generator = np.random.default_rng(seed)
    X = np.zeros((english + spanish, 60), dtype=np.float32)
    for row in range(english):
        topic = 8 + 8 * (row % 4)
        X[row, generator.choice(8, 5, replace=False)] = 1
        X[row, topic + generator.choice(8, 3, replace=False)] = 1
    for row in range(english, english + spanish):
        X[row, 40 + generator.choice(20, 6, replace=False)] = 1
    return X


def pool_of(X, **arrays):
    proba = np.tile([0.9, 0.1], (len(X), 1))
    proba[400:] = 0.5
    return Pool(proba=proba, embedding=X, **arrays)


GUARD = OutlierGuard(Entropy(), share=0.0)


def test_another_language_is_held_back_as_one_group():
    groups = GUARD.groups(pool_of(languages()))
    assert set(groups[400:].tolist()) == {2}
    assert (groups[:400] == -1).all()


def test_what_is_held_back_is_asked_last():
    pool = pool_of(languages())
    assert all(pick.index < 400 for pick in GUARD.select(pool, 400))
    everything = GUARD.select(pool, 420)
    assert sorted(pick.index for pick in everything) == list(range(420))
    assert {pick.index for pick in everything[400:]} == set(range(400, 420))
    assert [pick.score for pick in everything[400:]] == [0.0] * 20
    assert all(pick.parts["belongs"] == float(pick.index < 400) for pick in everything)


def test_what_a_person_welcomes_is_asked_like_any_other():
    welcome = np.arange(420) >= 400
    assert GUARD.select(pool_of(languages(), welcome=welcome), 1)[0].index >= 400


def test_a_group_with_labels_belongs():
    X = languages()
    assert (GUARD.groups(pool_of(X, labeled_embedding=X[400:403], labels=[0, 1, 0])) == -1).all()


def test_half_the_pool_is_no_outlier():
    X = languages(english=200, spanish=200)
    assert (GUARD.groups(Pool(embedding=X)) == -1).all()


def test_items_without_features_are_held_back():
    X = languages()
    X[7] = 0
    assert np.flatnonzero(GUARD.groups(pool_of(X)) == 0).tolist() == [7]


def test_the_loneliest_are_held_back_up_to_a_share():
    generator = np.random.default_rng(0)
    words = csr_matrix((generator.random((100, 30)) < 0.5).astype(np.float32))
    strange = csr_matrix(np.eye(5, 30, dtype=np.float32)[:, ::-1])
    from scipy.sparse import vstack

    features = vstack([words, strange]).tocsr()
    pool = Pool(proba=np.full((105, 2), 0.5), embedding=np.ones((105, 2), dtype=np.float32), features=features)
    groups = OutlierGuard(Entropy(), share=0.05).groups(pool)
    assert np.flatnonzero(groups == 1).tolist() == list(range(100, 105))


def test_copies_are_not_lonely():
    pool = Pool(proba=np.full((50, 2), 0.5), embedding=np.ones((50, 2)))
    assert not OutlierGuard(Entropy(), share=0.5).held_back(pool).any()


def test_a_share_of_everything_is_refused():
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        OutlierGuard(Entropy(), share=1.0)
