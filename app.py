"""For ``streamlit run app.py`` in a checkout; ``tally serve`` needs it not."""

import sys

import streamlit as st
from starlette.middleware import Middleware

from ui.guard import LoopbackOnly, check_server_address

try:
    check_server_address()
except ValueError as error:
    sys.exit(f"Error: {error}")

app = st.App("ui/entry/main.py", middleware=[Middleware(LoopbackOnly)])
