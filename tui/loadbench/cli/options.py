"""What options of several commands say of themselves."""

SET_HELP = "Overrule a key of the profile: --set users=5,10 --set stack.driver=local."
