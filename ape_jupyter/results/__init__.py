"""The results of runs: canonical tables, their record in Parquet, their summaries."""
