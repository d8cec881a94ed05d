"""Erasing a person or a tenant: the job, its record and its receipt. Each store says which of its items are erased."""
