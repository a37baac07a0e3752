"""The report as one page: report.json in, one HTML file out that asks for nothing from anywhere."""
