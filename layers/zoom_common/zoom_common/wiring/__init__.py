"""Builds parts that several functions use. Only this room and the functions make clients."""
