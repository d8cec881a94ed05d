"""Tools for one machine: run the whole system, demo, walk-through, generators and checks. None of it is deployed."""
