"""Every classifier of scikit-learn, and what people build of them, as the end model of a loop, over both databases."""

import json
import re
import shutil
import warnings

import polars as pl
import pytest
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils import all_estimators

from labeling import Project, SklearnClassifier, serialization
from strategies import Margin
from tests.databases import postgres_database
from tests.labeling.estimator_cases import LEFT_OUT, UNTRAINED, classifiers, compositions
from tests.labeling.processes import finish, start

VIEWS = {"text": ("text",), "numbers": ("x", "y")}

REOPEN = """
import json, sys, warnings
# Of classifiers that scikit-learn will drop.
warnings.simplefilter("ignore", FutureWarning)
from labeling import Project, serialization
project = Project.open("p", storage=sys.argv[1])
for info in project.loops():
    loop = project.pool_loop(info.name)
    print(json.dumps([info.name, serialization.dump(loop._settings.classifier), loop.newest.round]))
"""


def cases():
    """A classifier for each loop, made anew."""
    with warnings.catch_warnings():
        # Of classifiers that scikit-learn will drop.
        warnings.simplefilter("ignore", FutureWarning)
        made = classifiers() | {f"composed: {name}": each for name, each in compositions().items()}
    return {
        f"{name} of {view}": SklearnClassifier(estimator, columns=columns)
        for name, estimator in made.items()
        for view, columns in VIEWS.items()
    }


CASES = cases()


def items():
    """Every second item says yes, by its words and by its numbers; one number is missing."""
    return pl.DataFrame(
        {
            "text": [f"{'beta' if n % 2 else 'alpha'} {'gamma' if n % 3 else 'delta'}" for n in range(200)],
            "x": [n / 50 - 10.0 * (n % 2) for n in range(200)],
            "y": [None if n == 3 else n % 5 - 1.0 for n in range(200)],
        }
    )


def answer(loop, n):
    for query in loop.ask("ann", n):
        loop.tell(query, truth(query.item["text"]))


def truth(text):
    return "yes" if "alpha" in text else "no"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request, tmp_path_factory):
    """A database of each kind."""
    if request.param == "postgres":
        server, template = (request.getfixturevalue(f"postgres_{each}") for each in ("server", "template"))
        with postgres_database(server, template) as made:
            yield made
    else:
        path = tmp_path_factory.mktemp("walk") / "work.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"


@pytest.fixture(scope="module")
def walked(url):
    """What a loop with each classifier came to: its newest refit, or the error that stopped it."""
    project = Project.create("p", labels=["no", "yes"], storage=url)
    project.add_items(items())
    answer(project.pool_loop("first", strategy=Margin(), seed=1), 16)
    came_to = {}
    for name, classifier in CASES.items():
        with warnings.catch_warnings():
            # What scikit-learn says of its own settings and of few answers; what cannot be trained is looked at below.
            warnings.simplefilter("ignore")
            try:
                loop = project.pool_loop(name, strategy=Margin(), classifier=classifier, batch_size=1, seed=1)
                answer(loop, 1)
                came_to[name] = loop.refit()
            except Exception as error:  # noqa: BLE001 - a test for each says which
                came_to[name] = error
    return project, came_to


@pytest.fixture(scope="module")
def made_again():
    """Classifiers that equal those of the loops and are others: each is looked at once a database, none is trained."""
    return cases()


@pytest.fixture(scope="module")
def reopened(walked):
    """What another process finds under the name of each loop: its classifier, its round."""
    lines = finish(start(REOPEN, walked[0].ledger.full_url)).splitlines()
    return {name: found for name, *found in map(json.loads, lines)}


@pytest.mark.parametrize("name", CASES)
def test_a_loop_with_any_classifier_learns_or_says_why_not(walked, name):
    refit = walked[1][name]
    assert not isinstance(refit, Exception), repr(refit)
    hints = [hint for pattern, hint in UNTRAINED.items() if re.fullmatch(pattern, name)]
    assert refit.metrics["trained"] == (not hints), refit.notes
    for hint in hints:
        assert "No model yet, questions are chosen without one." in refit.notes[0]
        assert re.search(hint, refit.notes[0])


@pytest.mark.parametrize("name", CASES)
def test_a_loop_made_again_with_equal_settings_is_the_same(walked, made_again, name):
    again = walked[0].pool_loop(name, strategy=Margin(), classifier=made_again[name], batch_size=1, seed=1)
    assert again.newest.round == walked[1][name].round


@pytest.mark.parametrize("name", CASES)
def test_a_loop_opened_by_name_in_another_process_has_the_same_classifier(walked, reopened, name):
    assert reopened[name] == [serialization.dump(CASES[name]), walked[1][name].round]


@pytest.mark.parametrize("name", CASES)
def test_another_setting_is_refused(walked, name):
    other = SklearnClassifier(CASES[name].estimator, dense=True)
    with pytest.raises(ValueError, match="was made with classifier = SklearnClassifier"):
        walked[0].pool_loop(name, strategy=Margin(), classifier=other)


@pytest.mark.parametrize("name", LEFT_OUT)
def test_those_left_out_are_refused_where_they_are_made(name):
    estimator = dict(all_estimators("classifier"))[name](LogisticRegression())
    with pytest.raises(TypeError, match=re.escape(LEFT_OUT[name])):
        SklearnClassifier(estimator)


def test_a_voting_by_heads_is_refused_with_the_setting_that_helps():
    with pytest.raises(TypeError, match=r"neither predict_proba nor decision_function.*voting='soft'"):
        SklearnClassifier(VotingClassifier([("a", LogisticRegression())]))
