import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist

from strategies import Badge, Density, Entropy, KCenter, KMeans, Margin, Pool, RankedBatch, TypiClust
from strategies.geometry import k_means, nearest, nearest_distance, squared_norms
from tests.strategies.pools import full_pool, simplex


def rng(seed=0):
    return np.random.default_rng(seed)


def blobs(sizes=(30, 20, 10), spread=0.1):
    """Clusters at (0, 0), (5, 5), (10, 10), …"""
    generator = rng(1)
    return np.vstack([generator.normal(5 * i, spread, size=(size, 2)) for i, size in enumerate(sizes)]).astype(
        np.float32
    )


def cluster(index, sizes=(30, 20, 10)):
    return int(np.searchsorted(np.cumsum(sizes), index, side="right"))


def greedy_k_center(X, known, n):
    distance = cdist(X, known).min(axis=1)
    chosen = []
    for _ in range(n):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, cdist(X, X[chosen[-1:]])[:, 0])
    return chosen


def test_k_center_is_the_farthest_first_traversal():
    X, known = rng().normal(size=(200, 6)), rng(1).normal(size=(5, 6))
    picks = KCenter().select(Pool(embedding=X, labeled_embedding=known), 12)
    assert [pick.index for pick in picks] == greedy_k_center(X, known, 12)


def test_k_center_finds_the_farthest_of_many_though_it_updates_few():
    X, known = rng().normal(size=(3000, 3)), rng(1).normal(size=(300, 3))
    picks = KCenter().select(Pool(embedding=X, labeled_embedding=known), 80)
    expected = greedy_k_center(X, known, 80)
    assert [pick.index for pick in picks] == expected
    reached = cdist(X[expected[-1:]], np.vstack([known, X[expected[:-1]]])).min()
    assert picks[-1].score == pytest.approx(reached / cdist(X, known).min(axis=1).max(), rel=1e-3)


def test_k_center_that_is_read_in_between_stays_exact():
    X = rng().normal(size=(500, 4)).astype(np.float32)
    ranking = KCenter().ranking(Pool(embedding=X, labeled_embedding=X[:2]))
    taken = []
    for _ in range(10):
        index, _ = ranking.top(taken, np.arange(500))
        taken.append(index)
        ranking.add(index)
        expected = cdist(X, X[[0, 1, *taken]]).min(axis=1)
        if len(taken) % 3 == 0:
            np.testing.assert_allclose(ranking.distances, expected, atol=1e-3)


def test_k_center_is_that_of_scikit_activeml():
    skactiveml = pytest.importorskip("skactiveml.pool")
    X = rng().normal(size=(60, 3))
    y = np.full(60, np.nan)
    y[:4] = 0
    theirs = skactiveml.CoreSet(random_state=0).query(X, y, batch_size=6)
    ours = KCenter().select(Pool(embedding=X[4:], labeled_embedding=X[:4]), 6)
    assert [pick.index + 4 for pick in ours] == theirs.tolist()


def test_k_center_keeps_away_from_open_questions_too():
    pool = Pool(embedding=blobs(), labeled_embedding=blobs()[:1], open_embedding=blobs()[50:51])
    assert cluster(KCenter().select(pool, 1)[0].index) == 1


def test_k_center_holds_far_from_the_origin():
    X = blobs() + 1e4
    picks = KCenter().select(Pool(embedding=X, labeled_embedding=X[:1]), 2)
    assert {cluster(pick.index) for pick in picks} == {1, 2}


@pytest.mark.parametrize("strategy", [KCenter(), KMeans(), Badge(), TypiClust(), Density(), RankedBatch()], ids=repr)
def test_sparse_embeddings_give_the_same_as_dense_ones(strategy):
    dense = np.abs(rng().normal(size=(40, 5))).astype(np.float32) * (rng(1).random((40, 5)) < 0.5)
    labeled = np.eye(5, dtype=np.float32)[:3]
    same = full_pool(embedding=dense, labeled_embedding=labeled, open_embedding=None)
    sparse = full_pool(embedding=csr_matrix(dense), labeled_embedding=csr_matrix(labeled), open_embedding=None)
    np.testing.assert_allclose(strategy.score(sparse, rng()), strategy.score(same, rng()), atol=1e-4)
    assert len(strategy.select(sparse, 7, rng())) == 7


@pytest.mark.parametrize("strategy", [TypiClust(), KMeans()], ids=repr)
def test_each_cluster_is_asked_once(strategy):
    picks = strategy.select(Pool(embedding=blobs()), 3, rng())
    assert {cluster(pick.index) for pick in picks} == {0, 1, 2}


@pytest.mark.parametrize("strategy", [TypiClust(), KMeans()], ids=repr)
def test_clusters_with_labels_wait(strategy):
    X = blobs()
    picks = strategy.select(Pool(embedding=X, labeled_embedding=X[:1], labels=[0]), 2, rng())
    assert {cluster(pick.index) for pick in picks} == {1, 2}


