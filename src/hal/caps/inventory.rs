//! FRU devices.

use crate::hal::error::Result;
use crate::hal::model::fru::FruDevice;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Reads the FRU devices.
pub trait Inventory: Send + Sync {
    /// All devices, or only the one with `id`.
    fn fru<'a>(
        &'a self,
        cx: &'a Cx,
        id: Option<u8>,
    ) -> BoxFuture<'a, Result<Reading<Vec<FruDevice>>>>;
}
