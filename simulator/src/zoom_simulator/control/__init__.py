"""The control API under `/_sim`, by which tests, demos, the command line and the page control the simulator."""
