"""Commands for a deployed stack: keys, dead letters, replay, erasure, restore, cost, deploy. None of it is deployed."""
