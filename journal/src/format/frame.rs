//! A frame: one request, or one annotation, with what is told about it and its body.

use bytes::Bytes;
use hlc::Stamp;
use timeline::annotation::Written;
use timeline::record::Record;

use super::{Fields, Invalid};
use crate::otlp::{self, Encoding, Malformed, Signal};
use crate::request::{Content, Place, Request, Source};

/// signal + encoding + source + flags + stamp + carried + items + lengths of peer, tenant, refused and body.
pub(crate) const FRAME_HEADER_LEN: usize = 1 + 1 + 1 + 1 + 8 + 8 + 4 + 2 + 2 + 4 + 4;

const ARRIVAL_IS_EVIDENCE: u8 = 1;
const CARRIED: u8 = 2;

/// Where a request's frame has its signal, an annotation's has this.
pub(crate) const ANNOTATION: u8 = 3;
/// Where a request's frame has its source: an engineer.
const ENGINEER: u8 = 4;

/// One request as the journal holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Spans or logs.
    pub signal: Signal,
    /// The form of `body`.
    pub encoding: Encoding,
    /// How it came.
    pub source: Source,
    /// Whom it came from.
    pub peer: String,
    /// Whose it is; empty for now.
    pub tenant: String,
    /// The collector's stamp of its arrival.
    pub stamp: Stamp,
    /// The largest stamp that its items carried, also where it was too far ahead to be merged.
    pub carried: Option<Stamp>,
    /// Whether the time of its arrival says anything about the time of its items.
    pub arrival_is_evidence: bool,
    /// How many items the body holds, refused ones counted.
    pub items: u32,
    /// The ordinals of the items that were refused.
    pub refused: Vec<u32>,
    /// The body verbatim.
    pub body: Bytes,
}

impl Frame {
    /// The records of the request, which is frame `number` of the block at `place`. Refused items are left out;
    /// the arrival stamp too where the arrival is no evidence.
    pub fn records(&self, place: Place, number: u32) -> Result<Vec<Record>, Malformed> {
        let arrival = self.arrival_is_evidence.then_some(self.stamp);
        let first = place.position(number, 0);
        otlp::decode(self.signal, self.encoding, &self.body, &self.refused, first, arrival)
    }
}

/// An annotation as the journal holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// The stamp that it was first written with.
    pub(crate) stamp: Stamp,
    /// A [`timeline::annotation::Annotation`] in JSON.
    pub(crate) body: Bytes,
}

impl Remark {
    /// What it says; `None` for what a later version wrote, or nobody.
    pub(crate) fn annotation(&self) -> Option<Written> {
        let annotation = serde_json::from_slice(&self.body).ok()?;
        Some(Written { stamp: self.stamp, annotation })
    }
}

/// The bytes that `content` takes in a payload.
pub(crate) fn encoded_len(content: &Content) -> usize {
    match content {
        Content::Annotation { body, .. } => FRAME_HEADER_LEN + body.len(),
        Content::Request(request) => {
            FRAME_HEADER_LEN
                + cut(&request.peer).len()
                + cut(&request.tenant).len()
                + 4 * request.refused.len()
                + request.body.len()
        }
    }
}

/// Appends the frame of `content` to a payload. Lengths fit: [`encoded_len`] was held against the block's limit.
pub(crate) fn encode(content: &Content, stamp: Stamp, payload: &mut Vec<u8>) {
    match content {
        Content::Request(request) => encode_request(request, stamp, payload),
        Content::Annotation { body, first } => {
            let carried = if first.is_some() { CARRIED } else { 0 };
            payload.extend([ANNOTATION, Encoding::Json as u8, ENGINEER, carried]);
            payload.extend(stamp.to_bits().to_le_bytes());
            payload.extend(first.unwrap_or_default().to_bits().to_le_bytes());
            payload.extend([0; 4 + 2 + 2 + 4]); // no items, no peer, no tenant, nothing refused
            payload.extend((body.len() as u32).to_le_bytes());
            payload.extend(body);
        }
    }
}

