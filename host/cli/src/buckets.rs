//! The key-value capability's reads, over the store. Its writes are committed by the operation.

use occi_capability::BucketReader;
use occi_extension::{BucketName, KeyValueView};
use occi_store::{Bucket, ReadView, Store};
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
    fn view(&self) -> Result<Arc<dyn KeyValueView>, String> {
        let view = self.store.read().map_err(|error| error.to_string())?;
        Ok(Arc::new(View(view)))
    }
}

/// The store at one moment.
struct View(Arc<dyn ReadView>);

impl KeyValueView for View {
    fn get(&self, bucket: &BucketName<'_>, key: &str) -> Result<Option<(Vec<u8>, u64)>, String> {
        let found = stored(bucket).get(&*self.0, key).map_err(|error| error.to_string())?;
        Ok(found.map(|found| (found.value.to_vec(), found.revision.0)))
    }

    fn keys(
        &self,
        bucket: &BucketName<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, String> {
        let found = stored(bucket).list(&*self.0, after, limit).map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|(key, _)| key).collect())
    }
}

fn stored(bucket: &BucketName<'_>) -> Bucket {
    Bucket::new(bucket.tenant, bucket.extension, bucket.bucket)
}
