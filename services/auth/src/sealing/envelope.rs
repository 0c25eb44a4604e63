//! One envelope: `nonce (12) ‖ ciphertext ‖ tag (16)`, AES-256-GCM, bound by its
//! associated data to a purpose and to the place where it belongs.

use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};

use super::random;

/// The envelope cannot be opened: it is cut, changed, or meant for another key or place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsealable;

/// What an envelope is for. An envelope of one purpose never opens as another.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// A session's data key, wrapped for a ticket.
    DataKey,
    /// A session's access token with what every check needs.
    Access,
    /// A session's refresh token.
    Refresh,
    /// A sign-in under way.
    Attempt,
    /// How a sign-in ended.
    Outcome,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::DataKey => b"bionicpro.auth.data-key.v1",
            Self::Access => b"bionicpro.auth.access.v1",
            Self::Refresh => b"bionicpro.auth.refresh.v1",
            Self::Attempt => b"bionicpro.auth.attempt.v1",
            Self::Outcome => b"bionicpro.auth.outcome.v1",
        }
    }
}

/// A purpose and the place of an envelope, as the bytes that authenticate both.
pub(crate) struct Binding(Vec<u8>);

impl Binding {
    /// Binds to `purpose` and to every part of `place`. Lengths are included, so
    /// that no two places have the same bytes.
    pub(crate) fn new(purpose: Purpose, place: &[&[u8]]) -> Self {
        let mut bytes = Vec::with_capacity(96);
        for part in [purpose.label()].iter().chain(place) {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

pub(super) fn seal(key: &LessSafeKey, binding: &Binding, plaintext: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE_LEN] = random();
    let mut sealed = Vec::with_capacity(NONCE_LEN + plaintext.len() + key.algorithm().tag_len());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plaintext);
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(binding.as_bytes()),
            &mut sealed[NONCE_LEN..],
        )
        .expect("what is sealed here is far below the algorithm's 64 GiB");
    sealed.extend_from_slice(tag.as_ref());
    sealed
}

pub(super) fn open(
    key: &LessSafeKey,
    binding: &Binding,
    mut sealed: Vec<u8>,
) -> Result<Vec<u8>, Unsealable> {
    let nonce = sealed.first_chunk::<NONCE_LEN>().ok_or(Unsealable)?;
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = key
        .open_within(
            nonce,
            Aad::from(binding.as_bytes()),
            &mut sealed,
            NONCE_LEN..,
        )
        .map_err(|_| Unsealable)?
        .len();
    sealed.truncate(length);
    Ok(sealed)
}
