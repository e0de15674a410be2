//! Oddities of BMCs that a client can act on: data, not branches.

use serde::{Deserialize, Serialize};

/// Named oddities, each off unless a symptom or the product switched it on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quirks {}
