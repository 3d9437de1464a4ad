import pytest
from sklearn.linear_model import LogisticRegression

from labeling import LabelBudget, MajorityVote
from labeling.specs import UnknownClass, describe, dump, load
from strategies import Entropy, Margin


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.5, "a", Entropy(), LabelBudget(7), 0.7 * Entropy() + 0.3 * Margin(), MajorityVote(threshold=0.3)],
    ids=repr,
)
def test_what_is_stored_comes_back_equal(value):
    assert load(dump(value)) == value


def test_a_classifier_of_scikit_learn_comes_back_with_its_parameters():
    loaded = load(dump(LogisticRegression(C=0.25)))
    assert isinstance(loaded, LogisticRegression)
    assert loaded.C == 0.25


@pytest.mark.parametrize(
    "name", ["os.system", "subprocess.Popen", "strategies.base", "labeling.Project.open", "sklearn.os"]
)
def test_a_name_in_a_database_never_decides_what_is_imported(name):
    with pytest.raises(UnknownClass, match="Pass the object again"):
        load({"class": name, "params": {}})


def test_a_description_names_what_differs_from_the_defaults():
    assert describe(dump(MajorityVote())) == "MajorityVote"
    assert describe(dump(MajorityVote(threshold=0.3))) == "MajorityVote(threshold=0.3)"
    assert describe(dump([LabelBudget(5)])) == "[LabelBudget(labels=5)]"
