import polars as pl
import pytest

from labeling import Project, comparison, keyword, regex, when
from strategies import Entropy, OutlierGuard, Region

LABELS = ["ok", "offensive"]
TEXTS = [
    "the senate votes",
    "my cat sleeps",
    "Senate and election",
    "an election, at last",
    "cats and dogs",
    "what a long and dull day",
]
POLITICS = {1, 3, 4}


@pytest.fixture
def project(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    project.add_items(pl.DataFrame({"text": TEXTS, "n": range(6), "old": [True, False] * 3}), progress=False)
    return project


def politics():
    return keyword("politics", ["senate", "election"], label="any")


def first_asked(loop, n):
    return {query.item_id for query in loop.ask("ann", n)}


def test_a_loop_asks_in_a_saved_filter_first(project):
    project.save_filter("politics", politics())
    loop = project.pool_loop("l", strategy=Region("politics"), batch_size=3)
    assert first_asked(loop, 3) == POLITICS
    again = Project.open("p", storage=project.ledger.full_url)
    assert again.pool_loop("l").query(loop.ask("ann")[0].id).strategy == "Region(politics)"


def test_filters_are_rules_as_data_of_any_kind_and_label_nothing(project):
    project.save_filter("politics", politics())
    project.save_filter("plural", regex("plural", r"s\b", label="any"))
    project.save_filter("late", comparison("late", "n", ">=", 4, label="any"))
    found = Project.open("p", storage=project.ledger.full_url)
    assert [(info.name, info.kind) for info in found.filters()] == [
        ("late", "comparison"),
        ("plural", "regex"),
        ("politics", "keyword"),
    ]
    assert found.filtered("late")["item_id"].to_list() == [5, 6]
    assert set(found.filtered("politics")["item_id"]) == POLITICS
    assert found.functions() == []
    assert found.label_names == tuple(LABELS)


def test_a_filter_saved_again_is_replaced_and_a_new_ranking_follows(project):
    project.save_filter("f", politics())
    loop = project.pool_loop("l", strategy=Region("f"), batch_size=2)
    loop.refit()
    project.save_filter("f", keyword("f", ["cat", "cats"], label="any"))
    assert set(project.filtered("f")["item_id"]) == {2, 5}
    assert loop.refit().round == 1
    assert first_asked(loop, 2) == {2, 5}
    project.remove_filter("f")
    assert project.filters() == []
    with pytest.raises(LookupError, match="no filter 'f'; there are: none yet"):
        project.filtered("f")


def test_a_region_may_be_an_expression_that_is_passed_with_the_loop_each_time(project):
    long = {"long": pl.col("text").str.len_chars() > 18}
    loop = project.pool_loop("l", strategy=OutlierGuard(Region("long")), batch_size=3, regions=long)
    assert first_asked(loop, 3) == {3, 4, 6}
    again = Project.open("p", storage=project.ledger.full_url)
    with pytest.raises(LookupError, match=r"region 'long' of the loop 'l'.*never loaded.*regions=\{'long'"):
        again.pool_loop("l")
    assert again.pool_loop("l", regions=long).name == "l"
    with pytest.raises(ValueError, match="was made with regions"):
        again.pool_loop("l", regions={"long": pl.col("text").str.len_chars() > 19})


def test_an_expression_is_no_filter_and_code_is_never_stored(project):
    with pytest.raises(TypeError, match=r"never stored.*regions=\{'long'"):
        project.save_filter("long", pl.col("text").str.len_chars() > 18)
    with pytest.raises(TypeError, match="keyword"):
        project.save_filter("caps", when("caps", pl.col("text") == "X", label="ok"))
    assert project.filters() == []


def test_rules_and_columns_of_truth_values_are_regions_still(project):
    project.add_functions([keyword("insult", ["cat"], "offensive")])
    assert first_asked(project.pool_loop("rule", strategy=Region("insult"), batch_size=1), 1) == {2}
    other = project.pool_loop("column", strategy=Region("old"), batch_size=3)
    assert {query.item_id for query in other.ask("bo", 3)} == {1, 3, 5}


def test_a_name_or_a_column_that_cannot_be_is_refused(project):
    project.add_functions([keyword("insult", ["cat"], "offensive")])
    for taken in ("insult", "n"):
        with pytest.raises(ValueError, match="is the name of a labeling function or a column"):
            project.save_filter(taken, politics())
    with pytest.raises(ValueError, match="no column 'm'"):
        project.save_filter("f", comparison("f", "m", ">", 1, label="any"))
    with pytest.raises(ValueError, match="needs a name"):
        project.save_filter(" ", politics())
    project.save_filter("politics", politics())
    with pytest.raises(ValueError, match=r"no region 'politic'.*'politics', 'insult', 'old'.*regions="):
        project.pool_loop("l", strategy=Region("politic"))


@pytest.mark.parametrize("regions", [{"long": "text"}, [pl.col("n")]], ids=["text", "list"])
def test_regions_must_be_expressions_by_name(project, regions):
    with pytest.raises(TypeError, match="expression"):
        project.pool_loop("l", strategy=Entropy(), regions=regions)


def test_an_expression_must_say_true_or_false(project):
    loop = project.pool_loop("l", strategy=Region("n2"), regions={"n2": pl.col("n") * 2})
    with pytest.raises(ValueError, match="'n2' must give true or false"):
        loop.refit()
