"""Who is who in a fleet: one authority of certificates, an identity for each device, host and broker."""
