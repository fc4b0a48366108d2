"""Reports to read: one HTML file that needs nothing beside it.

`write_cross_validation_report` writes tables and pictures of a cross-validation, as the command
``cross-validate`` does at its end. `write_run_report` adds the network to walk through, with what
the trained models say of it; it shares every section with the former.
"""

from lembas_pyg.report.cross_validation import write_cross_validation_report
from lembas_pyg.report.findings import Findings, explore
from lembas_pyg.report.run_folder import RunFolder, read_run, thinned
from lembas_pyg.report.run_page import write_run_report

__all__ = [
    "Findings",
    "RunFolder",
    "explore",
    "read_run",
    "thinned",
    "write_cross_validation_report",
    "write_run_report",
]
