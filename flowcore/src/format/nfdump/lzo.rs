//! LZO1X, the compression that nfdump's tools write for `-z` (and `-z=lzo`).
//!
//! In and out are whole blocks in memory. A stream is a row of instructions: copy literals, or repeat bytes of the
//! output; it has no header, no checksum and no length, and ends with a mark. The format is described in the Linux
//! kernel's `Documentation/staging/lzo.rst`; [`decompress`] takes exactly the streams that the LZO library's safe
//! decompressor takes, and that library reads what [`compress`] writes.

use std::fmt;

/// Takes the compression off a stream. Says how many bytes of `out` it filled; what is behind them holds anything.
///
/// ```
/// use flowcore::format::nfdump::lzo;
/// let mut stream = Vec::new();
/// lzo::compress(b"abcabcabcabcabcabc", &mut stream);
/// let mut out = [0; 100];
/// let len = lzo::decompress(&stream, &mut out)?;
/// assert_eq!(&out[..len], b"abcabcabcabcabcabc");
/// # Ok::<(), lzo::LzoError>(())
/// ```
///
/// # Errors
/// When the stream is damaged or cut, goes on behind its end, or is longer than `out` when decompressed.
pub fn decompress(stream: &[u8], out: &mut [u8]) -> Result<usize, LzoError> {
    let mut input = Input { data: stream, at: 0 };
    let mut output = Output { buffer: out, at: 0 };
    let mut before = input.opening(&mut output)?;
    loop {
        let code = input.byte()?;
        if code < 16 && before == Literals::None {
            let len = 3 + input.length(code, 15)?;
            output.literals(&mut input, len)?;
            before = Literals::Run;
            continue;
        }
        let repeat = input.repeat(code, before)?;
        if repeat.distance == 0 {
            let whole = input.at == stream.len();
            return if whole { Ok(output.at) } else { Err(LzoError::Trailing) };
        }
        output.repeat(repeat.distance, repeat.length)?;
        output.literals(&mut input, repeat.literals)?;
        before = if repeat.literals == 0 { Literals::None } else { Literals::Few };
    }
}

/// Compresses a block as LZO1X-1 does: quick, each repetition taken as soon as it is seen. The stream is added to
/// `out`; it is at most a sixteenth and 20 bytes longer than the block.
pub fn compress(block: &[u8], out: &mut Vec<u8>) {
    let mut recent = vec![0_usize; 1 << HASH_BITS];
    let mut writer = Writer { start: out.len(), out };
    let (mut at, mut literals_from) = (0, 0);
    while let Some(word) = block.get(at..).and_then(<[u8]>::first_chunk::<4>) {
        let earlier = std::mem::replace(&mut recent[hash(*word)], at);
        let is_repeat =
            (1..=FARTHEST).contains(&(at - earlier)) && block[earlier..].starts_with(word.as_slice());
        if !is_repeat {
            // The longer nothing repeats, the less is worth looking.
            at += 1 + (at - literals_from) / 32;
            continue;
        }
        let length = common_length(&block[earlier..], &block[at..]);
        writer.literals(&block[literals_from..at]);
        writer.repeat(at - earlier, length);
        at += length;
        literals_from = at;
    }
    writer.literals(&block[literals_from..]);
    writer.out.extend(END);
}

/// What is wrong with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LzoError {
    /// It stops before its mark of the end.
    Cut,
    /// It goes on behind its mark of the end.
    Trailing,
    /// Decompressed, it is longer than the room there is.
    TooLong,
    /// It repeats bytes from before the start of the output.
    BeforeStart,
}

impl fmt::Display for LzoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "lzo data is cut",
            Self::Trailing => "lzo data goes on behind its end",
            Self::TooLong => "lzo data is longer than a block can be",
            Self::BeforeStart => "lzo data repeats bytes from before its start",
        })
    }
}

impl std::error::Error for LzoError {}

/// The literals just before an instruction: codes below 16 depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Literals {
    None,
    /// One to three, counted in the instruction that came before.
    Few,
    /// Four or more, with an instruction of their own.
    Run,
}

/// An instruction that repeats bytes of the output, then copies up to three literals. Distance 0 is the end.
struct Repeat {
    distance: usize,
    length: usize,
    literals: usize,
}

/// The stream, read from the front.
struct Input<'a> {
    data: &'a [u8],
    at: usize,
}

