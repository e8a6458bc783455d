"""Every scorecard there ever was."""
