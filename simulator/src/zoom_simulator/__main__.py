"""`python -m zoom_simulator`."""

from zoom_simulator.cli import main

raise SystemExit(main())