impl Input<'_> {
    fn byte(&mut self) -> Result<u8, LzoError> {
        let byte = *self.data.get(self.at).ok_or(LzoError::Cut)?;
        self.at += 1;
        Ok(byte)
    }

    /// Two bytes that hold a distance and, in the lowest bits, a number of literals.
    fn distance_and_literals(&mut self) -> Result<(usize, usize), LzoError> {
        let value = usize::from(u16::from_le_bytes([self.byte()?, self.byte()?]));
        Ok((value >> 2, value & 3))
    }

    /// A length that continues in further bytes, each 0 for 255 more, if the instruction's bits for it are 0.
    fn length(&mut self, bits: u8, max_of_bits: usize) -> Result<usize, LzoError> {
        if bits != 0 {
            return Ok(usize::from(bits));
        }
        let mut length = max_of_bits;
        loop {
            match self.byte()? {
                0 => length = length.saturating_add(255),
                last => return Ok(length.saturating_add(usize::from(last))),
            }
        }
    }

    /// Literals at the very start have a code of their own.
    fn opening(&mut self, output: &mut Output<'_>) -> Result<Literals, LzoError> {
        let len = match self.data.first() {
            Some(&code @ 18..) => usize::from(code) - 17,
            _ => return Ok(Literals::None),
        };
        self.at += 1;
        output.literals(self, len)?;
        Ok(if len < 4 { Literals::Few } else { Literals::Run })
    }

    fn repeat(&mut self, code: u8, before: Literals) -> Result<Repeat, LzoError> {
        let bits = |shift: u32, mask: u8| usize::from(code >> shift & mask);
        Ok(match code {
            0..=15 => {
                let (nearest, length) = if before == Literals::Run { (2049, 3) } else { (1, 2) };
                let distance = nearest + bits(2, 3) + (usize::from(self.byte()?) << 2);
                Repeat { distance, length, literals: bits(0, 3) }
            }
            16..=31 => {
                let length = 2 + self.length(code & 7, 7)?;
                let (distance, literals) = self.distance_and_literals()?;
                let distance = distance + (bits(3, 1) << 14);
                Repeat { distance: if distance == 0 { 0 } else { distance + 16384 }, length, literals }
            }
            32..=63 => {
                let length = 2 + self.length(code & 31, 31)?;
                let (distance, literals) = self.distance_and_literals()?;
                Repeat { distance: distance + 1, length, literals }
            }
            64.. => {
                let distance = 1 + bits(2, 7) + (usize::from(self.byte()?) << 3);
                Repeat { distance, length: 1 + bits(5, 7), literals: bits(0, 3) }
            }
        })
    }
}

/// The block, filled from the front.
struct Output<'a> {
    buffer: &'a mut [u8],
    at: usize,
}

impl Output<'_> {
    /// Copies so many bytes of the input.
    #[inline]
    fn literals(&mut self, input: &mut Input<'_>, len: usize) -> Result<(), LzoError> {
        let from = input.data.get(input.at..).unwrap_or_default();
        let to = self.buffer.get_mut(self.at..).unwrap_or_default();
        match (from.first_chunk(), to.first_chunk_mut::<STRIDE>()) {
            (Some(from), Some(to)) if len <= STRIDE => *to = *from,
            _ => {
                let from = from.get(..len).ok_or(LzoError::Cut)?;
                to.get_mut(..len).ok_or(LzoError::TooLong)?.copy_from_slice(from);
            }
        }
        input.at += len;
        self.at += len;
        Ok(())
    }

    /// Repeats bytes that begin so far back; they may reach into what is being written.
    #[inline]
    fn repeat(&mut self, distance: usize, length: usize) -> Result<(), LzoError> {
        let start = self.at.checked_sub(distance).ok_or(LzoError::BeforeStart)?;
        let (from, to) = self.buffer.split_at_mut(self.at);
        let room = to.len();
        match (from[start..].first_chunk(), to.first_chunk_mut::<STRIDE>()) {
            (Some(from), Some(to)) if length <= STRIDE => *to = *from,
            _ if length > room => return Err(LzoError::TooLong),
            _ => self.repeat_long(start, length),
        }
        self.at += length;
        Ok(())
    }

    /// Each turn doubles what there is to copy from, as the pattern goes on.
    fn repeat_long(&mut self, start: usize, length: usize) {
        let (mut at, end) = (self.at, self.at + length);
        while at < end {
            let len = (at - start).min(end - at);
            self.buffer.copy_within(start..start + len, at);
            at += len;
        }
    }
}

