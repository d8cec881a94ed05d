"""The page at `/`: people, meetings, deliveries with their answers, and a button for everything."""
