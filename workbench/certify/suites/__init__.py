"""The suites that come with the workbench; a suite is a folder of pytest files."""
