//! The server's own keys. What they seal needs a second half to open: the secret
//! that only the browser holds. The first key seals, every key opens, so that
//! keys can be rotated without signing anybody out.

use std::str::FromStr;

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::{
    aead::{AES_256_GCM, LessSafeKey, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
    hmac,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{
    Binding, Unsealable,
    envelope::{open, seal},
    random,
};

const KEY_LENGTH: usize = 32;
const MAX_ID_LENGTH: usize = 32;

/// The half of a key that only the browser's cookie has.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct HolderSecret([u8; Self::LENGTH]);

impl HolderSecret {
    /// The secret's length in bytes.
    pub(crate) const LENGTH: usize = 32;

    /// A new random secret.
    pub(crate) fn generate() -> Self {
        Self(random())
    }

    /// The secret out of the bytes that a cookie brought.
    pub(crate) const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the cookie.
    pub(crate) const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

/// The server's keys, newest first.
pub(crate) struct KeyRing {
    newest: Key,
    older: Vec<Key>,
}

struct Key {
    id: String,
    sealing: Salt,
    index: hmac::Key,
}

impl KeyRing {
    /// Seals `plaintext` so that it opens with this ring and `holder` together.
    pub(crate) fn seal(
        &self,
        holder: &HolderSecret,
        binding: &Binding,
        plaintext: &[u8],
    ) -> Vec<u8> {
        let id = self.newest.id.as_bytes();
        let envelope = seal(&self.newest.derive(holder, binding), binding, plaintext);
        let mut sealed = Vec::with_capacity(1 + id.len() + envelope.len());
        sealed.push(u8::try_from(id.len()).expect("the parser limits the length of an id"));
        sealed.extend_from_slice(id);
        sealed.extend_from_slice(&envelope);
        sealed
    }

    /// Opens what this ring, now or before its rotation, sealed for `holder`.
    ///
    /// # Errors
    /// When it is cut, changed, or belongs to another holder, place or ring.
    pub(crate) fn open(
        &self,
        holder: &HolderSecret,
        binding: &Binding,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let (&length, rest) = sealed.split_first().ok_or(Unsealable)?;
        let (id, envelope) = rest.split_at_checked(length.into()).ok_or(Unsealable)?;
        let key = self
            .keys()
            .find(|key| key.id.as_bytes() == id)
            .ok_or(Unsealable)?;
        open(&key.derive(holder, binding), binding, envelope.to_vec()).map(Zeroizing::new)
    }

    /// A keyed hash by which equal values can be found without being readable,
    /// with the id of the key that made it.
    pub(crate) fn index(&self, value: &str) -> String {
        let tag = hmac::sign(&self.newest.index, value.as_bytes());
        format!("{}:{}", self.newest.id, BASE64_STANDARD.encode(tag))
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

impl Key {
    fn new(id: &str, bytes: &[u8; KEY_LENGTH]) -> Self {
        let sealing = Salt::new(HKDF_SHA256, bytes);
        let index = sealing.extract(b"bionicpro.auth.index.v1");
        let index = index
            .expand(&[], hmac::HMAC_SHA256)
            .expect("the length is the algorithm's")
            .into();
        Self {
            id: id.to_owned(),
            sealing,
            index,
        }
    }

    fn derive(&self, holder: &HolderSecret, binding: &Binding) -> LessSafeKey {
        let key: UnboundKey = self
            .sealing
            .extract(&holder.0)
            .expand(&[binding.as_bytes()], &AES_256_GCM)
            .expect("the length is the algorithm's")
            .into();
        LessSafeKey::new(key)
    }
}

/// Why a text is not a key ring. It never repeats the text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidKeyRing {
    /// An entry lacks its colon.
    #[error("each key is written id:base64, newest first, separated by commas")]
    Form,
    /// An id is empty, too long, or occurs twice.
    #[error("the id of a key has 1 to {MAX_ID_LENGTH} characters and occurs once")]
    Id,
    /// A key is not the right number of bytes.
    #[error("a key is {KEY_LENGTH} random bytes in base64")]
    Key,
}

impl FromStr for KeyRing {
    type Err = InvalidKeyRing;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut keys: Vec<Key> = Vec::new();
        for entry in text.split(',') {
            let (id, key) = entry.trim().split_once(':').ok_or(InvalidKeyRing::Form)?;
            if id.is_empty() || id.len() > MAX_ID_LENGTH || keys.iter().any(|key| key.id == id) {
                return Err(InvalidKeyRing::Id);
            }
            let bytes = Zeroizing::new(
                BASE64_STANDARD
                    .decode(key)
                    .map_err(|_| InvalidKeyRing::Key)?,
            );
            keys.push(Key::new(
                id,
                bytes
                    .as_slice()
                    .try_into()
                    .map_err(|_| InvalidKeyRing::Key)?,
            ));
        }
        let older = keys.split_off(1);
        let newest = keys.pop().ok_or(InvalidKeyRing::Form)?;
        Ok(Self { newest, older })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::sealing::Purpose;

    fn key(fill: u8) -> String {
        BASE64_STANDARD.encode([fill; KEY_LENGTH])
    }

    fn ring(text: &str) -> KeyRing {
        text.parse().unwrap()
    }

    fn binding() -> Binding {
        Binding::new(Purpose::DataKey, &[b"session", b"ticket"])
    }

    #[test]
    fn the_ring_and_the_holder_together_open_it() {
        let ring = ring(&format!("a:{}", key(1)));
        let holder = HolderSecret::generate();
        let sealed = ring.seal(&holder, &binding(), b"data key");
        assert_eq!(
            **ring.open(&holder, &binding(), &sealed).unwrap(),
            *b"data key"
        );
    }

    #[test]
    fn another_holder_does_not_open_it() {
        let ring = ring(&format!("a:{}", key(1)));
        let sealed = ring.seal(&HolderSecret::generate(), &binding(), b"data key");
        assert_eq!(
            ring.open(&HolderSecret::generate(), &binding(), &sealed),
            Err(Unsealable)
        );
    }

    #[test]
    fn a_rotated_ring_opens_what_its_older_key_sealed_and_seals_with_the_newer() {
        let holder = HolderSecret::generate();
        let before = ring(&format!("a:{}", key(1)));
        let after = ring(&format!("b:{},a:{}", key(2), key(1)));
        let sealed = before.seal(&holder, &binding(), b"data key");
        assert!(after.open(&holder, &binding(), &sealed).is_ok());
        let sealed = after.seal(&holder, &binding(), b"data key");
        assert_eq!(before.open(&holder, &binding(), &sealed), Err(Unsealable));
    }

    #[test]
    fn a_ring_that_dropped_the_key_does_not_open_it() {
        let holder = HolderSecret::generate();
        let sealed = ring(&format!("a:{}", key(1))).seal(&holder, &binding(), b"data key");
        assert_eq!(
            ring(&format!("b:{}", key(2))).open(&holder, &binding(), &sealed),
            Err(Unsealable)
        );
    }

    #[test]
    fn a_foreign_ring_with_the_same_key_id_does_not_open_it() {
        let holder = HolderSecret::generate();
        let sealed = ring(&format!("a:{}", key(1))).seal(&holder, &binding(), b"data key");
        assert_eq!(
            ring(&format!("a:{}", key(2))).open(&holder, &binding(), &sealed),
            Err(Unsealable)
        );
    }

    #[test]
    fn equal_values_have_equal_indexes_only_under_one_ring() {
        let (one, other) = (
            ring(&format!("a:{}", key(1))),
            ring(&format!("a:{}", key(2))),
        );
        assert_eq!(one.index("subject"), one.index("subject"));
        assert_ne!(one.index("subject"), one.index("another"));
        assert_ne!(one.index("subject"), other.index("subject"));
    }

    #[test]
    fn a_text_that_is_no_ring_is_refused() {
        let refused = |text: &str| text.parse::<KeyRing>().err().unwrap();
        assert_eq!(refused(""), InvalidKeyRing::Form);
        assert_eq!(refused(&key(1)), InvalidKeyRing::Form);
        assert_eq!(refused(&format!(":{}", key(1))), InvalidKeyRing::Id);
        assert_eq!(
            refused(&format!("a:{},a:{}", key(1), key(2))),
            InvalidKeyRing::Id
        );
        assert_eq!(refused("a:c2hvcnQ="), InvalidKeyRing::Key);
        assert_eq!(refused("a:%%%"), InvalidKeyRing::Key);
    }

    proptest! {
        #[test]
        fn any_changed_bit_closes_it(at: prop::sample::Index, bit in 0..8_u8) {
            let ring = ring(&format!("a:{},b:{}", key(1), key(2)));
            let holder = HolderSecret::generate();
            let mut sealed = ring.seal(&holder, &binding(), b"data key");
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert_eq!(ring.open(&holder, &binding(), &sealed), Err(Unsealable));
        }

        #[test]
        fn no_bytes_make_it_fail_otherwise(bytes: Vec<u8>) {
            let ring = ring(&format!("a:{}", key(1)));
            prop_assert_eq!(ring.open(&HolderSecret::generate(), &binding(), &bytes), Err(Unsealable));
        }
    }
}
