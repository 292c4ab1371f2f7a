"""One module a verb: `main(options, report) -> Exit`, imported when it is called."""
