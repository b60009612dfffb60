"""How the service under test is started, scaled and watched."""
