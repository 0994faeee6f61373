//! nfdump files byte by byte, independent of the writer.

/// A file being built.
#[derive(Debug, Clone)]
pub(super) struct FileBuilder {
    pub(super) version: u16,
    /// 0 none or 3 lz4.
    pub(super) compression: u8,
    pub(super) ident: &'static str,
    /// The eighteen numbers at the end; none for a file without them.
    pub(super) statistics: Option<[u64; 18]>,
    /// Whether the header is completed.
    pub(super) closed: bool,
    /// Records stated, kind and content of each block.
    pub(super) blocks: Vec<(u32, u16, Vec<u8>)>,
}

impl FileBuilder {
    pub(super) fn new() -> Self {
        Self {
            version: 2,
            compression: 3,
            ident: "lab",
            statistics: Some([0; 18]),
            closed: true,
            blocks: Vec::new(),
        }
    }

    /// Adds a block of these records.
    pub(super) fn block(self, records: &[Vec<u8>]) -> Self {
        let count = u32::try_from(records.len()).unwrap();
        self.raw_block(count, 3, records.concat())
    }

    /// Adds a block of this number of records, kind and content.
    pub(super) fn raw_block(mut self, records: u32, kind: u16, content: Vec<u8>) -> Self {
        self.blocks.push((records, kind, content));
        self
    }

    /// The file.
    pub(super) fn build(&self) -> Vec<u8> {
        let blocks: Vec<Vec<u8>> = self
            .blocks
            .iter()
            .map(|(records, kind, content)| self.stored(*records, *kind, content))
            .collect();
        let count = u32::try_from(blocks.len()).unwrap();
        let blocks = blocks.concat();
        let appendix = self.appendix();
        let offset = if appendix.is_empty() { 0 } else { 40 + blocks.len() as u64 };
        let (count, offset) = if self.closed { (count, offset) } else { (0, 0) };
        let mut file = vec![0x0c, 0xa5];
        file.extend(self.version.to_le_bytes());
        file.extend(0x0107_0101_u32.to_le_bytes());
        file.extend(1_700_000_000_u64.to_le_bytes());
        file.extend([self.compression, 0]);
        file.extend(u16::from(offset > 0).to_le_bytes());
        file.extend(4_u32.to_le_bytes());
        file.extend(offset.to_le_bytes());
        file.extend(0_u32.to_le_bytes());
        file.extend(count.to_le_bytes());
        [file, blocks, appendix].concat()
    }

    /// Where each block starts in the file, and where the last one ends.
    pub(super) fn starts(&self) -> Vec<usize> {
        let mut starts = vec![40];
        for (records, kind, content) in &self.blocks {
            starts.push(starts[starts.len() - 1] + self.stored(*records, *kind, content).len());
        }
        starts
    }

    fn appendix(&self) -> Vec<u8> {
        let Some(numbers) = self.statistics else { return Vec::new() };
        let mut ident = self.ident.as_bytes().to_vec();
        ident.push(0);
        ident.resize(ident.len().next_multiple_of(2), 0);
        let numbers: Vec<u8> = numbers.into_iter().flat_map(u64::to_le_bytes).collect();
        self.stored(2, 3, &[record(0x8001, &ident), record(0x8002, &numbers)].concat())
    }

    fn stored(&self, records: u32, kind: u16, content: &[u8]) -> Vec<u8> {
        let content = match self.compression {
            3 => lz4_flex::block::compress(content),
            _ => content.to_vec(),
        };
        let mut block = records.to_le_bytes().to_vec();
        block.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        block.extend(kind.to_le_bytes());
        block.extend([0, 0]);
        block.extend(content);
        block
    }
}

/// A record of any type.
pub(super) fn record(kind: u16, body: &[u8]) -> Vec<u8> {
    let size = u16::try_from(body.len() + 4).unwrap();
    [&kind.to_le_bytes()[..], &size.to_le_bytes(), body].concat()
}

/// A flow record whose header says that it was made from packets.
pub(super) fn flow(elements: &[Vec<u8>]) -> Vec<u8> {
    flow_from([17, 1, 0, 0, 0, 0x41], elements)
}

/// A flow record with these bytes 6 to 11.
pub(super) fn flow_from(header: [u8; 6], elements: &[Vec<u8>]) -> Vec<u8> {
    let count = u16::try_from(elements.len()).unwrap();
    record(11, &[&count.to_le_bytes()[..], &header, &elements.concat()].concat())
}

/// An element of a flow record.
pub(super) fn element(id: u16, data: &[u8]) -> Vec<u8> {
    record(id, data)
}

/// The element with times, counters, ports and protocol.
pub(super) fn generic(protocol: u8, ports: [u16; 2], bytes: u64) -> Vec<u8> {
    let mut data = Vec::new();
    for number in [1_700_000_000_123_u64, 1_700_000_001_456, 1_700_000_002_000, 3, bytes] {
        data.extend(number.to_le_bytes());
    }
    ports.iter().for_each(|port| data.extend(port.to_le_bytes()));
    data.extend([protocol, 0x12, 0, 4]);
    element(1, &data)
}

/// The element with two IPv4 addresses.
pub(super) fn v4(src: [u8; 4], dst: [u8; 4]) -> Vec<u8> {
    let number = |addr| u32::from_be_bytes(addr).to_le_bytes();
    element(2, &[number(src), number(dst)].concat())
}

/// The element with two IPv6 addresses.
pub(super) fn v6(src: u128, dst: u128) -> Vec<u8> {
    let halves = |addr: u128| {
        let (high, low) = ((addr >> 64) as u64, addr as u64);
        [high.to_le_bytes(), low.to_le_bytes()].concat()
    };
    element(3, &[halves(src), halves(dst)].concat())
}

/// A plain TCP flow that `n` tells from others.
pub(super) fn tcp(n: u16) -> Vec<u8> {
    let [high, low] = n.to_be_bytes();
    flow(&[generic(6, [n, 443], u64::from(n) * 10), v4([10, 0, high, low], [192, 0, 2, 1])])
}

/// Blocks of so many flows each, by [`tcp`], with statistics that are right.
pub(super) fn flows(blocks: u16, each: u16) -> FileBuilder {
    let mut file = FileBuilder::new();
    for block in 0..blocks {
        let records: Vec<_> = (0..each).map(|n| tcp(block * each + n)).collect();
        file = file.block(&records);
    }
    let count = u64::from(blocks) * u64::from(each);
    let bytes = (0..count).sum::<u64>() * 10;
    let mut numbers = [0; 18];
    [numbers[0], numbers[3], numbers[1], numbers[7]] = [count, count, bytes, bytes];
    [numbers[2], numbers[11]] = [3 * count; 2];
    [numbers[15], numbers[16]] = [1_700_000_000_123, 1_700_000_001_456];
    file.statistics = Some(numbers);
    file
}
