"""Runs on disk: recorded as an Arrow stream, sealed to Parquet, opened whatever became of them, replayed, exported."""
