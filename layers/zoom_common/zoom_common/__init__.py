"""What the Lambda functions share, by capability. Import the room you need; nothing happens here."""
