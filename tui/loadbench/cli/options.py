"""Help texts of options that several commands share."""

SET_HELP = (
    "Override a profile key for this run. Repeatable. Separate list values with commas and "
    "sections with dots: --set users=5,10 --set stack.driver=local."
)
