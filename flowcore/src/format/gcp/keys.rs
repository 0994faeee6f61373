//! Which key of an entry fills which field: the GCP column of the field table, seen from the side that reported.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::record::{FIELDS, Field};

/// Which end of the flow wrote an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Unknown,
    Src,
    Dest,
}

impl Side {
    /// The side of a reporter, which can be its machine or its gateway.
    pub(super) fn of(reporter: &str) -> Self {
        match reporter {
            "SRC" | "SRC_GATEWAY" => Self::Src,
            "DEST" | "DEST_GATEWAY" => Self::Dest,
            _ => Self::Unknown,
        }
    }

    /// The field that a key fills in an entry of this side.
    pub(super) fn field(self, key: &str) -> Option<Field> {
        static KEYS: LazyLock<[HashMap<String, Field>; 3]> =
            LazyLock::new(|| [Side::Unknown, Side::Src, Side::Dest].map(Side::keys));
        let [unknown, src, dest] = &*KEYS;
        let keys = match self {
            Self::Unknown => unknown,
            Self::Src => src,
            Self::Dest => dest,
        };
        keys.get(key).copied()
    }

    fn keys(self) -> HashMap<String, Field> {
        let keys = FIELDS.iter().filter(|info| !info.gcp.is_empty() && !is_concluded(info.field));
        keys.filter_map(|info| Some((self.key(info.gcp)?, info.field))).collect()
    }

    /// A key of the table with the name of this side in place of `*`.
    fn key(self, key: &str) -> Option<String> {
        let Some(rest) = key.strip_prefix('*') else { return Some(key.to_owned()) };
        match self {
            Self::Unknown => None,
            Self::Src => Some(format!("src{rest}")),
            Self::Dest => Some(format!("dest{rest}")),
        }
    }
}

/// Whether a field is made from a key that fills another one.
fn is_concluded(field: Field) -> bool {
    field == Field::Direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reporter_says_whose_instance_is_meant() {
        assert_eq!(Side::of("SRC").field("src_instance.vm_name"), Some(Field::Instance));
        assert_eq!(Side::of("SRC").field("dest_instance.vm_name"), None);
        assert_eq!(Side::of("DEST_GATEWAY").field("dest_vpc.vpc_name"), Some(Field::Vpc));
        assert_eq!(Side::of("").field("src_instance.vm_name"), None);
        for side in [Side::Src, Side::Dest, Side::Unknown] {
            assert_eq!(side.field("reporter"), Some(Field::Reporter));
            assert_eq!(side.field("connection.dest_ip"), Some(Field::DstAddr));
            assert_eq!(side.field("*_instance.vm_name"), None);
        }
    }

    #[test]
    fn no_key_is_of_two_fields() {
        for side in [Side::Src, Side::Dest] {
            let keys = FIELDS.iter().filter(|info| !info.gcp.is_empty() && !is_concluded(info.field)).count();
            assert_eq!(side.keys().len(), keys);
        }
    }
}
