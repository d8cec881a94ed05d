"""One program for each library. They run in its environment, not in ours."""
