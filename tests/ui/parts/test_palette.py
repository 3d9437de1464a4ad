"""Colours that can be read in both modes, and keys that can be had."""

from __future__ import annotations

import re
import tomllib
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.parts.palette import ACTION_KEYS, HUES, RESERVED_KEYS, action_keys, assign_keys, hue

ROOT = Path(__file__).parents[3]
THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
CSS = (ROOT / "ui" / "theme" / "tally.css").read_text(encoding="utf-8")


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_21_for_black_on_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("colour", ["textColor", "primaryColor", "linkColor"])
@pytest.mark.parametrize("ground", ["backgroundColor", "secondaryBackgroundColor"])
def test_text_on_the_page_passes_aa(mode: str, colour: str, ground: str) -> None:
    assert contrast(THEME[mode][colour], THEME[mode][ground]) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_class_colours_pass_aa_on_the_page_and_under_their_keys(mode: str) -> None:
    ground = THEME[mode]["backgroundColor"]
    on_colour = "#ffffff" if mode == "light" else "#17191b"
    for colours in HUES:
        assert contrast(getattr(colours, mode), ground) >= 4.5
        assert contrast(getattr(colours, mode), on_colour) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_muted_and_signal_colours_pass_aa(mode: str) -> None:
    pairs = re.findall(r"--tally-(?:muted|good|warn|bad|accent): light-dark\((#\w+), (#\w+)\)", CSS)
    assert len(pairs) == 5
    for pair in pairs:
        assert contrast(pair[mode == "dark"], THEME[mode]["secondaryBackgroundColor"]) >= 4.5


def test_stylesheet_and_palette_name_the_same_hues() -> None:
    for position, colours in enumerate(HUES):
        assert f'answer-hue{position}"] {{ --hue: {colours.css}; }}' in CSS


def test_nothing_in_the_theme_is_fetched() -> None:
    assert "http" not in (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert "http" not in CSS
    assert "@import" not in CSS


def test_neighbouring_classes_differ() -> None:
    assert all(one != other for one, other in combinations([hue(n) for n in range(len(HUES))], 2))


@given(st.lists(st.one_of(st.none(), st.text(max_size=2)), max_size=15))
def test_no_key_chooses_two_labels_and_none_is_reserved(wanted: list[str | None]) -> None:
    given_keys = [key for key in assign_keys(wanted) if key is not None]
    assert len(given_keys) == len(set(given_keys))
    assert not set(given_keys) & RESERVED_KEYS
    actions = [key for key in action_keys(given_keys).values() if key]
    assert not set(actions) & set(given_keys)
    assert set(actions) <= set(ACTION_KEYS.values())


def test_a_label_keeps_the_key_it_asks_for() -> None:
    assert assign_keys(["O", "o", "r", "é", None]) == ["o", "1", "2", "3", "4"]
