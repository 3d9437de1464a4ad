from __future__ import annotations

import polars as pl
import pytest

from labeling.demo.posts import grammar, make_posts


@pytest.fixture(scope="module")
def posts() -> pl.DataFrame:
    return make_posts()


def test_the_same_seed_makes_the_same_posts(posts: pl.DataFrame) -> None:
    assert make_posts().equals(posts)
    assert not make_posts(seed=8)["text"].equals(posts["text"])


def test_three_thousand_posts_have_their_own_id_and_come_in_order(posts: pl.DataFrame) -> None:
    assert posts.height == 3000
    assert posts["id"].n_unique() == 3000
    assert posts["posted_at"].is_sorted()


def test_every_class_is_there_in_its_share(posts: pl.DataFrame) -> None:
    shares = {row["truth"]: row["len"] / posts.height for row in posts.group_by("truth").len().iter_rows(named=True)}
    assert shares["ok"] == pytest.approx(0.66, abs=0.05)
    assert shares["offensive"] == pytest.approx(0.22, abs=0.04)
    assert shares["spam"] == pytest.approx(0.12, abs=0.04)


def test_one_post_in_twenty_is_spanish(posts: pl.DataFrame) -> None:
    spanish = posts["text"].str.contains(r"(?i)\b(el|la|los|qué|eres|gracias|gana|oferta|sígueme|das|cállate)\b")
    assert 0.03 < spanish.mean() < 0.07


def test_some_posts_were_sent_twice_and_most_were_not(posts: pl.DataFrame) -> None:
    without_id = posts.drop("id")
    assert posts.height - without_id.n_unique() == pytest.approx(45, abs=5)


def test_nothing_is_left_of_the_grammar(posts: pl.DataFrame) -> None:
    assert posts.filter(pl.col("text").str.contains(r"[{}]")).is_empty()
    assert posts["text"].str.len_chars().min() > 5


def test_every_rule_of_the_grammar_is_in_use() -> None:
    rules = grammar()
    texts = " ".join(text for topic in rules.values() for options in topic.values() for text in options)
    roots = {"own", "talk", "tricky", "opener", "closer", "nick", "insult_direct", "insult_group", "insult_quiet",
             "insult_hidden", "spam_loud", "spam_quiet", "es_ok", "es_offensive", "es_spam"}  # fmt: skip
    names = {name for topic in rules.values() for name in topic}
    assert {name for name in names if "{" + name + "}" not in texts} <= roots


def test_no_two_neighbours_share_their_words(posts: pl.DataFrame) -> None:
    starts = posts.filter(pl.col("truth") == "ok")["text"].str.to_lowercase().str.slice(0, 40)
    assert starts.n_unique() / len(starts) > 0.75
