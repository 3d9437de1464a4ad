"""For ``streamlit run app.py`` in a checkout; ``tally serve`` needs it not."""

from ui.app import draw

draw()
