"""Local Spark: a Connect server with Delta and Unity Catalog names, the pipelines engine, and Auto Loader's source."""
