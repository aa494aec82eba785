//! The receivers over real sockets: every answer that a sender can get.

#[cfg(test)]
mod admission;
#[cfg(test)]
mod durable;
#[cfg(test)]
mod exporters;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod http;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod support;
