//! Keys that sign tokens as an identity provider does (RFC 7515).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use serde_json::{Value, json};

/// A key pair.
pub(crate) enum SigningKey {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl SigningKey {
    /// A fresh key for ES256.
    pub(crate) fn ec() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap())
    }

    /// A fresh key for RS256.
    pub(crate) fn rsa() -> Self {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        Self::Rsa(RsaKeyPair::from_der(key.to_pkcs1_der().unwrap().as_bytes()).unwrap())
    }

    /// The public key (RFC 7517).
    pub(crate) fn jwk(&self) -> Value {
        match self {
            Self::Ec(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                let [x, y] = [x, y].map(|it| BASE64.encode(it));
                json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "x": x, "y": y })
            }
            Self::Rsa(key) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
                let [n, e] = [public.n, public.e].map(|it| BASE64.encode(it));
                json!({ "kty": "RSA", "alg": "RS256", "n": n, "e": e })
            }
        }
    }

    /// A token with these claims.
    pub(crate) fn token(&self, kid: &str, claims: &Value) -> String {
        let algorithm = if matches!(self, Self::Ec(_)) {
            "ES256"
        } else {
            "RS256"
        };
        token(algorithm, kid, claims, |message| self.sign(message))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }
}

/// A token that says it is signed by an algorithm, and a way to sign it.
pub(crate) fn token(
    algorithm: &str,
    kid: &str,
    claims: &Value,
    sign: impl Fn(&[u8]) -> Vec<u8>,
) -> String {
    let header = json!({ "alg": algorithm, "typ": "JWT", "kid": kid });
    let [header, claims] = [&header, claims].map(|part| BASE64.encode(part.to_string()));
    let signature = BASE64.encode(sign(format!("{header}.{claims}").as_bytes()));
    format!("{header}.{claims}.{signature}")
}
