"""Twenty people who know the community, and the two to four rules each of them wrote down in a minute."""

from __future__ import annotations

from typing import Any

import polars as pl

from labeling.functions.makers import ABSTAIN, LabelingFunction, comparison, keyword, labeling_function, regex, when


def demo_functions() -> list[LabelingFunction]:
    """Return the rules of all twenty, careful and careless ones alike.

    Examples
    --------
    >>> functions = demo_functions()
    >>> len({function.expert for function in functions})
    20
    """
    return [*_about_insults(), *_about_spam(), *_about_manners()]


def _about_insults() -> list[LabelingFunction]:
    text = pl.col("text")
    letters = text.str.replace_all(r"[^\p{L}]", "")
    return [
        keyword("names", ["idiot", "moron", "clown", "loser", "fool"], "offensive", expert="Amira"),
        regex(
            "you_are_a", r"(?i)\b(you|u)( are|'re| r) (such )?(an?|the|too|just as|all)\b", "offensive", expert="Amira"
        ),
        keyword("thanks", ["thank you", "thanks", "cheers", "appreciated"], "ok", expert="Amira"),
        regex(
            "plural_names",
            r"(?i)\b(idiots|morons|clowns|losers|parasites|cowards|rats|pigs)\b",
            "offensive",
            expert="Ben",
        ),
        regex("shut_up", r"(?i)\b(shut up|stfu|get lost|nobody asked|go cry)\b", "offensive", expert="Ben"),
        keyword("stupid_words", ["stupid", "dumb", "pathetic", "ridiculous"], "offensive", expert="Chiara"),
        keyword("garbage", ["garbage", "trash", "waste"], "offensive", expert="Chiara"),
        keyword("hate", ["hate", "kill", "ashamed", "disgusting"], "offensive", expert="Dmitri"),
        keyword("typical", ["typical", "your lot", "people like you", "the lot of them"], "offensive", expert="Dmitri"),
        keyword("love", ["love", "happy", "proud"], "ok", expert="Dmitri"),
        regex(
            "insult_at_somebody",
            r"(?i)\b(you|u|@\w+)\W.{0,40}\b(idiot|moron|clown|loser|muppet|fool|dimwit|halfwit|parasite|coward|pig|rat|brat)",
            "offensive",
            expert="Esther",
        ),
        regex(
            "digits_in_insults", r"(?i)\b([1i]d[1i]0?[o0]t|m0ron|mor0n|cl0wn|l0ser|1d10t)", "offensive", expert="Esther"
        ),
        keyword(
            "rare_insults",
            ["muppet", "numpty", "halfwit", "dimwit", "twit", "cretin", "numbskull", "donkey", "brat", "weirdo"],
            "offensive",
            expert="Farid",
        ),
        keyword("brains", ["brain-dead", "braindead", "brainless", "brains", "cerebro"], "offensive", expert="Farid"),
        regex(
            "masked_insults", r"(?i)[a-z][@$*][a-z@$]|\b[a-z](\.[a-z]){3,}|\b([a-z] ){4,}", "offensive", expert="Gwen"
        ),
        regex(
            "how_dumb",
            r"(?i)\b(how|too|so|what an?|such an?) (stupid|dumb|ignorant|useless|thick|vile|ugly|idiot)",
            "offensive",
            expert="Gwen",
        ),
        regex("spanish_insults", r"(?i)\b(idiota|payaso|imb[eé]cil|est[uú]pido)", "offensive", expert="Hugo"),
        regex("spanish_commands", r"(?i)\b(c[aá]llate|l[aá]rgate|vete|das asco)\b", "offensive", expert="Hugo"),
        keyword("spanish_thanks", ["gracias", "hola", "perdón"], "ok", expert="Hugo"),
        regex(
            "stay_home",
            r"(?i)\b(stay home|stay away|crawl(ed)?|get out|banned|delete your account)\b",
            "offensive",
            expert="Ines",
        ),
        regex("family_jokes", r"(?i)\byour (mum|mother|family|children|dad|sister|face)\b", "offensive", expert="Ines"),
        when(
            "shouting",
            (letters.str.len_chars() > 15) & (letters.str.to_uppercase() == letters),
            "offensive",
            expert="Jonas",
        ),
        regex("many_exclamation_marks", r"!!!", "offensive", expert="Jonas"),
        regex("angry_faces", r"🤡|💩|🤮|👎|😤", "offensive", expert="Jonas"),
    ]


