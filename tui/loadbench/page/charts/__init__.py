"""Charts for readers outside the terminal, drawn as SVG from Vega-Lite specifications."""
