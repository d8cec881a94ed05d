"""Puts parts together for functions that share them. Only this room and the functions make clients."""
