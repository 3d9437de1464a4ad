"""The script that Streamlit runs for each reader."""

from ui.app import draw

draw()
