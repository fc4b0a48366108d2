"""The report of a cross-validation: one HTML file that needs nothing beside it."""

from lembas_pyg.report.cross_validation import write_cross_validation_report

__all__ = ["write_cross_validation_report"]
