"""What happens in a fleet, as it happens: from the thread of the host to many clients (docs/fleet-live.md)."""
