"""Settings of the documentation site. docs/site/stage.py lays out what Sphinx reads; scripts/build_docs.sh runs both."""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
import os
import re

import tessera

project = "Tessera"
author = "The Tessera authors"
copyright = "2026 The Tessera authors"
version = release = tessera.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = f"Tessera {release}"

# Pages are written for readers of the repository: links to headings are those that hosting sites make.
myst_heading_anchors = 4

# Notebooks are executed when the site is built. TESSERA_NOTEBOOKS=off shows them without results.
nb_execution_mode = os.environ.get("TESSERA_NOTEBOOKS", "force")
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_execution_in_temp = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_type_aliases = {"ArrayLike": "ArrayLike", "Quantity": "Quantity", "PopulationLike": "PopulationLike"}
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 100
autodoc_class_signature = "mixed"
autodoc_default_options = {"members": True, "show-inheritance": True}
default_role = "code"  # of docstrings: `name` is a name


def setup(app):
    """Names of types stay names inside of unions as well, where autodoc shows the object that stands for them."""

    def named(app, what, name, thing, options, signature, returned):
        def plain(text):
            return text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text)

        return plain(signature), plain(returned)

    app.connect("autodoc-process-signature", named)
