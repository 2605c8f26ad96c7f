//! What one call of an extension may use, and what it may keep.

use crate::COMPILE;
use occi_extension::Compiler;
use serde::Deserialize;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Sandbox {
    pub(crate) memory_mib: usize,
    pub(crate) deadline_ms: u64,
    pub(crate) timeout_ms: u64,
    pub(crate) concurrency: usize,
    pub(crate) host_calls: u64,
    pub(crate) keyvalue_keys: u64,
    pub(crate) keyvalue_mib: u64,
    pub(crate) folder_files: usize,
    pub(crate) folder_mib: u64,
    pub(crate) total_memory_mib: usize,
    pub(crate) compile_seconds: u64,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self {
            memory_mib: 64,
            deadline_ms: 1000,
            timeout_ms: 30_000,
            concurrency: 64,
            host_calls: 100_000,
            keyvalue_keys: 100_000,
            keyvalue_mib: 64,
            folder_files: 1000,
            folder_mib: 256,
            total_memory_mib: 2048,
            compile_seconds: 10,
        }
    }
}

impl Sandbox {
    /// A process of this program for each component.
    pub(crate) fn compiler(&self) -> Compiler {
        // Itself, even where another version has taken its place on the disk.
        Compiler::Process { command: ("/proc/self/exe".into(), COMPILE), seconds: self.compile_seconds }
    }

    pub(crate) fn to_limits(&self) -> occi_extension::Limits {
        occi_extension::Limits {
            memory: self.memory_mib << 20,
            deadline: Duration::from_millis(self.deadline_ms),
            timeout: Duration::from_millis(self.timeout_ms),
            concurrency: self.concurrency,
            host_calls: self.host_calls,
            kept_keys: self.keyvalue_keys,
            kept_bytes: self.keyvalue_mib << 20,
        }
    }
}
