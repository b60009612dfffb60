"""Reports as files: `summary` writes CSV and JSON, `locust_html` completes Locust's own report."""
