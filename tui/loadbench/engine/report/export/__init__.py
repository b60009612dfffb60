"""Reports as files: `summary` writes CSV and JSON, `locust_html` annotates Locust's HTML report."""
