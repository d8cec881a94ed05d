"""Scheduled meetings and webinars, their settings and their registrants."""
