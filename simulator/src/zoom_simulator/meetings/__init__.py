"""What is scheduled: meetings and webinars, their settings and their registrants."""
