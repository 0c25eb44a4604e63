//! The random key of one session: it seals the session's tokens and is itself
//! kept only wrapped.

use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use zeroize::Zeroizing;

use super::{
    Binding, Unsealable,
    envelope::{open, seal},
    random,
};

/// A session's data key.
pub(crate) struct DataKey {
    bytes: Zeroizing<[u8; Self::LENGTH]>,
    key: LessSafeKey,
}

impl DataKey {
    const LENGTH: usize = 32;

    /// A new random key.
    pub(crate) fn generate() -> Self {
        Self::new(Zeroizing::new(random()))
    }

    fn new(bytes: Zeroizing<[u8; Self::LENGTH]>) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &*bytes).expect("the length is the algorithm's");
        Self {
            bytes,
            key: LessSafeKey::new(key),
        }
    }

    /// The key out of its unwrapped bytes.
    ///
    /// # Errors
    /// When the length is not that of a key.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Unsealable> {
        Ok(Self::new(Zeroizing::new(
            bytes.try_into().map_err(|_| Unsealable)?,
        )))
    }

    /// The bytes, to be wrapped.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &*self.bytes
    }

    /// Seals `plaintext` for its place.
    pub(crate) fn seal(&self, binding: &Binding, plaintext: &[u8]) -> Vec<u8> {
        seal(&self.key, binding, plaintext)
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// When it is cut, changed, or was sealed by another key or for another place.
    pub(crate) fn open(&self, binding: &Binding, sealed: Vec<u8>) -> Result<Vec<u8>, Unsealable> {
        open(&self.key, binding, sealed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::sealing::Purpose;

    proptest! {
        #[test]
        fn what_is_sealed_opens_at_its_place(plaintext: Vec<u8>, place: Vec<u8>) {
            let key = DataKey::generate();
            let sealed = key.seal(&Binding::new(Purpose::Access, &[&place]), &plaintext);
            prop_assert_eq!(key.open(&Binding::new(Purpose::Access, &[&place]), sealed), Ok(plaintext));
        }

        #[test]
        fn any_changed_bit_closes_it(plaintext in prop::collection::vec(any::<u8>(), 0..64), at: prop::sample::Index, bit in 0..8_u8) {
            let key = DataKey::generate();
            let binding = Binding::new(Purpose::Access, &[]);
            let mut sealed = key.seal(&binding, &plaintext);
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert_eq!(key.open(&binding, sealed), Err(Unsealable));
        }

        #[test]
        fn any_cut_closes_it(plaintext in prop::collection::vec(any::<u8>(), 0..64), at: prop::sample::Index) {
            let key = DataKey::generate();
            let binding = Binding::new(Purpose::Access, &[]);
            let mut sealed = key.seal(&binding, &plaintext);
            sealed.truncate(at.index(sealed.len()));
            prop_assert_eq!(key.open(&binding, sealed), Err(Unsealable));
        }

        #[test]
        fn another_place_does_not_open_it(one: (Vec<u8>, Vec<u8>), other: (Vec<u8>, Vec<u8>)) {
            prop_assume!(one != other);
            let key = DataKey::generate();
            let sealed = key.seal(&Binding::new(Purpose::Access, &[&one.0, &one.1]), b"token");
            let elsewhere = Binding::new(Purpose::Access, &[&other.0, &other.1]);
            prop_assert_eq!(key.open(&elsewhere, sealed), Err(Unsealable));
        }
    }

    #[test]
    fn another_purpose_does_not_open_it() {
        let key = DataKey::generate();
        let sealed = key.seal(&Binding::new(Purpose::Access, &[b"place"]), b"token");
        assert_eq!(
            key.open(&Binding::new(Purpose::Refresh, &[b"place"]), sealed),
            Err(Unsealable)
        );
    }

    #[test]
    fn another_key_does_not_open_it() {
        let binding = Binding::new(Purpose::Access, &[]);
        let sealed = DataKey::generate().seal(&binding, b"token");
        assert_eq!(DataKey::generate().open(&binding, sealed), Err(Unsealable));
    }
}
