//! The contracts of the BionicPRO mesh, compiled: messages, servers, clients, who may call what
//! ([`policy`]) and which requests are well-formed ([`validation`]). No I/O happens here.

pub mod codec;
pub mod policy;
mod reason;
pub mod validation;

#[allow(missing_docs, unreachable_pub, clippy::all)]
mod packages {
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

pub use packages::bionicpro::*;
pub use reason::DOMAIN;

/// The encoded `google.protobuf.FileDescriptorSet` of all contracts and their imports, with
/// options and without comments.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
