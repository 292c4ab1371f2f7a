"""The Health page: logs of a used pack in, a service report out."""