def test_typiclust_takes_the_middle_of_a_cluster_not_its_rim():
    X = blobs((40,), spread=1.0)
    [pick] = TypiClust().select(Pool(embedding=X), 1, rng())
    distance = np.linalg.norm(X - X.mean(axis=0), axis=1)
    assert distance[pick.index] < np.quantile(distance, 0.25)


def test_badge_distances_are_those_of_the_full_gradients():
    from strategies.gradients import _Gradients

    X, proba = rng().normal(size=(30, 4)).astype(np.float32), simplex(rng(1), 30, 3)
    gradients = _Gradients(Pool(embedding=X, proba=proba))
    a = proba - np.eye(3)[proba.argmax(axis=1)]
    full = np.einsum("nk,nd->nkd", a, np.hstack([X, np.ones((30, 1))])).reshape(30, -1)
    np.testing.assert_allclose(gradients.squared, (full**2).sum(axis=1), rtol=1e-4)
    for index in (3, 17):
        gradients.add(index)
    np.testing.assert_allclose(gradients.squared, (cdist(full, full[[3, 17]]) ** 2).min(axis=1), atol=1e-4)


def test_badge_never_repeats_itself_even_among_copies():
    X = np.repeat(rng().normal(size=(5, 3)), 20, axis=0)
    proba = np.repeat(simplex(rng(1), 5, 3), 20, axis=0)
    for seed in range(20):
        picks = Badge().select(Pool(embedding=X, proba=proba), 50, rng(seed))
        assert len({pick.index for pick in picks}) == 50


def test_badge_starts_with_the_longest_gradient_and_says_how_likely_the_others_were():
    pool = full_pool()
    picks = Badge().select(pool, 5, rng())
    assert picks[0].index == int(Badge().score(pool).argmax())
    assert all(0 < pick.probability < 1 for pick in picks[1:])


def test_density_prefers_the_crowd():
    X = np.vstack([np.tile([1.0, 0.1], (9, 1)), [[-1.0, 0.0]]])
    scores = Density(Entropy()).score(Pool(proba=np.full((10, 2), 0.5), embedding=X))
    assert scores[9] < scores[:9].min()


def test_ranked_batch_turns_from_novelty_to_uncertainty():
    proba = np.array([[0.5, 0.5], [0.99, 0.01]])
    X = np.array([[0.0], [9.0]])

    def first(alpha):
        pool = Pool(proba=proba, embedding=X, labeled_embedding=np.array([[0.0]]))
        return RankedBatch(Margin(), alpha=alpha).select(pool, 1)[0].index

    assert first(0.9) == 1
    assert first(0.1) == 0


def test_ranked_batch_keeps_its_parts():
    [pick] = RankedBatch(Margin()).select(full_pool(), 1, rng())
    assert set(pick.parts) == {"novelty", "Margin"}


def test_nearest_is_the_nearest_by_brute_force():
    X, others = rng().normal(size=(70, 3)).astype(np.float32), rng(1).normal(size=(600, 3)).astype(np.float32)
    distance, which = nearest(X, squared_norms(X), others)
    full = cdist(X, others)
    np.testing.assert_array_equal(which, full.argmin(axis=1))
    np.testing.assert_allclose(np.sqrt(distance), full.min(axis=1), atol=1e-3)
    np.testing.assert_allclose(np.sqrt(nearest_distance(X, squared_norms(X), others)), full.min(axis=1), atol=1e-3)


def test_k_means_finds_separate_clusters_and_copes_with_copies():
    centers = k_means(blobs(), 3, rng())
    assert sorted(np.round(centers.mean(axis=1) / 5).astype(int).tolist()) == [0, 1, 2]
    assert len(k_means(np.ones((10, 2), dtype=np.float32), 4, rng())) == 1


@pytest.mark.parametrize("labeled", [0, 50], ids=["nothing labeled", "some labeled"])
def test_a_large_batch_of_k_center_is_that_of_the_plain_loop(labeled):
    rng = np.random.default_rng(3)
    X = rng.integers(0, 40, size=(3_000, 6)).astype(np.float32)
    X[2_000:] = X[:1_000]
    pool = Pool(embedding=X, labeled_embedding=X[:labeled] if labeled else None, key=np.arange(3_000))
    picks = [pick.index for pick in KCenter().select(pool, 2_200)]
    distance = np.full(3_000, np.inf)
    for row in X[:labeled]:
        distance = np.minimum(distance, ((X - row) ** 2).sum(axis=1))
    for pick in picks[:1_900]:
        assert distance[pick] == pytest.approx(distance.max())
        distance = np.minimum(distance, ((X - X[pick]) ** 2).sum(axis=1))
    assert len(set(picks)) == 2_200
