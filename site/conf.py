"""Sphinx project of the site; ``workbook.py site`` calls it. The pages are laid out first, from stored outputs.

The environment says which edition and whose site it is: ``REGIONBOOK_EDITION`` (student, lecturer),
``REGIONBOOK_REPOSITORY`` (address of the repository, for its button and Binder), ``REGIONBOOK_URL`` (where the site will be,
for previews in messages), ``REGIONBOOK_BINDER``, ``REGIONBOOK_HUB`` (addresses of a Binder and a JupyterHub).
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
EDITION = os.environ.get("REGIONBOOK_EDITION", "student")
REPOSITORY = os.environ.get("REGIONBOOK_REPOSITORY", "").rstrip("/")

project = "regionbook"
author = "the regionbook authors"
copyright = "2026, the regionbook authors. Text and simulated data CC BY 4.0, code MIT"
language = "en"
html_title = "regionbook" if EDITION == "student" else "regionbook, lecturer's edition"

extensions = [
    "myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_design", "sphinx_copybutton",
    "bookpages.staging", "bookpages.search", "bookpages.terms", "bookpages.sidebar",
    "bookpages.previews", "bookpages.finish",
]  # fmt: skip
root_doc = "index"
source_suffix = {".ipynb": "myst-nb", ".md": "myst-nb"}

nb_execution_mode = "off"
nb_merge_streams = True
nb_number_source_lines = False
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3
suppress_warnings = [
    "misc.highlighting_failure",  # a traceback that a lesson shows
    "ref.python",  # names of arguments that are attributes elsewhere
]
default_role = "code"  # docstrings write `names` as Markdown does
autodoc_typehints = "none"  # the docstrings say them
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
add_module_names = False

templates_path = [str(HERE / "templates")]

html_theme = "sphinx_book_theme"
html_sidebars = {
    "**": ["navbar-logo.html", "search-button-field.html", "chapters.html"]
}  # the theme's own list is slow
html_static_path = [str(HERE / "static"), str(HERE / "vendor")]
html_css_files = ["regionbook.css"]
html_sourcelink_suffix = ""
html_show_sourcelink = False
html_search_language = "bilingual"
mathjax_path = "mathjax/tex-chtml-full.js"  # ours: no reader asks a far server for it
mathjax3_config = {"options": {"enableMenu": False}}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "repository_url": REPOSITORY,
    "repository_branch": "main",
    "use_repository_button": bool(REPOSITORY),
    "use_download_button": True,
    "use_fullscreen_button": False,
    "launch_buttons": {
        "binderhub_url": os.environ.get("REGIONBOOK_BINDER", "https://mybinder.org") if REPOSITORY else "",
        "jupyterhub_url": os.environ.get("REGIONBOOK_HUB", ""),
        "notebook_interface": "jupyterlab",
    },
    "navbar_persistent": [],  # else the search box stands twice
    "show_toc_level": 2,
    "announcement": "" if EDITION == "student" else "Lecturer's edition: it holds the solutions.",
}
