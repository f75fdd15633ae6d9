"""What reloader costs, measured beside other tools. Never asserted in a test."""
