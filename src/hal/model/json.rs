//! JSON documents written in place. The same notation as serde_json's own macro, which expands to some 250 bytes of
//! program per key; this one calls a function instead.

use serde::Serialize;
use serde_json::{Map, Value};

/// A value; one that cannot be written is `null`.
pub fn value<T: Serialize + ?Sized>(of: &T) -> Value {
    serde_json::to_value(of).unwrap_or(Value::Null)
}

/// Puts one key into an object.
#[inline(never)]
pub fn put(map: &mut Map<String, Value>, key: &str, value: Value) {
    map.insert(key.to_owned(), value);
}

/// Adds one item to a list.
#[inline(never)]
pub fn add(list: &mut Vec<Value>, item: Value) {
    list.push(item);
}

/// A document: `json!({"Key": expression, "List": [1, 2], "Nothing": null})`.
macro_rules! json {
    (null) => { ::serde_json::Value::Null };
    ({ $($members:tt)* }) => {{
        #[allow(unused_mut, reason = "an object may be empty")]
        let mut map = ::serde_json::Map::new();
        $crate::hal::model::json::json!(@members map $($members)*);
        ::serde_json::Value::Object(map)
    }};
    ([ $($items:tt)* ]) => {{
        #[allow(unused_mut, reason = "a list may be empty")]
        let mut list: ::std::vec::Vec<::serde_json::Value> = ::std::vec::Vec::new();
        $crate::hal::model::json::json!(@items list $($items)*);
        ::serde_json::Value::Array(list)
    }};
    (@members $map:ident $key:tt : null $(, $($rest:tt)*)?) => {
        $crate::hal::model::json::put(&mut $map, $key, ::serde_json::Value::Null);
        $crate::hal::model::json::json!(@members $map $($($rest)*)?);
    };
    (@members $map:ident $key:tt : { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        let value = $crate::hal::model::json::json!({ $($inner)* });
        $crate::hal::model::json::put(&mut $map, $key, value);
        $crate::hal::model::json::json!(@members $map $($($rest)*)?);
    };
    (@members $map:ident $key:tt : [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        let value = $crate::hal::model::json::json!([ $($inner)* ]);
        $crate::hal::model::json::put(&mut $map, $key, value);
        $crate::hal::model::json::json!(@members $map $($($rest)*)?);
    };
    (@members $map:ident $key:tt : $value:expr $(, $($rest:tt)*)?) => {
        $crate::hal::model::json::put(&mut $map, $key, $crate::hal::model::json::value(&$value));
        $crate::hal::model::json::json!(@members $map $($($rest)*)?);
    };
    (@members $map:ident) => {};
    (@items $list:ident null $(, $($rest:tt)*)?) => {
        $crate::hal::model::json::add(&mut $list, ::serde_json::Value::Null);
        $crate::hal::model::json::json!(@items $list $($($rest)*)?);
    };
    (@items $list:ident { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $crate::hal::model::json::add(&mut $list, $crate::hal::model::json::json!({ $($inner)* }));
        $crate::hal::model::json::json!(@items $list $($($rest)*)?);
    };
    (@items $list:ident [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::hal::model::json::add(&mut $list, $crate::hal::model::json::json!([ $($inner)* ]));
        $crate::hal::model::json::json!(@items $list $($($rest)*)?);
    };
    (@items $list:ident $value:expr $(, $($rest:tt)*)?) => {
        $crate::hal::model::json::add(&mut $list, $crate::hal::model::json::value(&$value));
        $crate::hal::model::json::json!(@items $list $($($rest)*)?);
    };
    (@items $list:ident) => {};
    ($value:expr) => { $crate::hal::model::json::value(&$value) };
}

pub(crate) use json;

#[cfg(test)]
mod tests {
    #[test]
    fn documents_are_those_of_serde_json() {
        let (none, some): (Option<u8>, _) = (None, Some("x".to_owned()));
        let key = "computed";
        let ours = super::json!({
            "a": 1, "b": null, "list": [1, {"c": some}, [], [null, 2.5], some], key: {"deep": {"er": none}},
            "sum": 1 + 2, "empty": {}, "flag": key.is_empty(),
        });
        let theirs = serde_json::json!({
            "a": 1, "b": null, "list": [1, {"c": some}, [], [null, 2.5], some], key: {"deep": {"er": none}},
            "sum": 1 + 2, "empty": {}, "flag": key.is_empty(),
        });
        assert_eq!(ours.to_string(), theirs.to_string());
        assert_eq!(super::json!("x"), "x");
        assert!(super::json!(f64::NAN).is_null());
    }
}
