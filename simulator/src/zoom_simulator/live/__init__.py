"""Actions of people: they start, join, leave and end meetings, record them, and come in crowds."""
