"""What the Lambda functions share, by capability. Import the room you need; nothing happens here."""

# The version of the whole gateway, as in pyproject.toml; `python -m dev.version` changes both.
__version__ = "0.2.0"
