//! Where values begin and end: the state of a scan that sees each byte once.

use super::Envelope;

/// What a byte did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is part of the value that is being read.
    Inside,
    /// It is the last byte of a value.
    Last,
    /// It belongs to no value.
    Between,
    /// The object that was being read holds records, which come next.
    Opened,
    /// It is part of what such an object holds besides records.
    Beside,
    /// It is the last byte of such an object, which has names that those who send records do not use.
    LastBeside,
    /// It begins something in an array that is neither an object nor an array.
    Odd,
    /// It cannot stand here.
    Misplaced,
}

/// The scan of a stream.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Brackets that are open, of the value and of what it stands in.
    depth: usize,
    /// Depth at which values and objects that hold records stand: 0 by themselves, 1 in an array.
    home: usize,
    /// The name of the array of records that is open, in an object.
    envelope: Option<Envelope>,
    /// Whether what is left of an object whose records have been read is being passed over.
    is_rest: bool,
    /// Whether a value is being read.
    in_value: bool,
    in_string: bool,
    is_escaped: bool,
    /// Whether something is being passed over that is no value.
    is_odd: bool,
    /// The string that was read last among the names of an object at home, cut to a length that no name of an envelope has.
    name: Vec<u8>,
    /// Whether a colon came after it.
    is_named: bool,
    /// Whether the object at home has a name that no envelope has.
    is_foreign: bool,
}

/// Longer strings are no name that is looked for.
const LONGEST_NAME: usize = 20;

impl Scan {
    /// Under which name the value stands.
    pub(super) fn envelope(&self) -> Option<Envelope> {
        self.envelope
    }

    /// Whether a value is being read.
    pub(super) fn in_value(&self) -> bool {
        self.in_value
    }

    /// Whether what an object holds besides records is being read.
    pub(super) fn is_rest(&self) -> bool {
        self.is_rest
    }

    /// Whether nothing is open.
    pub(super) fn is_at_top(&self) -> bool {
        self.depth == 0
    }

    /// Whether the text of a string is being read, in which most bytes mean nothing.
    pub(super) fn in_plain_string(&self) -> bool {
        self.in_string && !self.is_escaped && !self.is_among_names()
    }

    /// Forgets everything, so that a value can begin.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// Looks at the next byte.
    pub(super) fn step(&mut self, byte: u8) -> Step {
        if self.in_string {
            return self.string(byte);
        }
        match byte {
            b'"' => self.open_string(),
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => self.close(byte),
            b':' => self.colon(),
            b',' => {
                self.is_odd = false;
                self.part()
            }
            b' ' | b'\t' | b'\r' | b'\n' => self.part(),
            _ => self.other(),
        }
    }

    fn string(&mut self, byte: u8) -> Step {
        // No string of JSON goes on in the next line, and what is odd ends somewhere.
        if byte == b'"' && !self.is_escaped || byte == b'\n' && self.is_odd {
            self.in_string = false;
        } else if self.is_among_names() && self.name.len() < LONGEST_NAME {
            self.name.push(byte);
        }
        self.is_escaped = byte == b'\\' && !self.is_escaped;
        self.part()
    }

    fn open_string(&mut self) -> Step {
        let step = self.other();
        if step != Step::Misplaced {
            (self.in_string, self.is_named) = (true, false);
        }
        if self.is_among_names() {
            self.name.clear();
        }
        step
    }

    fn colon(&mut self) -> Step {
        if self.is_among_names() {
            self.is_named = true;
            self.is_foreign |= !Envelope::has(&self.name);
        }
        self.other()
    }

    fn open(&mut self, byte: u8) -> Step {
        let is_named = std::mem::take(&mut self.is_named);
        self.depth += 1;
        if byte == b'['
            && is_named
            && let Some(envelope) = Envelope::of(&self.name)
        {
            (self.envelope, self.in_value, self.is_rest) = (Some(envelope), false, false);
            return Step::Opened;
        }
        if self.depth == 1 && byte == b'[' {
            self.home = 1;
            return Step::Between;
        }
        if !self.in_value && !self.is_rest {
            (self.in_value, self.is_odd) = (true, false);
            self.is_foreign &= self.envelope.is_some();
        }
        self.part()
    }

    fn close(&mut self, byte: u8) -> Step {
        if self.depth == 0 {
            return Step::Misplaced;
        }
        self.depth -= 1;
        self.is_named = false;
        if self.in_value {
            self.in_value = self.depth > self.base();
            return if self.in_value { Step::Inside } else { Step::Last };
        }
        if self.is_rest {
            return self.close_rest();
        }
        self.is_odd = false;
        match self.envelope.take() {
            _ if byte == b'}' => return Step::Misplaced,
            Some(_) => self.is_rest = true,
            None => self.restart(),
        }
        Step::Between
    }

    fn close_rest(&mut self) -> Step {
        self.is_rest = self.depth > self.home;
        match self.is_rest {
            true => Step::Beside,
            false if self.is_foreign => Step::LastBeside,
            false => Step::Between,
        }
    }

    /// A byte of a number, word or text.
    fn other(&mut self) -> Step {
        match self.depth {
            _ if self.in_value || self.is_rest => self.part(),
            0 => Step::Misplaced,
            _ if std::mem::replace(&mut self.is_odd, true) => Step::Between,
            _ => Step::Odd,
        }
    }

    fn part(&self) -> Step {
        match () {
            () if self.in_value => Step::Inside,
            () if self.is_rest => Step::Beside,
            () => Step::Between,
        }
    }

    /// Depth at which values stand.
    fn base(&self) -> usize {
        self.home + if self.envelope.is_some() { 2 } else { 0 }
    }

    /// Whether names of an object at home stand here, which can hold records.
    fn is_among_names(&self) -> bool {
        self.depth == self.home + 1 && (self.in_value || self.is_rest)
    }
}
