"""Sentence embeddings by a small model that is made here, with weights drawn by seed."""

import sqlite3
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from labeling import EmbeddingClassifier, Project, TableClassifier, Tuned, serialization
from labeling.classifiers import embeddings
from labeling.classifiers.embeddings import check_folder, encode, fingerprint
from labeling.classifiers.text_and_tables import TextClassifier
from storage import ContentCache, cache_file
from strategies import KCenter

WORDS = ["good", "bad", "day", "food", "night", "tea"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("models")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=11, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
        )
        BertModel(config).save_pretrained(folder / "bert")
    BertTokenizerFast(vocab={word: place for place, word in enumerate(vocabulary)}).save_pretrained(folder / "bert")
    transformer = modules.Transformer(str(folder / "bert"))
    SentenceTransformer(modules=[transformer, modules.Pooling(16)], device="cpu").save(str(folder / "small"))
    return str(folder / "small")


@pytest.fixture
def encoded(monkeypatch):
    """Every text that was embedded, in order."""
    seen = []

    def spy(model, sentences):
        seen.extend(sentences)
        return encode(model, sentences)

    monkeypatch.setattr(embeddings, "encode", spy)
    return seen


def frame(*rows):
    return pl.DataFrame({"text": list(rows)}, schema={"text": pl.String()})


def test_vectors_have_length_one_and_equal_texts_equal_vectors(model):
    X = EmbeddingClassifier(model).featurize(frame("good day", "bad day", "good day", None, ""), text="text")
    assert X.shape == (5, 16)
    assert X.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(X[0], X[2])
    np.testing.assert_array_equal(X[3], X[4])
    assert np.abs(X[0] - X[1]).max() > 1e-3


def test_no_rows_have_no_vectors_of_the_same_width(model):
    assert EmbeddingClassifier(model).featurize(frame(), text="text").shape == (0, 16)


def test_a_text_is_embedded_once_also_by_another_process_of_the_same_file(model, encoded, tmp_path):
    classifier = EmbeddingClassifier(model, cache=str(tmp_path / "cache"))
    first = classifier.featurize(frame("good day", "bad day", "good day"), text="text")
    again = classifier.featurize(frame("bad day", "good food", "good day"), text="text")
    assert sorted(encoded) == ["bad day", "good day", "good food"]
    np.testing.assert_array_equal(first[[1, 0]], again[[0, 2]])


def test_another_model_never_gets_the_vectors_of_this_one(model, encoded, tmp_path):
    import shutil

    from safetensors.numpy import load_file, save_file

    other = tmp_path / "other"
    shutil.copytree(model, other)
    weights = next(other.rglob("*.safetensors"))
    save_file({name: array * 1.5 for name, array in load_file(weights).items()}, weights, {"format": "pt"})
    assert fingerprint(str(other)) != fingerprint(model)
    cache = str(tmp_path / "cache")
    ours = EmbeddingClassifier(model, cache=cache).featurize(frame("good day"), text="text")
    theirs = EmbeddingClassifier(str(other), cache=cache).featurize(frame("good day"), text="text")
    assert encoded == ["good day", "good day"]
    assert np.abs(ours - theirs).max() > 1e-4


def test_a_damaged_cache_costs_time_and_nothing_else(model, tmp_path):
    damaged = tmp_path / "cache"
    damaged.write_bytes(b"not a database" * 100)
    X = EmbeddingClassifier(model, cache=str(damaged)).featurize(frame("good day"), text="text")
    np.testing.assert_array_equal(X, EmbeddingClassifier(model).featurize(frame("good day"), text="text"))


def test_a_loop_learns_from_embeddings_and_keeps_them_beside_the_database(model, encoded, tmp_path):
    url = f"sqlite:///{tmp_path}/work.db"
    project = Project.create("p", ["ok", "bad"], storage=url)
    rows = [f"{a} {b} {c}" for a in WORDS for b in WORDS for c in ("tea", "day")]
    project.add_items(pl.DataFrame({"text": rows}))
    classifier = Tuned(EmbeddingClassifier(model, TableClassifier(C=10.0)), parameter="cache", values=(None,))
    loop = project.pool_loop("l", strategy=KCenter(), classifier=classifier, batch_size=6)
    for query in loop.ask("ann"):
        loop.tell(query, "bad" if "bad" in query.item["text"] else "ok")
    loop.refit()
    assert loop.history()["labels"].to_list() == [6]
    assert sorted(encoded) == sorted(set(rows))
    with sqlite3.connect(tmp_path / "work.db.embeddings") as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (len(set(rows)),)
    again = Project.open("p", storage=url).pool_loop("l")
    assert again._settings.classifier == classifier


def test_it_is_stored_as_text_without_the_place_of_its_cache(model):
    classifier = EmbeddingClassifier(model)
    classifier.beside(Path("somewhere"))
    assert serialization.load(serialization.dump(classifier)) == classifier
    assert classifier.cache is None


def test_who_keeps_nothing_stays_where_he_is():
    assert TextClassifier().beside(Path("somewhere")) == TextClassifier()


def test_a_folder_without_a_model_is_refused_and_nothing_is_downloaded(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"needs modules\.json or config\.json"):
        EmbeddingClassifier("sentence-transformers/all-MiniLM-L6-v2").featurize(frame("a"), text="text")
    with pytest.raises(FileNotFoundError, match="nothing is downloaded"):
        check_folder(str(tmp_path))


def test_pickled_weights_are_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ValueError, match="pickled weights, which can run code"):
        check_folder(str(tmp_path))


def test_a_cache_keeps_the_first_value_and_returns_what_it_has(tmp_path):
    cache = ContentCache(tmp_path / "cache")
    assert cache.get([b"a"]) == {}
    cache.put({b"%d" % n: b"x" for n in range(1200)})
    cache.put([(b"1", b"other"), (b"new", b"y")])
    assert cache.get([b"1", b"new", b"nothing"]) == {b"1": b"x", b"new": b"y"}
    assert len(cache.get([b"%d" % n for n in range(1300)])) == 1200


def test_without_a_folder_for_it_a_cache_keeps_nothing(tmp_path):
    cache = ContentCache(tmp_path / "gone" / "cache")
    cache.put({b"a": b"b"})
    assert cache.get([b"a"]) == {}


def test_databases_on_a_server_share_a_file_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("LABELING_CACHE", str(tmp_path / "cache"))
    assert cache_file("postgresql+psycopg://host/db", "embeddings") == tmp_path / "cache" / "embeddings.sqlite"
    assert (tmp_path / "cache").is_dir()