fn encode_request(request: &Request, stamp: Stamp, payload: &mut Vec<u8>) {
    let (peer, tenant) = (cut(&request.peer), cut(&request.tenant));
    let evidence = if request.arrival_is_evidence { ARRIVAL_IS_EVIDENCE } else { 0 };
    let carried = if request.carried.is_some() { CARRIED } else { 0 };
    payload.extend([request.signal as u8, request.encoding as u8, request.source as u8, evidence | carried]);
    payload.extend(stamp.to_bits().to_le_bytes());
    payload.extend(request.carried.unwrap_or_default().to_bits().to_le_bytes());
    payload.extend(request.items.to_le_bytes());
    payload.extend((peer.len() as u16).to_le_bytes());
    payload.extend((tenant.len() as u16).to_le_bytes());
    payload.extend((request.refused.len() as u32).to_le_bytes());
    payload.extend((request.body.len() as u32).to_le_bytes());
    payload.extend(peer);
    payload.extend(tenant);
    request.refused.iter().for_each(|ordinal| payload.extend(ordinal.to_le_bytes()));
    payload.extend(&request.body);
}

/// Reads the frame at the front of `payload`, which it moves past it. The body shares the payload's memory.
pub(crate) fn decode(payload: &mut Bytes) -> Result<Frame, Invalid> {
    let mut fields = Fields(payload);
    let signal = Signal::from_number(fields.u8()?).ok_or(Invalid::Field("a frame's signal"))?;
    let encoding = Encoding::from_number(fields.u8()?).ok_or(Invalid::Field("a frame's encoding"))?;
    let source = Source::from_number(fields.u8()?).ok_or(Invalid::Field("a frame's source"))?;
    let flags = fields.u8()?;
    let stamp = fields.stamp()?;
    let carried = fields.stamp()?;
    let items = fields.u32()?;
    let peer_len = usize::from(fields.u16()?);
    let tenant_len = usize::from(fields.u16()?);
    let refused_len = fields.u32()? as usize;
    let body_len = fields.u32()? as usize;
    let peer = text(fields.bytes(peer_len)?);
    let tenant = text(fields.bytes(tenant_len)?);
    let refused = fields.bytes(refused_len.checked_mul(4).ok_or(Invalid::Short)?)?;
    let refused = refused.as_chunks().0.iter().map(|ordinal| u32::from_le_bytes(*ordinal)).collect();
    let body_at = payload.len() - fields.0.len();
    fields.bytes(body_len)?;
    let mut body = payload.split_to(body_at + body_len);
    Ok(Frame {
        signal,
        encoding,
        source,
        peer,
        tenant,
        stamp,
        carried: (flags & CARRIED != 0).then_some(carried),
        arrival_is_evidence: flags & ARRIVAL_IS_EVIDENCE != 0,
        items,
        refused,
        body: body.split_off(body_at),
    })
}

/// Reads the annotation at the front of `payload`, which it moves past it.
pub(crate) fn decode_remark(payload: &mut Bytes) -> Result<Remark, Invalid> {
    let mut fields = Fields(payload);
    if fields.u8()? != ANNOTATION || fields.u8()? != Encoding::Json as u8 || fields.u8()? != ENGINEER {
        return Err(Invalid::Field("an annotation's frame"));
    }
    let flags = fields.u8()?;
    let (stamp, first) = (fields.stamp()?, fields.stamp()?);
    fields.bytes(4 + 2 + 2 + 4)?;
    let body_len = fields.u32()? as usize;
    fields.bytes(body_len)?;
    let mut body = payload.split_to(FRAME_HEADER_LEN + body_len);
    let stamp = if flags & CARRIED == 0 { stamp } else { first };
    Ok(Remark { stamp, body: body.split_off(FRAME_HEADER_LEN) })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The longest beginning of `text` whose length fits 16 bits.
fn cut(text: &str) -> &[u8] {
    &text.as_bytes()[..text.floor_char_boundary(usize::from(u16::MAX))]
}
