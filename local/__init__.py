"""Tools that build and run the whole system on one machine. Nothing in here is deployed."""
