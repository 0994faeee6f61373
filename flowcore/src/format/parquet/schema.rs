//! The columns of a file, from the list of schema elements in its footer.
//!
//! The list is a tree written depth first: an element with children is a group. Columns that stand in no group and are not
//! repeated have one value a row; the others are known by name, and keep their place among the column chunks.

use super::thrift::{Kind, Thrift};
use crate::error::{Error, Result};

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::format) struct Leaf {
    /// Its name; those of the groups around it stand before it, with points between.
    pub(in crate::format) name: String,
    /// Rows may have no value.
    pub(super) optional: bool,
    pub(super) physical: Physical,
    /// What the values mean; `None` if they are not read.
    pub(super) meaning: Option<Meaning>,
}

/// How values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Physical {
    Boolean,
    Int32,
    Int64,
    Float,
    Double,
    /// Length, bytes.
    Bytes,
    /// So many bytes. The old times of 96 bits are such.
    Fixed(usize),
}

/// What values mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Boolean,
    Signed,
    /// A number without sign, of so many bits.
    Unsigned(u32),
    Float,
    Text,
    /// Days since 1970.
    Date,
    /// Such parts of a second since 1970, in nanoseconds.
    Time(i64),
    /// Nanoseconds of the day, then the Julian day.
    JulianTime,
}

impl Leaf {
    /// Whether the values can be read.
    pub(in crate::format) fn is_read(&self) -> bool {
        self.meaning.is_some()
    }
}

/// Reads the list of elements.
pub(super) fn read(thrift: &mut Thrift<'_>) -> Result<Vec<Leaf>> {
    let mut leaves = Vec::new();
    // The groups that are open: name and the children they still get. The root is one of them.
    let mut open: Vec<(String, u64)> = Vec::new();
    let mut has_root = false;
    thrift.structs(|thrift| {
        let element = Element::read(thrift)?;
        if !has_root {
            has_root = true;
            open.push((String::new(), element.children));
            return Ok(());
        }
        while open.last().is_some_and(|(_, left)| *left == 0) {
            open.pop();
        }
        let Some((path, left)) = open.last_mut() else {
            return Err(Error::damaged("the schema has more columns than its groups"));
        };
        *left -= 1;
        let name = if path.is_empty() { element.name.clone() } else { format!("{path}.{}", element.name) };
        if name.len() > MAX_PATH || leaves.len() == MAX_LEAVES {
            let what = format!("more than {MAX_LEAVES} columns, or a name of more than {MAX_PATH} bytes");
            return Err(Error::unsupported(what));
        }
        if element.children > 0 {
            open.push((name, element.children));
        } else {
            leaves.push(element.leaf(name, open.len() > 1)?);
        }
        Ok(())
    })?;
    if open.iter().any(|(_, left)| *left > 0) {
        return Err(Error::damaged("the schema lacks columns"));
    }
    Ok(leaves)
}

/// Longest name of a column, with the groups around it, in bytes.
const MAX_PATH: usize = 4096;
/// Most columns, those in groups included.
const MAX_LEAVES: usize = 4096;

/// An element of the schema, as it is written.
#[derive(Default)]
struct Element {
    physical: Option<i64>,
    width: i64,
    repetition: i64,
    name: String,
    children: u64,
    converted: Option<i64>,
    scale: i64,
    logical: Option<Logical>,
}

/// The annotations that change what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Logical {
    Decimal,
    Date,
    Timestamp(i64),
    Integer(u32, bool),
    Other,
}

const OPTIONAL: i64 = 1;
const REPEATED: i64 = 2;
const MILLI: i64 = 1_000_000;
const MICRO: i64 = 1_000;
const NANO: i64 = 1;

