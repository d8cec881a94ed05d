"""Zoom's operations as a table: a new one is a row, a model where it has a body, and its tests."""

from zoom_common.zoom.operations.model import Operation, Parameter, RateLabel, ZoomScopes, check_query
from zoom_common.zoom.operations.table import OPERATIONS, match, routes

__all__ = ["OPERATIONS", "Operation", "Parameter", "RateLabel", "ZoomScopes", "check_query", "match", "routes"]
