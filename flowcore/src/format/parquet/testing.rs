//! For tests: tables written as Parquet, plainly, and Thrift's compact protocol.

/// Writes Thrift's compact protocol; every field with its number in full.
#[derive(Debug, Default)]
pub(in crate::format) struct ThriftWriter {
    pub(in crate::format) bytes: Vec<u8>,
}

impl ThriftWriter {
    pub(in crate::format) fn int(&mut self, field: i64, number: i64) {
        self.field(field, 6);
        self.zigzag(number);
    }

    pub(in crate::format) fn binary(&mut self, field: i64, bytes: &[u8]) {
        self.field(field, 8);
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// Begins a struct; [`end`](Self::end) ends it.
    pub(in crate::format) fn begin(&mut self, field: i64) {
        self.field(field, 12);
    }

    /// Begins a field that is a list of so many structs, each of which ends by [`end`](Self::end).
    pub(in crate::format) fn list_field(&mut self, field: i64, count: usize) {
        self.field(field, 9);
        self.list(count);
    }

    /// The same, of a list that is no field.
    pub(in crate::format) fn list(&mut self, count: usize) {
        self.bytes.push(0xfc);
        self.varint(count as u64);
    }

    pub(in crate::format) fn end(&mut self) {
        self.bytes.push(0);
    }

    fn field(&mut self, field: i64, kind: u8) {
        self.bytes.push(kind);
        self.zigzag(field);
    }

    fn zigzag(&mut self, number: i64) {
        self.varint((number << 1 ^ number >> 63) as u64);
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }
}

/// A column of a test table, all of its rows.
#[derive(Debug, Clone)]
pub(in crate::format) struct TestColumn {
    pub(in crate::format) name: &'static str,
    pub(in crate::format) values: TestValues,
}

#[derive(Debug, Clone)]
pub(in crate::format) enum TestValues {
    Int32(Vec<Option<i32>>),
    Int64(Vec<Option<i64>>),
    Double(Vec<Option<f64>>),
    Text(Vec<Option<&'static str>>),
}

impl TestValues {
    fn physical(&self) -> i64 {
        match self {
            Self::Int32(_) => 1,
            Self::Int64(_) => 2,
            Self::Double(_) => 5,
            Self::Text(_) => 6,
        }
    }

    /// Whether each row has a value, and the values, plainly.
    fn encode(&self) -> (Vec<bool>, Vec<u8>) {
        fn each<T>(values: &[Option<T>], encode: impl Fn(&T) -> Vec<u8>) -> (Vec<bool>, Vec<u8>) {
            let bytes = values.iter().flatten().flat_map(encode).collect();
            (values.iter().map(Option::is_some).collect(), bytes)
        }
        match self {
            Self::Int32(values) => each(values, |value| value.to_le_bytes().to_vec()),
            Self::Int64(values) => each(values, |value| value.to_le_bytes().to_vec()),
            Self::Double(values) => each(values, |value| value.to_le_bytes().to_vec()),
            Self::Text(values) => each(values, |text| {
                [&u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat()
            }),
        }
    }
}

/// A file of so many row groups that each hold these columns: a page each, plain and without compression.
pub(in crate::format) fn file(columns: &[TestColumn], groups: usize) -> Vec<u8> {
    let mut file = b"PAR1".to_vec();
    let mut row_groups = ThriftWriter::default();
    for _ in 0..groups {
        let mut rows = 0;
        row_groups.list_field(1, columns.len());
        for column in columns {
            let (present, values) = column.values.encode();
            rows = present.len();
            let start = file.len();
            file.extend_from_slice(&page(&present, &values));
            row_groups.begin(3);
            row_groups.int(7, (file.len() - start) as i64);
            row_groups.int(9, start as i64);
            row_groups.end();
            row_groups.end();
        }
        row_groups.int(3, rows as i64);
        row_groups.end();
    }
    let mut footer = ThriftWriter::default();
    footer.list_field(2, columns.len() + 1);
    footer.int(5, columns.len() as i64);
    footer.end();
    for column in columns {
        footer.int(1, column.values.physical());
        footer.int(3, 1);
        footer.binary(4, column.name.as_bytes());
        footer.end();
    }
    footer.list_field(4, groups);
    footer.bytes.extend_from_slice(&row_groups.bytes);
    footer.end();
    file.extend_from_slice(&footer.bytes);
    file.extend_from_slice(&u32::try_from(footer.bytes.len()).unwrap().to_le_bytes());
    file.extend_from_slice(b"PAR1");
    file
}

fn page(present: &[bool], values: &[u8]) -> Vec<u8> {
    // A run of one for each row.
    let levels: Vec<u8> = present.iter().flat_map(|&present| [2, u8::from(present)]).collect();
    let body = [&u32::try_from(levels.len()).unwrap().to_le_bytes()[..], &levels, values].concat();
    let mut header = ThriftWriter::default();
    header.int(1, 0);
    header.int(2, body.len() as i64);
    header.int(3, body.len() as i64);
    header.begin(5);
    header.int(1, present.len() as i64);
    header.int(2, 0);
    header.int(3, 3);
    header.int(4, 3);
    header.end();
    header.end();
    [header.bytes, body].concat()
}
