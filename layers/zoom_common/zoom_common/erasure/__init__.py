"""Erases a person or a tenant: the job, its record and its receipt.

Each store decides which of its items are erased.
"""
