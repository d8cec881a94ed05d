"""Lambda-facing: settings, HTTP in and out, observability."""
