"""A function that does nothing: what Lambda's own start costs."""


def handler(event: object, context: object) -> dict[str, object]:  # noqa: ARG001 - Lambda passes both
    """Answer 200."""
    return {"statusCode": 200, "body": "{}"}