/// Adds instructions to a stream.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl Writer<'_> {
    fn literals(&mut self, literals: &[u8]) {
        let len = literals.len();
        let is_first = self.out.len() == self.start;
        match len {
            0 => return,
            // 17 and the length in one byte.
            1..=238 if is_first => self.out.push((17 + len) as u8),
            // Two bits in the last byte but one of every other instruction.
            1..=3 => {
                let at = self.out.len() - 2;
                self.out[at] |= len as u8;
            }
            4..=18 => self.out.push((len - 3) as u8),
            _ => {
                self.out.push(0);
                self.rest_of_length(len - 18);
            }
        }
        self.out.extend_from_slice(literals);
    }

    fn repeat(&mut self, distance: usize, length: usize) {
        if length <= 8 && distance <= 2048 {
            let back = distance - 1;
            self.out.extend([((length - 1) << 5 | (back & 7) << 2) as u8, (back >> 3) as u8]);
            return;
        }
        let back = if distance <= 16384 {
            self.code_and_length(32, length, 33);
            distance - 1
        } else {
            let back = distance - 16384;
            self.code_and_length(16 | (back >> 11 & 8) as u8, length, 9);
            back & 0x3fff
        };
        self.out.extend(((back << 2) as u16).to_le_bytes());
    }

    /// A code with its length, in further bytes from `longest` on.
    fn code_and_length(&mut self, code: u8, length: usize, longest: usize) {
        if length <= longest {
            self.out.push(code | (length - 2) as u8);
        } else {
            self.out.push(code);
            self.rest_of_length(length - longest);
        }
    }

    fn rest_of_length(&mut self, mut rest: usize) {
        while rest > 255 {
            self.out.push(0);
            rest -= 255;
        }
        self.out.push(rest as u8);
    }
}

