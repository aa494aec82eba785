//! The file `end`: how far the journal is durable, for readers in other processes.
//!
//! The writer overwrites it in place after every sync and before any acknowledgement. It is not
//! synced itself: it can lag behind what is durable, and never leads. It tells the boot of its
//! machine, because on the same boot the page cache may still hold bytes that are on no disk.

use std::io;
use std::sync::Arc;

use hlc::Stamp;

use crate::format::{Fields, Invalid, VERSION, checksum};
use crate::request::Place;
use crate::storage::{Blob, Storage};

/// The file's name.
pub(crate) const NAME: &str = "end";

const MAGIC: [u8; 4] = *b"BEND";
/// magic + version + zero + boot + segment + offset + clock bound + oldest segment + check.
const LEN: usize = 4 + 2 + 2 + 16 + 8 + 8 + 8 + 8 + 4;

/// Which run of which machine's kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Boot(u128);

impl Boot {
    /// The present one. Where the system does not tell, one that all such systems share: they take
    /// every end for one of their own boot, which only ever makes them trust less.
    pub(crate) fn current() -> Boot {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        Boot(u128::from_str_radix(&digits, 16).unwrap_or_default())
    }

    #[cfg(test)]
    pub(crate) fn numbered(number: u128) -> Boot {
        Boot(number)
    }
}

/// How far the journal is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) boot: Boot,
    /// Just past the last durable block.
    pub(crate) place: Place,
    pub(crate) bound: Stamp,
    /// The oldest segment held.
    pub(crate) oldest: u64,
}

impl End {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(self.boot.0.to_le_bytes());
        let numbers = [self.place.segment, self.place.offset, self.bound.to_bits(), self.oldest];
        numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        let check = checksum(0, &[&bytes]);
        bytes.extend(check.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<End, Invalid> {
        let mut fields = Fields(bytes);
        if fields.array()? != MAGIC {
            return Err(Invalid::Magic);
        }
        fields.bytes(2 + 2)?;
        let boot = Boot(fields.array().map(u128::from_le_bytes)?);
        let place = Place { segment: fields.u64()?, offset: fields.u64()? };
        let (bound, oldest) = (fields.stamp()?, fields.u64()?);
        if fields.u32()? != checksum(0, &[&bytes[..LEN - 4]]) {
            return Err(Invalid::Checksum);
        }
        Ok(End { boot, place, bound, oldest })
    }
}

/// Reads the end; `None` where there is no whole one. A read beside a write may see half of each: it is
/// tried again.
pub(crate) fn read(storage: &dyn Storage) -> io::Result<Option<End>> {
    let blob = match storage.open(NAME, false) {
        Ok(blob) => blob,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    for _ in 0..3 {
        if let Ok(end) = End::decode(&blob.read_up_to(LEN, 0)?) {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

/// The writer's side of it.
pub(crate) struct EndFile(Arc<dyn Blob>);

impl EndFile {
    /// Opens or makes the file and writes `end` to it, durably.
    pub(crate) fn open(storage: &dyn Storage, end: &End) -> io::Result<EndFile> {
        let (blob, made) = match storage.open(NAME, true) {
            Ok(blob) => (blob, false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (storage.create(NAME)?, true),
            Err(error) => return Err(error),
        };
        let file = EndFile(blob);
        file.write(end)?;
        file.sync()?;
        if made {
            storage.sync_names()?;
        }
        Ok(file)
    }

    pub(crate) fn write(&self, end: &End) -> io::Result<()> {
        self.0.write_all_at(&end.encode(), 0)
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
}
