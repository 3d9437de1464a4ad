import numpy as np
import pytest

from strategies import Committee, Entropy, LabelConflict, NearErrors, Pool, Region
from strategies.evidence import vote_counts

VOTES = np.array([[0, 1, -1], [1, 1, 1], [-1, -1, -1], [0, 1, 2]], dtype=np.int8)


def test_conflict_worked_by_hand():
    expected = [np.log(2) / np.log(3), 0, 0.5, 1]
    np.testing.assert_allclose(LabelConflict().score(Pool(votes=VOTES, classes=3)), expected)


def test_silence_scores_what_it_is_told_to():
    assert LabelConflict(silent=0.2).score(Pool(votes=VOTES, classes=3))[2] == 0.2


def test_conflict_without_rules_is_zero():
    assert LabelConflict().score(Pool(key=range(3), classes=2)).tolist() == [0, 0, 0]
    assert LabelConflict().score(Pool(votes=np.empty((3, 0), dtype=np.int8), classes=2)).tolist() == [0, 0, 0]


def test_votes_are_counted_a_class():
    assert vote_counts(VOTES, 3).tolist() == [[1, 1, 0], [0, 3, 0], [0, 0, 0], [1, 1, 1]]


def test_near_errors_looks_where_the_model_was_wrong():
    X = np.array([[0.0, 0.1], [5.0, 5.1], [100.0, 100.0]])
    pool = Pool(embedding=X, labeled_embedding=np.array([[0.0, 0.0], [5.0, 5.0]]), cv_errors=[False, True])
    scores = NearErrors().score(pool)
    assert scores[1] > 0.5 > scores[0]
    assert scores[2] < 1e-6


def test_near_errors_without_errors_or_labels_is_zero():
    X = np.ones((3, 2))
    assert NearErrors().score(Pool(embedding=X)).tolist() == [0, 0, 0]
    nothing_wrong = Pool(embedding=X, labeled_embedding=np.ones((2, 2)), cv_errors=[False, False])
    assert NearErrors().score(nothing_wrong).tolist() == [0, 0, 0]


def test_near_errors_refuses_errors_of_other_items():
    pool = Pool(embedding=np.ones((3, 2)), labeled_embedding=np.ones((2, 2)), cv_errors=[True])
    with pytest.raises(ValueError, match="1 entries for 2 labeled"):
        NearErrors().score(pool)


def test_a_region_cuts_a_strategy_to_its_inside():
    pool = Pool(proba=np.full((3, 2), 0.5), regions={"spanish": [True, False, True]})
    assert Region("spanish", strategy=Entropy(), outside=0.25).score(pool).tolist() == [1, 0.25, 1]


def test_a_committee_that_agrees_scores_zero_and_one_split_in_half_scores_one():
    members = np.array([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])
    np.testing.assert_allclose(Committee().score(Pool(committee=members)), [0, 1])
    np.testing.assert_allclose(Committee("votes").score(Pool(committee=members)), [0, 1])


@pytest.mark.parametrize("measure", ["divergence", "votes"])
def test_committees_are_those_of_scikit_activeml(measure):
    skactiveml = pytest.importorskip("skactiveml.pool")
    members = np.random.default_rng(0).dirichlet(np.ones(3), size=(5, 40))
    ours = Committee(measure).score(Pool(committee=members)) * np.log(3)
    theirs = (
        skactiveml.average_kl_divergence(members)
        if measure == "divergence"
        else skactiveml.vote_entropy(members.argmax(axis=2).T, classes=[0, 1, 2])
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
