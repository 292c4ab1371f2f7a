"""One bench session as its clients see it: the window and the command line hold the same object."""
