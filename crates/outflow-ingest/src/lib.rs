//! Sources, decompression and the pipeline.