def _about_spam() -> list[LabelingFunction]:
    text = pl.col("text")

    @labeling_function(expert="Oskar", labels=["spam"])
    def only_a_link(row: dict[str, Any]) -> object:
        words = row["text"].split()
        links = [word for word in words if "example" in word]
        return "spam" if links and len(words) < 10 else ABSTAIN

    return [
        regex("money", r"(?i)[$€£] ?\d|\b\d+ dollars\b|\btwo grand\b", "spam", expert="Kofi"),
        keyword("earn", ["earn", "income", "profit", "loan", "bitcoin", "casino", "invest"], "spam", expert="Kofi"),
        keyword(
            "urgent",
            ["act now", "only today", "last chance", "hurry up", "click here", "order now", "limited"],
            "spam",
            expert="Lena",
        ),
        regex("percent_off", r"(?i)\d ?%( off| de descuento)|percent off|half price", "spam", expert="Lena"),
        regex("short_domains", r"(?i)\b(bit-\d|t\d\.example|www\.)|\bdot example\b", "spam", expert="Marek"),
        regex("any_link", r"(?i)https?://", "spam", expert="Marek"),
        keyword("free", ["free", "gratis", "giveaway", "win", "won"], "spam", expert="Nadia"),
        keyword(
            "goods",
            ["watches", "gummies", "followers", "prescription", "slim", "replica", "bot"],
            "spam",
            expert="Nadia",
        ),
        only_a_link,
        when("loud_and_linked", text.str.contains("example") & text.str.contains("!"), "spam", expert="Oskar"),
        keyword(
            "write_to_me",
            ["dm me", "inbox me", "message me", "whatsapp", "telegram", "link in bio", "my profile", "write to me"],
            "spam",
            expert="Petra",
        ),
        keyword("code", ["code", "newsletter", "channel", "catalogue", "mentor"], "spam", expert="Petra"),
        regex("official_pages", r"(?i)https?://(library|townhall|wiki|club|photos)\.", "ok", expert="Petra"),
    ]


def _about_manners() -> list[LabelingFunction]:
    text = pl.col("text")
    return [
        comparison("voted_down", "upvotes", "<=", -4, "offensive", expert="Quinn"),
        comparison("well_liked", "upvotes", ">=", 12, "ok", expert="Quinn"),
        comparison("heated_thread", "replies", ">=", 5, "offensive", expert="Quinn"),
        regex("question", r"\?\s*$", "ok", expert="Rosa"),
        keyword("about_me", ["i'm", "my", "i finally", "we should"], "ok", expert="Rosa"),
        comparison("long_posts", None, "longer_than", 160, "ok", expert="Rosa"),
        keyword(
            "polite",
            ["please", "respectfully", "fair point", "i think", "sorry", "hope that helps"],
            "ok",
            expert="Samir",
        ),
        keyword(
            "insults_i_saw",
            ["idiot", "moron", "liars", "thieves", "sheep", "animals", "creep"],
            "offensive",
            expert="Samir",
        ),
        when(
            "short_and_pointed",
            (text.str.len_chars() < 45) & text.str.contains(r"(?i)\b(you|your|u)\b"),
            "offensive",
            expert="Tove",
        ),
        keyword("called_genius", ["genius", "princess", "sunshine", "buddy"], "offensive", expert="Tove"),
        keyword(
            "everyday", ["yesterday", "on sunday", "last weekend", "this morning", "at lunch"], "ok", expert="Tove"
        ),
    ]
