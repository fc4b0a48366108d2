"""Sphinx configuration; `make docs` builds offline and takes warnings for errors."""

from importlib.metadata import version as installed_version

project = "lembas_pyg"
author = "The lembas_pyg developers"
project_copyright = "The lembas_pyg developers"
release = version = installed_version("lembas_pyg")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "code"

myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
# A package's __all__ is its public surface, whichever module its members live in.
autosummary_ignore_module_all = False
autodoc_default_options = {"members": True, "member-order": "bysource"}
# Methods that only fill in PyG's or torch's protocol are described there.
autodoc_inherit_docstrings = False
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
maximum_signature_line_length = 88
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_custom_sections = ["Shapes"]

html_theme = "furo"
html_title = f"lembas_pyg {release}"
html_copy_source = False


def skip_tuple_fields(app, what, name, obj, skip, options):
    """Leave out the fields of named tuples: their class describes them under Attributes."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def setup(app):
    """Register the filter above."""
    app.connect("autodoc-skip-member", skip_tuple_fields)
