//! Reading a request's body within the limit, the budget and a patience.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::budget::Share;
use crate::refusal::Refusal;

/// How long a body may stand still before the receiver gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// No more than this is allocated on a sender's word alone; the rest as its bytes come.
const TRUSTED_BYTES_MAX: usize = 1 << 20;

/// How long, and how much, of a refused request is still read, so that the sender gets to the answer
/// in place of a reset connection.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// Reads the whole body. `announced` is the length that the sender promised, if any.
pub(crate) async fn read(
    body: &mut Incoming,
    announced: Option<usize>,
    limit: usize,
    share: &mut Share,
) -> Result<Bytes, Refusal> {
    if announced.is_some_and(|length| length > limit) {
        return Err(Refusal::TooLarge { limit });
    }
    let Some(first) = next_chunk(body, 0, limit, share).await? else { return Ok(Bytes::new()) };
    let Some(second) = next_chunk(body, first.len(), limit, share).await? else { return Ok(first) };

    let mut whole = BytesMut::with_capacity(announced.unwrap_or(0).min(TRUSTED_BYTES_MAX));
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    while let Some(chunk) = next_chunk(body, whole.len(), limit, share).await? {
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// Reads and forgets the whole body, for what is counted and dropped. Returns its length.
pub(crate) async fn skip(body: &mut Incoming, limit: usize) -> Result<u64, Refusal> {
    let mut length = 0;
    while let Some(chunk) = data_frame(body).await? {
        length += chunk.len();
        if length > limit {
            return Err(Refusal::TooLarge { limit });
        }
    }
    Ok(length as u64)
}

/// Reads what a refused sender is still sending, beside the answer, up to a bound.
pub(crate) fn drain(mut body: Incoming, limit: usize) {
    if http_body::Body::is_end_stream(&body) {
        return;
    }
    tokio::spawn(async move {
        // Whatever ends it, the answer has been given: there is nobody to tell.
        let _ = tokio::time::timeout(DRAIN_TIME_MAX, skip(&mut body, limit)).await;
    });
}

async fn next_chunk(
    body: &mut Incoming,
    read: usize,
    limit: usize,
    share: &mut Share,
) -> Result<Option<Bytes>, Refusal> {
    let Some(chunk) = data_frame(body).await? else { return Ok(None) };
    if read + chunk.len() > limit {
        return Err(Refusal::TooLarge { limit });
    }
    share.grow(chunk.len())?;
    Ok(Some(chunk))
}

async fn data_frame(body: &mut Incoming) -> Result<Option<Bytes>, Refusal> {
    loop {
        match tokio::time::timeout(PATIENCE, body.frame()).await {
            Err(_) => return Err(Refusal::Stalled(PATIENCE)),
            Ok(None) => return Ok(None),
            Ok(Some(Err(error))) => return Err(Refusal::Cut(error.to_string())),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
