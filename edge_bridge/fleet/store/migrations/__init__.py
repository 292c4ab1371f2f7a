"""The versions of the fleet's database, each as the change from the one before."""
