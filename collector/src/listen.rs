//! Listeners: which addresses, and what is wrong with one that can't be had.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::StartError;

/// One name's listeners; the first one's address stands for all.
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) address: SocketAddr,
    pub(crate) all: Vec<TcpListener>,
}

/// Listens on `address`, a `HOST:PORT`. `localhost` means 127.0.0.1 and ::1: some clients try the one
/// first, some the other. Without tokens only a loopback address is accepted.
pub(crate) async fn listen(address: &str, has_tokens: bool) -> Result<Listeners, StartError> {
    let resolved = tokio::net::lookup_host(address)
        .await
        .map_err(|error| StartError::Address { address: address.into(), error })?;
    let mut resolved: Vec<SocketAddr> = resolved.collect();
    resolved.sort_by_key(SocketAddr::is_ipv6);
    if let Some(open) = resolved.iter().find(|resolved| !is_loopback(resolved.ip()) && !has_tokens) {
        return Err(StartError::Exposed { address: *open });
    }
    let first = *resolved.first().ok_or_else(|| StartError::Address {
        address: address.into(),
        error: std::io::Error::new(ErrorKind::NotFound, "no such host"),
    })?;
    let listener = bind(first).await?;
    let bound = listener.local_addr().map_err(|error| StartError::Bind { address: first, error })?;
    let mut all = vec![listener];
    if address.starts_with("localhost:") && bound.is_ipv4() {
        let beside = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), bound.port());
        match bind(beside).await {
            Ok(listener) => all.push(listener),
            Err(StartError::Bind { .. }) => {
                tracing::debug!("{beside} can't be had: this machine has no IPv6");
            }
            Err(busy) => return Err(busy),
        }
    }
    Ok(Listeners { address: bound, all })
}

/// Also where an IPv6 address only wraps one of IPv4.
fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => StartError::Busy { address, port: address.port() },
        _ => StartError::Bind { address, error },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_port_is_named() {
        let held = listen("127.0.0.1:0", false).await.unwrap();
        let error = listen(&held.address.to_string(), false).await.unwrap_err();
        assert!(matches!(error, StartError::Busy { port, .. } if port == held.address.port()), "{error}");
        assert!(error.to_string().contains(&held.address.port().to_string()), "{error}");
    }

    #[tokio::test]
    async fn beyond_loopback_it_wants_tokens() {
        for address in ["0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0"] {
            let error = listen(address, false).await.unwrap_err();
            assert!(matches!(error, StartError::Exposed { .. }), "{address}: {error}");
        }
        assert!(listen("0.0.0.0:0", true).await.is_ok());
    }

    #[tokio::test]
    async fn localhost_is_both_loopbacks_on_one_port() {
        let listeners = listen("localhost:0", false).await.unwrap();
        assert_eq!(listeners.address.ip().to_string(), "127.0.0.1");
        for listener in &listeners.all {
            let address = listener.local_addr().unwrap();
            assert!(address.ip().is_loopback());
            assert_eq!(address.port(), listeners.address.port());
        }
    }

    #[tokio::test]
    async fn what_is_no_address_is_told_so() {
        for nonsense in ["", "4317", "127.0.0.1", "127.0.0.1:port", "127.0.0.1:70000"] {
            let error = listen(nonsense, false).await.unwrap_err();
            assert!(matches!(error, StartError::Address { .. }), "{nonsense}: {error}");
        }
    }
}