/// A place in the table for four bytes.
fn hash(word: [u8; 4]) -> usize {
    (u32::from_le_bytes(word).wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize
}

/// How many bytes are equal from the front.
fn common_length(a: &[u8], b: &[u8]) -> usize {
    let words = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    let whole = 8 * words.take_while(|(a, b)| a == b).count();
    whole + a[whole..].iter().zip(&b[whole..]).take_while(|(a, b)| a == b).count()
}

/// Short copies move this many bytes where there is room, which is quicker than to move as many as it takes.
const STRIDE: usize = 16;

/// The farthest that an instruction reaches back.
const FARTHEST: usize = 0xbfff;

/// Two to this power places are remembered.
const HASH_BITS: u32 = 14;

/// A repetition at distance 0.
const END: [u8; 3] = [0x11, 0, 0];

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unpacked(stream: &[u8], room: usize) -> Result<Vec<u8>, LzoError> {
        let mut out = vec![0xee; room];
        let len = decompress(stream, &mut out)?;
        out.truncate(len);
        Ok(out)
    }

    fn packed(block: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        compress(block, &mut out);
        out
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    }

    /// Streams made by liblzo2 2.10, the last one by LZO1X-999.
    #[test]
    fn streams_of_the_library_are_read() {
        for (stream, block) in [
            ("12 61 110000", b"a".to_vec()),
            ("16 68656c6c6f 110000", b"hello".to_vec()),
            ("02 0000000000 20f3 1000 00 01 00000000000000000000000000000000000000 110000", vec![0; 300]),
            ("1d 68656c6c6f20776f726c6420 292d 002c b001 110000", b"hello world hello world, hello".to_vec()),
        ] {
            assert_eq!(unpacked(&bytes(stream), block.len()), Ok(block), "{stream}");
        }
    }

    /// Short repetitions that LZO1X-1 does not write: after few literals, and after a run of them.
    #[test]
    fn instructions_that_depend_on_literals_are_read() {
        assert_eq!(unpacked(&bytes("13 6162 00 00 110000"), 9), Ok(b"abbb".to_vec()));
        assert_eq!(unpacked(&bytes("13 6162 07 00 787978 110000"), 9), Ok(b"ababxyx".to_vec()));
        let long = "15 61626364 20 0000000000000000 80 0c00 01 65666768 05 00 21 110000";
        let block = unpacked(&bytes(long), 3000).unwrap();
        assert_eq!(block.len(), 2213);
        assert!(block.ends_with(b"bcdaefghdab!"));
    }

    /// What liblzo2's safe decompressor says to each of these (its error in brackets).
    #[test]
    fn the_library_and_this_agree_on_odd_streams() {
        assert_eq!(unpacked(&bytes("11 03 00"), 9), Ok(vec![]));
        assert_eq!(unpacked(&bytes("10 00 01 00 00"), 9), Ok(vec![]));
        assert_eq!(unpacked(&bytes("13 6865 110000"), 9), Ok(b"he".to_vec()));
        assert_eq!(unpacked(&bytes("15 68656c6c 110000"), 9), Ok(b"hell".to_vec()));
        // [input not consumed]
        assert_eq!(unpacked(&bytes("11000000"), 9), Err(LzoError::Trailing));
        // [input overrun]
        assert_eq!(unpacked(&bytes("12 68"), 9), Err(LzoError::Cut));
        assert_eq!(unpacked(&bytes("10 00 00"), 9), Err(LzoError::Cut));
        assert_eq!(unpacked(&[], 9), Err(LzoError::Cut));
        // [lookbehind overrun]
        assert_eq!(unpacked(&bytes("12 61 40 01 110000"), 9), Err(LzoError::BeforeStart));
        // [output overrun]
        assert_eq!(unpacked(&bytes("16 68656c6c6f 110000"), 4), Err(LzoError::TooLong));
        assert_eq!(unpacked(&bytes("12 61 20 00 01 0000 110000"), 200), Err(LzoError::TooLong));
    }

    #[test]
    fn each_instruction_at_its_limits_comes_back() {
        for distance in [1, 2, 7, 8, 15, 16, 17, 2048, 2049, 16384, 16385, 32767, 32768, 49151, 49152] {
            for length in [3, 4, 8, 9, 10, 33, 34, 264, 265, 288, 289, 1000] {
                for literals in [0, 1, 2, 3, 4, 18, 19, 238, 239, 273, 274] {
                    let mut block: Vec<u8> = noise(distance);
                    block.extend((0..length).map(|at| block[at % distance]).collect::<Vec<_>>());
                    block.extend(&noise(literals + 7)[7..]);
                    block.extend(&block.clone()[..length.min(distance)]);
                    let stream = packed(&block);
                    assert_eq!(unpacked(&stream, block.len()), Ok(block), "{distance} {length} {literals}");
                }
            }
        }
    }

    #[test]
    fn blocks_get_smaller_or_little_longer() {
        let random = noise(1 << 20);
        let stream = packed(&random);
        assert!(stream.len() <= random.len() + random.len() / 16 + 20);
        assert_eq!(unpacked(&stream, random.len()), Ok(random));
        let zeros = vec![0; 1 << 20];
        let stream = packed(&zeros);
        assert!(stream.len() < zeros.len() / 250, "{}", stream.len());
        assert_eq!(unpacked(&stream, zeros.len()), Ok(zeros));
        assert_eq!(packed(b""), END);
    }

    #[test]
    fn a_stream_cut_anywhere_is_cut() {
        let block = [noise(300), vec![7; 300], noise(300)].concat();
        let stream = packed(&block);
        for len in 0..stream.len() {
            assert_eq!(unpacked(&stream[..len], 2000), Err(LzoError::Cut), "{len}");
        }
        for room in 0..block.len() {
            assert_eq!(unpacked(&stream, room), Err(LzoError::TooLong), "{room}");
        }
    }

    #[test]
    fn a_stream_goes_behind_what_is_there() {
        let mut out = b"here".to_vec();
        compress(b"abcdabcdabcd", &mut out);
        assert_eq!(&out[..4], b"here");
        assert_eq!(unpacked(&out[4..], 12).unwrap(), b"abcdabcdabcd");
    }

    /// Bytes without repetitions to speak of.
    pub(in super::super) fn noise(len: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    proptest! {
        #[test]
        fn any_block_comes_back(pieces in prop::collection::vec((any::<Vec<u8>>(), 0..40_usize), 0..40)) {
            let block: Vec<u8> = pieces.iter().flat_map(|(piece, times)| piece.repeat(*times)).collect();
            prop_assert_eq!(unpacked(&packed(&block), block.len()), Ok(block));
        }

        /// Nothing panics, and a result does not depend on what was in the room before.
        #[test]
        fn any_stream_is_taken_or_refused(stream: Vec<u8>, room in 0..5000_usize) {
            let mut other = vec![0x11; room];
            let len = decompress(&stream, &mut other);
            prop_assert_eq!(unpacked(&stream, room), len.map(|len| other[..len].to_vec()));
        }
    }
}
