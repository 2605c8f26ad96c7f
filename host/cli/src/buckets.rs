//! The key-value capability's reads, over the store. Its writes are committed by the operation.

use bytes::Bytes;
use occi_capability::BucketReader;
use occi_store::{Bucket, Store};
use std::sync::Arc;

/// The store as the key-value capability sees it.
pub(crate) struct StoreBuckets {
    store: Arc<dyn Store>,
}

impl StoreBuckets {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }
}

impl BucketReader for StoreBuckets {
    fn get(&self, tenant: &str, extension: &str, bucket: &str, key: &str) -> Result<Option<Bytes>, String> {
        let view = self.store.read().map_err(|error| error.to_string())?;
        let found =
            Bucket::new(tenant, extension, bucket).get(&*view, key).map_err(|error| error.to_string())?;
        Ok(found.map(|found| found.value))
    }

    fn keys(
        &self,
        tenant: &str,
        extension: &str,
        bucket: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, String> {
        let view = self.store.read().map_err(|error| error.to_string())?;
        let bucket = Bucket::new(tenant, extension, bucket);
        let found = bucket.list(&*view, after, limit).map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|(key, _)| key).collect())
    }
}
