from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from labeling import PictureClassifier, Project
from labeling.demo.digits import LOOP, create_digits, draw, make_digits


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return create_digits(f"sqlite:///{tmp_path_factory.mktemp('digits') / 'demo.db'}", pictures=300)


def test_every_digit_is_one_key(digits: Project) -> None:
    assert [(label.name, label.key) for label in digits.classes] == [(each, each) for each in "0123456789"]


def test_some_are_held_out_and_nothing_is_labeled(digits: Project) -> None:
    assert digits.status().items == 300
    assert digits.status().holdout == 90
    assert digits.labels().height == 0


def test_a_picture_is_the_digit_enlarged_dark_on_white() -> None:
    pixels = load_digits().images[0]
    with Image.open(io.BytesIO(draw(pixels))) as picture:
        assert picture.size == (160, 160)
        grey = np.asarray(picture.convert("L").resize((8, 8), Image.Resampling.BOX), dtype=float)
    assert np.corrcoef(grey.ravel(), 16 - pixels.ravel())[0, 1] > 0.98


def test_all_of_scikit_learns_digits_are_there() -> None:
    frame = make_digits()
    assert frame.height == 1797
    assert frame["truth"].to_list() == [str(label) for label in load_digits().target]
    assert frame["id"].n_unique() == 1797
    assert frame["picture"].bin.size().max() < 4_000


def test_making_it_again_changes_nothing(digits: Project) -> None:
    before = digits.version()
    assert create_digits(digits.storage, pictures=300).version() == before


def test_a_network_with_dropout_asks_and_learns(digits: Project) -> None:
    pytest.importorskip("torch")
    loop = digits.pool_loop(LOOP)
    assert isinstance(loop._settings.classifier, PictureClassifier)
    truth = dict(digits.labels(source="gold").select("item_id", "label").iter_rows())
    while loop.progress().answered < 60:
        for query in loop.ask(annotator="ann", n=30):
            assert query.item["picture"]
            loop.tell(query, truth[query.item_id])
        loop.refit()
    assert loop.history()["accuracy"].to_list()[-1] > 0.6
