"""Our own routes in the template: the functions behind them are those that tests send hostile requests to."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.own_site import MODULES
from tests.template.test_operation_routes import function_of, resources

# Zoom's paths, and whatever is no path of anybody's.
_OF_ZOOM = re.compile(r" /v2/| /scim2/|^\$default$")


def test_hostile_requests_reach_every_route_of_our_own(template: dict[str, Any]) -> None:
    """Whatever is no path of Zoom's leads to a function whose router tells its routes, and one of them matches."""
    routes = resources(template, "AWS::ApiGatewayV2::Route").values()
    for route in (each for each in routes if not _OF_ZOOM.search(each["RouteKey"])):
        path = route["RouteKey"].partition(" ")[2].partition("{")[0]
        if function_of(template, route) == "webhook":  # it has one route, and its own suite of hostile requests
            assert route["RouteKey"] == "POST /webhooks/zoom"
            continue
        router = MODULES[function_of(template, route)].router
        assert any(known.startswith(path) for _, known in router.routes), route["RouteKey"]
