"""The control API under `/_sim`: what a test, a demo, the command line and the page use to drive the simulator."""
