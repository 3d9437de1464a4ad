"""The first demo project: a community forum that does not exist, with twenty people's opinion on it."""

from __future__ import annotations

from labeling import LabelBudget, MajorityVote, Project, TargetScore, TextClassifier, default_storage
from labeling.demo.experts import demo_functions
from labeling.demo.posts import make_posts
from strategies import Margin

NAME = "demo"
DESCRIPTION = (
    "Six weeks of a community forum that does not exist: about 3,000 generated posts, 5 % of them Spanish, and the "
    "rules of 20 experts. The truth about each post is known, so every page has something to show."
)
LABELS = {
    "ok": "Fine to stay: on topic or off, polite or grumpy, jokes about oneself, anger at things.",
    "offensive": "Insults or threatens somebody, or a group, openly or between the lines.",
    "spam": "Sells, recruits or collects clicks, loudly or in the tone of a neighbour.",
}
LOOP = "first questions"


def create_demo(storage: str | None = None, *, posts: int = 3000) -> Project:
    """Make the demo project, ready to label; one that is there already is opened as it is.

    An interrupted run is taken up where it stopped: no step is done twice.

    Parameters
    ----------
    storage
        URL of the database; None: the default storage.
    posts
        How many posts to make.
    """
    project = Project.create(
        NAME, labels=list(LABELS), storage=storage or default_storage(), exist_ok=True, description=DESCRIPTION
    )
    if _is_complete(project):
        return project
    for label in project.classes:
        if label.name in LABELS and label.definition != LABELS[label.name]:
            project.describe_label(label.name, LABELS[label.name])
    project.add_items(
        make_posts(posts), text="text", id="id", gold="truth", group="author", name="demo posts", progress=False
    )
    project.set_holdout(fraction=0.3, seed=1)
    project.add_functions(demo_functions())
    project.weak_label(MajorityVote(by="expert", threshold=0.1, otherwise="ok"))
    project.pool_loop(
        LOOP,
        strategy=Margin(),
        classifier=TextClassifier(),
        batch_size=20,
        seed=1,
        stop=[LabelBudget(400), TargetScore("f1_macro", 0.95)],
    )
    return project


def _is_complete(project: Project) -> bool:
    """The loop is made last."""
    return any(loop.name == LOOP for loop in project.loops())
