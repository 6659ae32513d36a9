"""The report: one HTML file made from evaluation folders."""
