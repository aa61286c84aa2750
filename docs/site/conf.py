"""Settings of the documentation site. docs/site/stage.py lays out what Sphinx reads; scripts/build_docs.sh runs both."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import os

import tessera

project = "Tessera"
author = "The Tessera authors"
copyright = "2026 The Tessera authors"
version = release = tessera.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = f"Tessera {release}"
nitpicky = False

# Pages are written for readers of the repository: links to headings are those that hosting sites make.
myst_heading_anchors = 4
# The lexers do not know the expressions of model files, which stand outside of quotes only where they are shown.
suppress_warnings = ["misc.highlighting_failure"]

# Notebooks are executed when the site is built. TESSERA_NOTEBOOKS=off shows them without results.
nb_execution_mode = os.environ.get("TESSERA_NOTEBOOKS", "force")
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_execution_in_temp = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_class_signature = "mixed"
autodoc_default_options = {"members": True, "show-inheritance": True}
default_role = "code"  # of docstrings: `name` is a name
