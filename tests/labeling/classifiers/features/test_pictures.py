import io

import numpy as np
import polars as pl
import pytest
from PIL import Image

from labeling import (
    LabelBudget,
    NetworkClassifier,
    PictureClassifier,
    Project,
    TableClassifier,
    TextClassifier,
    simulate,
)
from labeling.classifiers.default import default_classifier
from labeling.classifiers.features.pictures import PictureFeatures, grey
from strategies import Margin, MCDropout, Random


def picture(pixels, kind="PNG"):
    content = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(content, kind)
    return content.getvalue()


def bars(n, seed=0):
    """Pictures with a bright bar that stands or lies, and the label of each."""
    rng = np.random.default_rng(seed)
    contents, labels = [], []
    for row in range(n):
        pixels = rng.integers(0, 60, size=(8, 8))
        place = rng.integers(1, 7)
        if row % 2:
            pixels[:, place] = 255
        else:
            pixels[place, :] = 255
        contents.append(picture(pixels))
        labels.append("upright" if row % 2 else "flat")
    return pl.DataFrame({"picture": contents, "label": labels})


def test_a_picture_becomes_grey_values_at_their_places():
    pixels = np.zeros((4, 4))
    pixels[0, 3] = 255
    small = grey(picture(pixels), 4).reshape(4, 4)
    assert small[0, 3] == 1.0
    assert small.sum() == 1.0


def test_colours_become_their_brightness():
    white = np.full((2, 2, 3), 255)
    np.testing.assert_allclose(grey(picture(white), 2), 1.0)


@pytest.mark.parametrize(
    "content", [b"", None, b"no picture", picture(np.full((64, 64), 200))[:60]], ids=["empty", "none", "text", "cut"]
)
def test_what_cannot_be_read_is_black(content):
    frame = pl.DataFrame({"p": [content]}, schema={"p": pl.Binary})
    assert not PictureFeatures("p").transform(frame).any()


@pytest.mark.parametrize("strategy", [Margin(), MCDropout("bald", samples=5)], ids=lambda strategy: strategy.name)
def test_a_project_of_pictures_learns_from_them(sqlite_url, strategy):
    project = Project.create("p", ["upright", "flat"], storage=sqlite_url)
    project.add_items(bars(80), image="picture", gold="label")
    project.set_holdout(0.4, seed=0)
    gold = dict(project.labels("gold").select("item_id", "label").iter_rows())
    loop = project.pool_loop("l", strategy=strategy, batch_size=16, stop=[LabelBudget(32)])
    assert isinstance(loop._settings.classifier, PictureClassifier if "MC" in strategy.name else TableClassifier)
    while not loop.done:
        for query in loop.ask("ann"):
            loop.tell(query, gold[query.item_id])
        loop.refit()
    assert loop.history()["accuracy"][-1] > 0.8


def test_texts_with_pictures_beside_them_are_read_as_texts(sqlite_url):
    project = Project.create("p", ["upright", "flat"], storage=sqlite_url)
    project.add_items(bars(6).with_columns(text=pl.lit("a bar ") + pl.col("label")), image="picture", text="text")
    loop = project.pool_loop("l", strategy=Random(), batch_size=3)
    assert isinstance(loop._settings.classifier, TextClassifier)
    for query in loop.ask("ann"):
        loop.tell(query, "flat")
    assert loop.refit().metrics["trained"]


def test_pictures_are_simulated():
    curves = simulate(bars(60), gold="label", strategies={"m": Margin()}, start=10, batch_size=10, rounds=2, seeds=[0])
    assert curves.frame()["accuracy"][-1] > 0.7


def test_a_column_of_numbers_beside_the_picture_is_learned_from_too():
    schema = {"picture": pl.Binary(), "height": pl.Float64()}
    assert isinstance(default_classifier(schema, MCDropout()), NetworkClassifier)
    assert isinstance(default_classifier({"picture": pl.Binary()}, MCDropout()), PictureClassifier)


def test_colours_are_kept_on_request_channel_by_channel():
    red = np.zeros((4, 4, 3))
    red[..., 0] = 255
    frame = pl.DataFrame({"p": [picture(red)]})
    values = PictureFeatures("p", side=4, colour=True).transform(frame).reshape(3, 16)
    np.testing.assert_array_equal(values, np.repeat([[1.0], [0.0], [0.0]], 16, axis=1))
