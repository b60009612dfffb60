"""Help texts of options shared by several commands."""

SET_HELP = (
    "Override a profile key for this run. Can be repeated. Separate list values with commas, and "
    "a section from its key with a dot: --set users=5,10 --set stack.driver=local. Lists of "
    "numbers take ranges: --set 'users=10..100 step 10'."
)
