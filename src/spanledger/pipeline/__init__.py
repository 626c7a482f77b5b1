"""What happens to a finished span or log record before it leaves."""
