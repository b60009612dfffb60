"""Help texts of options that several commands share."""

SET_HELP = (
    "Override a profile key for this call. Can be repeated. Lists take commas, sections take dots: "
    "--set users=5,10 --set stack.driver=local."
)
