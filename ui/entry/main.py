"""The script that Streamlit runs for each reader; who may read is checked by the app around it."""

from ui.app import draw
from ui.guard import check_server_address
from ui.memory import give_back_large_blocks

check_server_address()
give_back_large_blocks()
draw()
