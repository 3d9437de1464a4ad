"""Where a server of the app starts; alone in a folder, as Streamlit puts it first on the path of imports."""
