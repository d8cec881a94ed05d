"""`python -m local.zoom`."""

from local.zoom.cli import main

raise SystemExit(main())
