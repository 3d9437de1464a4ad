"""What the engine says to whoever writes scripts, said to whoever looks at a page."""

from __future__ import annotations

import re

_PAGES = [
    (r"[Ii]mport (?:more )?items with add_items\([^)]*\)", "Import a file on the Data page"),
    (r"import some with add_items\([^)]*\)", "import a file on the Data page"),
    (r"add some with add_functions\([^)]*\)", "write some on the Rules page"),
    (
        r"Add the functions again with add_functions\([^)]*\), or pass skip_missing=True",
        "Run the script that adds them again, or remove them on the Rules page",
    ),
    (r"call (?:project\.)?set_holdout\([^)]*\)", "keep some answers aside on the Data page"),
    (r"Run weak_label\([^)]*\) first", "Keep a run on the Weak labels page first"),
    (r"Import gold\b", "Import known answers"),
    (r"Give gold=", "Import known answers"),
    (r"stop by LabelBudget\([^)]*\)", "stop at a number of answers"),
    (r"Open it with Project\.open\([^)]*\), or pass exist_ok=True", "Choose it in the sidebar, or take another name"),
    (r"[Mm]ake (?:one|the project) with Project\.create\([^)]*\)", "Make one on the Projects page"),
    (r"Use add_label\([^)]*\)", "Add the label on the Projects page"),
    (r"Set column=", "Choose a column"),
    (r"project\.assign\([^)]*\) does that", "A lead assigns work on the Projects page (People)"),
]
"""What a call does that has a place of its own on a page."""

_CALL = re.compile(r"\b[\w.]+\([^)]*\)|\b[a-z_]+=(?!=)")
_BARE = re.compile(r"\b([A-Z][A-Za-z]+)\(\)")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"'(])")


def on_page(text: str) -> str:
    """Say a message in words of the pages.

    A call that has a place on a page is named by that place; advice that only a script can follow is left out. What
    happened, which is the first sentence, always stays, and so does what stands in quotes.

    Examples
    --------
    >>> on_page("There is no gold to hold out. Import items with add_items(…, gold='column').")
    'There is no gold to hold out. Import a file on the Data page.'
    >>> on_page("SnorkelLabelModel needs at least 3 labeling functions, got 2. Add functions, or use MajorityVote().")
    'SnorkelLabelModel needs at least 3 labeling functions, got 2. Add functions, or use MajorityVote.'
    >>> on_page("No column to learn from: 'a'. Pass text=, or a column of numbers.")
    "No column to learn from: 'a'."
    """
    for call, words in _PAGES:
        text = re.sub(call, words, text)
    text = _BARE.sub(r"\1", text)
    first, *rest = _SENTENCE.split(text)
    return " ".join([first, *(sentence for sentence in rest if not _CALL.search(_QUOTED.sub("", sentence)))])
