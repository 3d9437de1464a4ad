"""What the rules are worth: how right each is, which repeat one another, who contradicts whom, what they leave out."""

from __future__ import annotations

import polars as pl
import streamlit as st

from labeling import Project
from labeling.functions.rules import KINDS, TextRule, from_spec
from labeling.weak_labels.rule_report import Analysis
from ui.parts.charts import SILENT
from ui.parts.markup import chip, count, empty, escape, figures, mark_spans, notice, percent, plain, spans_of
from ui.rules import analysis_charts
from ui.rules import form as rule_form
from ui.rules.drafts import Draft
from ui.session import annotator, open_project, problems, storage

VIEW = "rules_view"
WRITE = "Rules"
_ROW = 36
_PAIRS = 200


def draw(project: Project) -> None:
    """Draw the analysis of a project's rules."""
    if not project.functions():
        empty("No rules to look at", "Write a few rules, or take some that are suggested: their worth is shown here.")
        return
    with problems("The rules cannot be analysed."):
        with st.spinner("Counting votes…", show_time=True):
            analysis = analysis_of(project)
            accuracy = analysis.accuracy()
        troubles(analysis)
        _worth(project, analysis, accuracy)
        st.space("small")
        with st.container(key="split-pairs"):
            left, right = st.columns([6, 5], gap="large")
        with left:
            _pairs(analysis)
        with right:
            _conflicts(analysis)
        st.space("small")
        _gaps(project)


def analysis_of(project: Project) -> Analysis:
    """The analysis of a project as it stands now, made once a state of the project."""
    return _analysis(storage(), project.name, project.version())


@st.cache_resource(show_spinner=False, max_entries=2)
def _analysis(storage: str, name: str, version: int) -> Analysis:  # noqa: ARG001 - part of the key
    return open_project(storage, name).analysis()


@st.cache_resource(show_spinner=False, max_entries=4)
def _uncovered(storage: str, name: str, version: int) -> pl.DataFrame:
    return _analysis(storage, name, version).uncovered()


def title(text: str, note: str = "") -> None:
    """The heading of a part, and a sentence on how to read it."""
    said = f'<p class="tally-small">{escape(note)}</p>' if note else ""
    st.html(f'<h2 class="tally-h2">{escape(text)}</h2>{said}')


def troubles(analysis: Analysis) -> None:
    """Name the rules that fail or are slow."""
    for row in analysis.troubles().iter_rows(named=True):
        if row["faults"]:
            items = "1 item" if row["faults"] == 1 else f"{count(row['faults'])} items"
            said = f"fails on {items}, first on item {row['first_item']}: {row['error']}"
            notice(said, "warn", title=f"“{row['function']}”")
        if row["slow"]:
            said = f"is slow: it took {row['seconds']:.1f} s, more than the other rules need."
            notice(said, "warn", title=f"“{row['function']}”")


@st.fragment
def _worth(project: Project, analysis: Analysis, accuracy: pl.DataFrame) -> None:
    with st.container(key="split-worth"):
        left, right = st.columns([6, 5], gap="large")
    labels = list(project.label_names)
    with left:
        title(
            "How right each rule is",
            "Dot and bar: on known answers, with the 95 % interval. Diamond: as the newest weak run estimates it.",
        )
        judged = accuracy.filter(pl.col("accuracy").is_not_null() | pl.col("estimated").is_not_null())
        if judged.is_empty():
            notice("Nothing is known to judge rules by. Import known answers, label some items, or keep a weak run.")
        else:
            _legend(labels)
            votes_for = {info.name: info.label for info in project.functions()}
            judged = judged.with_columns(
                label=pl.Series([votes_for.get(name) or SILENT for name in judged["function"]], dtype=pl.String)
            ).sort("accuracy", "estimated", "function", descending=[True, True, False], nulls_last=True)
            room = analysis_charts.ROW * judged.height + 60
            with st.container(height=min(room, 560), border=False, key="worth-chart"):
                analysis_charts.worth(judged, labels)
    with right:
        _right_and_wrong(project, analysis, accuracy, labels)


def _legend(labels: list[str]) -> None:
    chips = "".join(chip(name, position) for position, name in enumerate(labels))
    st.html(f'<div class="tally-chips">{chips}</div>')


def _right_and_wrong(project: Project, analysis: Analysis, accuracy: pl.DataFrame, labels: list[str]) -> None:
    title("Right and wrong", "Examples of one rule where the answer is known. Hold-out items take no part.")
    known = accuracy.filter(pl.col("judged") > 0).sort("accuracy", "function")
    if known.is_empty():
        notice("No rule votes on an item whose answer is known.")
        return
    name = str(st.selectbox("Rule", known["function"].to_list(), key="worth-rule", filter_mode="contains"))
    row = known.row(by_predicate=pl.col("function") == name, named=True)
    figures(
        [
            ("votes", count(row["votes"])),
            ("right", f"{percent(row['accuracy'])} of {count(row['judged'])}"),
            ("between", f"{percent(row['low'])} and {percent(row['high'])}"),
            ("by the weak labels", percent(row["estimated"])),
        ]
    )
    which = st.segmented_control(
        "Which", ["wrong", "right"], default="wrong", required=True, key="worth-which", label_visibility="collapsed"
    )
    found = analysis.examples(name, right=which == "right")
    if found.is_empty():
        notice(f"None of its known answers is {which}.", "good" if which == "wrong" else "info")
        return
    with st.container(height=390, border=False, key="worth-texts"):
        _votes(project, found, _rule(project, name), labels)


