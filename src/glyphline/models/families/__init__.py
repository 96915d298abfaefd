"""Model families, one file each: `Settings`, `build(settings, parts)` and `load(folder)`."""
