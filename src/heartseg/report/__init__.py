"""Stage 6: numbers become a page, a picture, a table and a file that machines read."""

from heartseg.report.json_file import json_text, load_report, read_report
from heartseg.report.masks import save_masks
from heartseg.report.outputs import OUTPUTS, save_report
from heartseg.report.printing import Printing
from heartseg.report.probabilities import save_probabilities
from heartseg.report.summary import failed_row, summary_row, write_summary
from heartseg.report.text import report_text, table_rows

__all__ = [
    "OUTPUTS",
    "Printing",
    "failed_row",
    "json_text",
    "load_report",
    "read_report",
    "report_text",
    "save_masks",
    "save_probabilities",
    "save_report",
    "summary_row",
    "table_rows",
    "write_summary",
]
