"""What a person reads of a run: one self-contained HTML file, and a compact table for the terminal.

Nothing is computed here: every number comes from the result.
"""

from mesolung.report.page import report_html as report_html
from mesolung.report.page import write_report as write_report
from mesolung.report.shown import Shown as Shown
from mesolung.report.terminal import terminal_table as terminal_table

__all__ = ["Shown", "report_html", "terminal_table", "write_report"]
