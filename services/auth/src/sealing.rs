//! Authenticated encryption of what Redis keeps: the envelope, the keys that
//! seal it and what each envelope is bound to. What is sealed is decided elsewhere.

mod data_key;
mod envelope;
mod key_ring;

use ring::rand::{SecureRandom, SystemRandom};

pub(crate) use self::{
    data_key::DataKey,
    envelope::{Binding, Purpose, Unsealable},
    key_ring::{HolderSecret, KeyRing},
};

/// `N` unguessable bytes.
///
/// # Panics
/// When the operating system has no randomness to give.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the operating system gives random bytes");
    bytes
}
