"""From running text to a corpus: `collect` reads sources, cuts and filters lines, and writes Parquet shards."""