def _rule(project: Project, name: str) -> TextRule | None:
    for info in project.functions():
        if info.name == name and info.kind in KINDS and info.label is not None:
            return from_spec({**info.spec, "label": info.label})
    return None


def _votes(project: Project, found: pl.DataFrame, rule: TextRule | None, labels: list[str]) -> None:
    texts = text_of(project, found)
    pieces = rule.found_in(texts) if rule else [[] for _ in texts]
    boxes = []
    for row, text, piece in zip(found.iter_rows(named=True), texts, pieces, strict=True):
        vote, gold = row["vote"], row["gold"]
        said = chip(vote, labels.index(vote))
        if vote != gold:
            said += f" it is {chip(gold, labels.index(gold))}"
        boxes.append(
            f'<div class="tally-text"><small>item {row["item_id"]} · it says {said}</small>'
            f"{mark_spans(text, spans_of(text, piece))}</div>"
        )
    st.html(f'<div class="tally-texts">{"".join(boxes)}</div>')


def text_of(project: Project, frame: pl.DataFrame) -> list[str]:
    """The text of each row, for items without one their id."""
    column = project.text_column
    if column is None or column not in frame.columns:
        return [f"item {item}" for item in frame["item_id"]]
    return ["" if text is None else str(text) for text in frame[column]]


def _pairs(analysis: Analysis) -> None:
    pairs = analysis.agreement()
    title("Rules that repeat one another", "Two rules that vote alike on the same items count twice for one idea.")
    if pairs.is_empty():
        notice("No two rules vote on the same item.")
        return
    twins = pairs.filter("redundant")
    if twins.is_empty():
        st.html('<p class="tally-small">No rule could go: no two agree on nearly all of nearly the same items.</p>')
    for row in twins.head(3).iter_rows(named=True):
        notice(f"“{row['first']}” and “{row['second']}” vote alike on nearly the same items: one of them could go.")
    config = {
        "first": st.column_config.TextColumn("one rule"),
        "second": st.column_config.TextColumn("another"),
        "both": st.column_config.NumberColumn("both vote", format="localized", help="Items that both vote on."),
        "agreement": st.column_config.NumberColumn(
            "agree", format="percent", help="Share of those with the same vote."
        ),
        "overlap": st.column_config.NumberColumn(
            "overlap", format="percent", help="Items that both vote on, of those that either votes on."
        ),
    }
    st.dataframe(
        pairs.select(*config).head(_PAIRS),
        hide_index=True,
        column_config=config,
        height=min(_ROW * (pairs.height + 1) + 3, 470),
        key="pairs-table",
    )


@st.fragment
def _conflicts(analysis: Analysis) -> None:
    title("Who contradicts whom", "Experts as the majority of their rules; a rule without an expert stands alone.")
    frame = analysis.expert_conflicts()
    if frame.is_empty() or not int(frame["conflicts"].sum()):
        notice("No two experts contradict each other.", "good")
        return
    measure = st.segmented_control(
        "Measure",
        ["conflicts", "share"],
        format_func=lambda key: {"conflicts": "items", "share": "share of what both decide"}[key],
        default="conflicts",
        required=True,
        key="conflicts-measure",
        label_visibility="collapsed",
    )
    worst = frame.row(0, named=True)
    experts = sorted({*frame["first"], *frame["second"]}, key=str.casefold)
    analysis_charts.conflicts(frame, experts, str(measure))
    st.html(
        f'<p class="tally-small">Most often: {escape(worst["first"])} and {escape(worst["second"])}, on '
        f"{count(worst['conflicts'])} of {count(worst['both'])} items that both decide.</p>"
    )


@st.fragment
def _gaps(project: Project) -> None:
    title(
        "What no rule covers", "Items without a vote, grouped by a word that they share more often than other items do."
    )
    if project.text_column is None:
        notice("The items have no text, so there are no words to group them by.")
        return
    with st.spinner("Reading what has no vote…", show_time=True):
        groups = _uncovered(storage(), project.name, project.version())
    if groups.is_empty():
        notice("No group stands out: every item has a vote, or those without share no word.", "good")
        return
    config = {
        "word": st.column_config.TextColumn("word"),
        "items": st.column_config.NumberColumn("items", format="localized"),
        "share": st.column_config.NumberColumn("of all without votes", format="percent"),
        "lift": st.column_config.NumberColumn("times as often", format="%.1f", help="As in items with votes."),
    }
    with st.container(key="split-gaps"):
        left, right = st.columns([6, 5], gap="large")
    with left:
        chosen = st.dataframe(
            groups.select(*config),
            hide_index=True,
            column_config=config,
            on_select="rerun",
            selection_mode="single-row",
            key="gaps-table",
            height=min(_ROW * (groups.height + 1) + 3, 330),
        )
    rows = chosen["selection"]["rows"] if chosen else []
    row = groups.row(rows[0] if rows and rows[0] < groups.height else 0, named=True)
    word = str(row["word"])
    with right:
        text = str(project.item(int(row["example"])).get(project.text_column) or "")
        start = text.lower().find(word)
        spans = [(start, start + len(word))] if start >= 0 else []
        st.html(
            f'<div class="tally-text"><small>{count(row["items"])} items with “{escape(word)}” have no vote, '
            f"for example item {escape(row['example'])}</small>{mark_spans(text, spans)}</div>"
        )
        if st.button(f"Write a rule for “{plain(word)}”", key="gaps-write", icon=":material/edit:", on_click=_begin,
                     args=(word,)):  # fmt: skip
            st.rerun()


def _begin(word: str) -> None:
    rule_form.begin(Draft("keyword", words=(word,), expert=annotator()))
    st.session_state[VIEW] = WRITE
