//! The protobuf wire format: fields of a message, read in place.
//!
//! What it accepts is what `prost` accepts, so that a body which was accepted here can be decoded by
//! any other program. Format: <https://protobuf.dev/programming-guides/encoding/>.

use std::borrow::Cow;

/// How deep unknown groups may nest: prost's limit.
const GROUPS_MAX: u32 = 100;

/// Where and why a message can't be read. Invariant: `at` is the address of a byte of the body, or of
/// its end; it is only ever compared with the body's own address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    at: usize,
    pub(super) what: &'static str,
}

impl Fault {
    pub(super) fn new(place: &[u8], what: &'static str) -> Fault {
        Fault { at: place.as_ptr().addr(), what }
    }

    /// A fault of the body as a whole.
    pub(super) fn at_end(what: &'static str) -> Fault {
        Fault { at: usize::MAX, what }
    }

    /// The fault's place as a byte of `body`, the whole that it was found in.
    pub(super) fn offset_in(self, body: &[u8]) -> usize {
        self.at.saturating_sub(body.as_ptr().addr()).min(body.len())
    }
}

/// One field of a message.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    message: &'a [u8],
    start: usize,
    end: usize,
    wire: Wire<'a>,
}

/// A field's value by its wire type; what a group holds is never asked for.
#[derive(Clone, Copy)]
enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Group,
    Fixed32(u32),
}

impl<'a> Field<'a> {
    fn place(&self) -> &'a [u8] {
        self.message.get(self.start..).unwrap_or_default()
    }

    #[cold]
    fn mismatch(&self) -> Fault {
        Fault::new(self.place(), "a field of an unexpected wire type")
    }

    #[inline(always)]
    pub(super) fn bytes(&self) -> Result<&'a [u8], Fault> {
        if let Wire::Bytes(bytes) = self.wire { Ok(bytes) } else { Err(self.mismatch()) }
    }

    /// A text; what is not UTF-8 in it becomes U+FFFD, and then the text is owned.
    #[inline]
    pub(super) fn text(&self) -> Result<Cow<'a, str>, Fault> {
        let bytes = self.bytes()?;
        Ok(std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed))
    }

    #[inline]
    pub(super) fn varint(&self) -> Result<u64, Fault> {
        if let Wire::Varint(number) = self.wire { Ok(number) } else { Err(self.mismatch()) }
    }

    /// A `uint32`; as protobuf says, the low 32 bits of what was sent.
    #[inline]
    pub(super) fn uint32(&self) -> Result<u32, Fault> {
        Ok(self.varint()? as u32)
    }

    /// An `int32` or an enum.
    #[inline]
    pub(super) fn int32(&self) -> Result<i32, Fault> {
        Ok(self.varint()? as i32)
    }

    #[inline]
    pub(super) fn fixed64(&self) -> Result<u64, Fault> {
        if let Wire::Fixed64(number) = self.wire { Ok(number) } else { Err(self.mismatch()) }
    }

    #[inline]
    pub(super) fn fixed32(&self) -> Result<u32, Fault> {
        if let Wire::Fixed32(number) = self.wire { Ok(number) } else { Err(self.mismatch()) }
    }
}

