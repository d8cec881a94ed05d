"""Refreshing grants: pure decisions, the effects they ask for, and the stores behind them."""
