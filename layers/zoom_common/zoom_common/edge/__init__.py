"""The parts that face Lambda: settings, HTTP requests and responses, observability."""
