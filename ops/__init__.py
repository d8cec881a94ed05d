"""Commands for a deployed stack: keys, dead letters, replay, erasure, restore, cost, deploy.

They run on your machine.
"""
