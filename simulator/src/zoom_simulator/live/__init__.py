"""What people do: meetings that start, fill, empty and end, recordings that appear, crowds."""