impl Element {
    fn read(thrift: &mut Thrift<'_>) -> Result<Self> {
        let mut element = Self::default();
        thrift.fields(|thrift, number, kind| {
            match (number, kind) {
                (1, Kind::Int) => element.physical = Some(thrift.int()?),
                (2, Kind::Int) => element.width = thrift.int()?,
                (3, Kind::Int) => element.repetition = thrift.int()?,
                (4, Kind::Binary) => element.name = String::from_utf8_lossy(thrift.binary()?).into_owned(),
                (5, Kind::Int) => element.children = u64::try_from(thrift.int()?).unwrap_or_default(),
                (6, Kind::Int) => element.converted = Some(thrift.int()?),
                (7, Kind::Int) => element.scale = thrift.int()?,
                (10, Kind::Struct) => element.logical = Logical::read(thrift)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(element)
    }

    fn leaf(&self, name: String, nested: bool) -> Result<Leaf> {
        let physical = self.physical(&name)?;
        let is_flat = !nested && self.repetition != REPEATED;
        let meaning = self.meaning(physical).filter(|_| is_flat);
        Ok(Leaf { name, optional: self.repetition == OPTIONAL, physical, meaning })
    }

    fn physical(&self, name: &str) -> Result<Physical> {
        Ok(match self.physical {
            Some(0) => Physical::Boolean,
            Some(1) => Physical::Int32,
            Some(2) => Physical::Int64,
            Some(3) => Physical::Fixed(12),
            Some(4) => Physical::Float,
            Some(5) => Physical::Double,
            Some(6) => Physical::Bytes,
            Some(7) => match usize::try_from(self.width) {
                Ok(width @ 1..=0xffff) => Physical::Fixed(width),
                _ => return Err(Error::damaged(format!("column {name} has values of {} bytes", self.width))),
            },
            // A group without children has no type, and no values.
            None => return Err(Error::damaged(format!("column {name} has no type"))),
            Some(other) => {
                return Err(Error::unsupported(format!("column {name} is of the unknown type {other}")));
            }
        })
    }

    fn meaning(&self, physical: Physical) -> Option<Meaning> {
        Some(match (physical, self.logical.or_else(|| converted(self.converted?))) {
            (Physical::Boolean, _) => Meaning::Boolean,
            (Physical::Float | Physical::Double, _) => Meaning::Float,
            (Physical::Int32, Some(Logical::Date)) => Meaning::Date,
            (Physical::Int64, Some(Logical::Timestamp(unit))) => Meaning::Time(unit),
            (Physical::Int32 | Physical::Int64, Some(Logical::Integer(bits, false))) => {
                Meaning::Unsigned(bits)
            }
            (Physical::Int32 | Physical::Int64, Some(Logical::Decimal)) if self.scale != 0 => return None,
            (Physical::Int32 | Physical::Int64, _) => Meaning::Signed,
            (Physical::Bytes | Physical::Fixed(_), Some(Logical::Decimal)) => return None,
            (Physical::Fixed(12), None) if self.physical == Some(3) => Meaning::JulianTime,
            (Physical::Bytes | Physical::Fixed(_), _) => Meaning::Text,
        })
    }
}

impl Logical {
    /// A union: the number of its only field says which of them it is.
    fn read(thrift: &mut Thrift<'_>) -> Result<Option<Self>> {
        let mut found = None;
        thrift.fields(|thrift, number, kind| {
            found = Some(match (number, kind) {
                (8, Kind::Struct) => Self::timestamp(thrift)?,
                (10, Kind::Struct) => Self::integer(thrift)?,
                _ => {
                    found = Some(match number {
                        5 => Self::Decimal,
                        6 => Self::Date,
                        _ => Self::Other,
                    });
                    return Ok(false);
                }
            });
            Ok(true)
        })?;
        Ok(found)
    }

    fn timestamp(thrift: &mut Thrift<'_>) -> Result<Self> {
        let mut unit = NANO;
        thrift.fields(|thrift, number, kind| {
            if (number, kind) != (2, Kind::Struct) {
                return Ok(false);
            }
            thrift.fields(|_, number, _| {
                unit = match number {
                    1 => MILLI,
                    2 => MICRO,
                    _ => NANO,
                };
                Ok(false)
            })?;
            Ok(true)
        })?;
        Ok(Self::Timestamp(unit))
    }

    fn integer(thrift: &mut Thrift<'_>) -> Result<Self> {
        let (mut bits, mut signed) = (64, true);
        thrift.fields(|thrift, number, kind| {
            match (number, kind) {
                (1, Kind::Byte) => bits = u32::from(thrift.small()?),
                (2, Kind::False) => signed = false,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(Self::Integer(bits.clamp(1, 64), signed))
    }
}

/// What the older annotation says.
fn converted(number: i64) -> Option<Logical> {
    Some(match number {
        5 => Logical::Decimal,
        6 => Logical::Date,
        9 => Logical::Timestamp(MILLI),
        10 => Logical::Timestamp(MICRO),
        11 => Logical::Integer(8, false),
        12 => Logical::Integer(16, false),
        13 => Logical::Integer(32, false),
        14 => Logical::Integer(64, false),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::parquet::testing::ThriftWriter;

    /// Name, children, type, repetition, converted type.
    type Element<'a> = (&'a str, i64, Option<i64>, i64, Option<i64>);

    /// A schema of these elements.
    fn leaves(elements: &[Element<'_>]) -> Result<Vec<Leaf>> {
        let mut out = ThriftWriter::default();
        out.list(elements.len());
        for &(name, children, physical, repetition, converted) in elements {
            physical.into_iter().for_each(|physical| out.int(1, physical));
            out.int(3, repetition);
            out.binary(4, name.as_bytes());
            out.int(5, children);
            converted.into_iter().for_each(|converted| out.int(6, converted));
            out.end();
        }
        read(&mut Thrift::new(&out.bytes))
    }

    #[test]
    fn columns_in_groups_keep_their_place() {
        let elements = [
            ("root", 3, None, 0, None),
            ("bytes", 0, Some(2), 1, Some(14)),
            ("tags", 1, None, 1, Some(3)),
            ("list", 1, None, 2, None),
            ("element", 0, Some(6), 1, Some(0)),
            ("start", 0, Some(1), 0, None),
        ];
        let found = leaves(&elements).unwrap();
        let names: Vec<_> =
            found.iter().map(|leaf| (leaf.name.as_str(), leaf.optional, leaf.meaning)).collect();
        let expected = [
            ("bytes", true, Some(Meaning::Unsigned(64))),
            ("tags.list.element", true, None),
            ("start", false, Some(Meaning::Signed)),
        ];
        assert_eq!(names, expected);
        for wrong in [&elements[..5], &[&elements[..], &elements[1..2]].concat()] {
            assert!(leaves(wrong).is_err());
        }
    }

    #[test]
    fn a_schema_may_be_nested_however_deep() {
        let mut elements = vec![("", 1, None, 1, None); 200_000];
        elements.push(("x", 0, Some(1), 0, None));
        assert_eq!(leaves(&elements).unwrap()[0].meaning, None);
        elements.iter_mut().for_each(|element| element.0 = "long");
        assert!(leaves(&elements).is_err());
    }

    #[test]
    fn what_values_mean_depends_on_type_and_annotation() {
        for (physical, converted, expected) in [
            (0, None, Some(Meaning::Boolean)),
            (1, Some(6), Some(Meaning::Date)),
            (1, Some(13), Some(Meaning::Unsigned(32))),
            (1, Some(17), Some(Meaning::Signed)),
            (2, Some(9), Some(Meaning::Time(MILLI))),
            (2, Some(5), Some(Meaning::Signed)),
            (3, None, Some(Meaning::JulianTime)),
            (5, None, Some(Meaning::Float)),
            (6, None, Some(Meaning::Text)),
            (6, Some(5), None),
        ] {
            let found =
                leaves(&[("root", 1, None, 0, None), ("x", 0, Some(physical), 1, converted)]).unwrap();
            assert_eq!(found[0].meaning, expected, "{physical} {converted:?}");
        }
    }
}
