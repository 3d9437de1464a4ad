"""What to do next with a young project, offered where one thing is done: file, then a rule or a question, then more."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from labeling import Project
from labeling.project.records import ProjectStatus
from ui.parts.markup import escape


@dataclass(frozen=True)
class Step:
    """A page to go to, and what is done there."""

    page: str
    label: str


IMPORT = Step("data", "Import a file")
RULE = Step("rules", "Write a first rule")
QUESTION = Step("annotate", "Answer a first question")
COMBINE = Step("weak", "Combine the votes of the rules")


def next_steps(status: ProjectStatus) -> tuple[str, tuple[Step, ...]]:
    """What comes next and where, from what a project holds; nothing once people answer.

    Examples
    --------
    >>> young = ProjectStatus(
    ...     items=9, gold=0, holdout=0, functions=0, weak_runs=0, loops=0, human=0, weak=0, model=0, version=1)
    >>> text, steps = next_steps(young)
    >>> text, [step.page for step in steps]
    ('Next: write a first rule, or answer a first question. One leads to the other.', ['rules', 'annotate'])
    """
    if not status.items:
        return "Next: bring in the items, from a file.", (IMPORT,)
    if status.human:
        return "", ()
    if not status.functions:
        return "Next: write a first rule, or answer a first question. One leads to the other.", (RULE, QUESTION)
    if not status.weak_runs:
        return "Next: let the votes of the rules become labels, or answer a first question.", (COMBINE, QUESTION)
    return "Next: answer the questions that teach most.", (QUESTION,)


def offer(project: Project | None, here: str) -> None:
    """Draw what comes next, with a link to each page but the one that is open."""
    if project is None:
        return
    text, steps = next_steps(project.status())
    links = [step for step in steps if step.page != here]
    if not links:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="next-step"):
        st.html(f'<p class="tally-next">{escape(text)}</p>')
        for step in links:
            st.page_link(st.session_state["pages"][step.page], label=step.label, icon=":material/arrow_forward:")
