//! Tantivy shards: the embedded archive.