/// How many of the texts are not what was sent, because that is not UTF-8: those are owned and, unlike
/// an absent text, not empty.
#[inline]
pub(super) fn mended<const N: usize>(texts: [&Cow<'_, str>; N]) -> u32 {
    let owned = |text: &&Cow<'_, str>| matches!(text, Cow::Owned(text) if !text.is_empty());
    texts.iter().filter(|text| owned(text)).count() as u32
}

/// The fields of a message, in the order of its bytes.
///
/// Its readers are inlined by force: a field then stays in registers. Left to the compiler it is
/// built in memory, and the whole walk takes 1.6 times as long (`examples/otlp_walk.rs`).
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Fields<'a> {
        Fields { message, at: 0 }
    }

    /// The next field; `None` at the message's end.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, Fault> {
        if self.at >= self.message.len() {
            return Ok(None);
        }
        let start = self.at;
        let (number, wire_type) = self.key()?;
        let wire = match wire_type {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => Wire::Bytes(self.delimited()?),
            5 => Wire::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => self.group(start, number, wire_type)?,
        };
        Ok(Some(Field { number, message: self.message, start, end: self.at, wire }))
    }

    #[cold]
    fn fault(&self, at: usize, what: &'static str) -> Fault {
        Fault::new(self.message.get(at..).unwrap_or_default(), what)
    }

    #[inline(always)]
    fn key(&mut self) -> Result<(u32, u8), Fault> {
        let start = self.at;
        let key = self.varint()?;
        let number = u32::try_from(key).map_err(|_| self.fault(start, "a field's key is too large"))? >> 3;
        if number == 0 {
            return Err(self.fault(start, "a field has the number 0"));
        }
        Ok((number, (key & 7) as u8))
    }

    #[inline(always)]
    fn varint(&mut self) -> Result<u64, Fault> {
        match self.message.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(byte.into())
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Fault> {
        let mut number = 0;
        for (count, &byte) in self.message.iter().skip(self.at).take(10).enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * count);
            if byte < 0x80 {
                if count == 9 && byte > 1 {
                    break;
                }
                self.at += count + 1;
                return Ok(number);
            }
        }
        Err(self.fault(self.at, "a number is cut off or too long"))
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let bytes = self.message.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let bytes = *bytes.ok_or_else(|| self.fault(self.at, "a fixed-width number is cut off"))?;
        self.at += N;
        Ok(bytes)
    }

    #[inline(always)]
    fn delimited(&mut self) -> Result<&'a [u8], Fault> {
        let start = self.at;
        let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        let bytes = self.at.checked_add(length).and_then(|end| self.message.get(self.at..end));
        let bytes = bytes.ok_or_else(|| self.fault(start, "a length reaches past the end"))?;
        self.at += length;
        Ok(bytes)
    }

    /// Skips a group, which no OTLP message has.
    #[cold]
    fn group(&mut self, start: usize, number: u32, wire_type: u8) -> Result<Wire<'a>, Fault> {
        if wire_type != 3 {
            return Err(self.fault(start, "a wire type that does not exist, or the end of no group"));
        }
        self.skip_group(number, GROUPS_MAX)?;
        Ok(Wire::Group)
    }

    fn skip_group(&mut self, number: u32, depth: u32) -> Result<(), Fault> {
        let start = self.at;
        let depth = depth.checked_sub(1).ok_or_else(|| self.fault(start, "groups nest too deep"))?;
        loop {
            let start = self.at;
            let (inner, wire_type) = self.key()?;
            match wire_type {
                0 => drop(self.varint()?),
                1 => drop(self.array::<8>()?),
                2 => drop(self.delimited()?),
                3 => self.skip_group(inner, depth)?,
                4 if inner == number => return Ok(()),
                5 => drop(self.array::<4>()?),
                _ => return Err(self.fault(start, "a group does not end as it began")),
            }
        }
    }
}

/// A message that is read in place.
pub(super) trait Message<'a>: Sized {
    /// Reads the message whose bytes these are.
    fn read(message: &'a [u8]) -> Result<Self, Fault>;
}

/// Guards a field that holds one message. Protobuf would merge the halves of a message that is split in
/// two; no sender splits one, and a view that silently showed a half would be worse than a refusal.
#[derive(Default)]
pub(super) struct Once(bool);

impl Once {
    /// The bytes of the field's first occurrence; a second one is a fault.
    #[inline]
    pub(super) fn bytes<'a>(&mut self, field: &Field<'a>) -> Result<&'a [u8], Fault> {
        if std::mem::replace(&mut self.0, true) {
            return Err(Fault::new(field.place(), "a message that may stand once stands twice"));
        }
        field.bytes()
    }
}

/// All occurrences of one field of a message: the stretch of bytes from the first to the last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Repeated<'a> {
    number: u32,
    /// From the message's beginning to the last occurrence's end.
    message: &'a [u8],
    start: usize,
}

impl<'a> Repeated<'a> {
    /// Takes one more occurrence.
    #[inline]
    pub(super) fn push(&mut self, field: &Field<'a>) -> Result<(), Fault> {
        field.bytes()?;
        if self.number == 0 {
            self.number = field.number;
            self.start = field.start;
        }
        self.message = field.message.get(..field.end).unwrap_or_default();
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.number == 0
    }

    /// The messages that the field holds.
    #[inline]
    pub(super) fn messages<T: Message<'a>>(self) -> Messages<'a, T> {
        let fields = Fields { message: self.message, at: self.start };
        Messages { fields, number: self.number, message: std::marker::PhantomData }
    }
}

/// The messages of a repeated field; the first fault ends them.
#[derive(Clone)]
pub(super) struct Messages<'a, T> {
    fields: Fields<'a>,
    number: u32,
    message: std::marker::PhantomData<T>,
}

impl<'a, T: Message<'a>> Messages<'a, T> {
    #[inline]
    fn advance(&mut self) -> Result<Option<T>, Fault> {
        while let Some(field) = self.fields.next()? {
            if field.number == self.number {
                return T::read(field.bytes()?).map(Some);
            }
        }
        Ok(None)
    }
}

impl<'a, T: Message<'a>> Iterator for Messages<'a, T> {
    type Item = Result<T, Fault>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if matches!(next, Some(Err(_))) {
            self.fields = Fields::of(&[]);
        }
        next
    }
}

/// A message that is one repeated field, number 1: a request, an `ArrayValue`, a `KeyValueList`.
#[derive(Default)]
pub(super) struct List<'a>(pub(super) Repeated<'a>);

impl<'a> Message<'a> for List<'a> {
    #[inline]
    fn read(message: &'a [u8]) -> Result<Self, Fault> {
        let mut list = List::default();
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            if field.number == 1 {
                list.0.push(&field)?;
            }
        }
        Ok(list)
    }
}
