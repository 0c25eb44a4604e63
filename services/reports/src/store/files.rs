//! The file store, by S3: an object a file, in a private bucket, with the digest of its bytes beside
//! it. A file is stored once; only what is not that file is replaced.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Method;
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path;
use object_store::signer::Signer as _;
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientOptions, GetOptions, ObjectStore as _, PutMode,
    PutOptions, PutResult, RetryConfig,
};
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{sleep, timeout};
use url::Url;

use crate::error::Error;

/// How long a signed address holds: longer than the CDN lets a request wait for another one that
/// fetches the same file (`proxy_cache_lock_timeout`), as it uses the address only then.
const SIGNED_FOR: Duration = Duration::from_secs(180);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(20);
const RETRIES: usize = 5;
/// How long to try in all.
const RETRY_TIMEOUT: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// How long storing a file may take in all, whatever the store does: less than the time for which a
/// process keeps the row of a file that it makes (`store/exports/claim.rs`).
const STORED_WITHIN: Duration = Duration::from_secs(45);
/// How long a caller waits to hear whether a file is there.
const SEEN_WITHIN: Duration = Duration::from_secs(2);
/// The metadata that holds the SHA-256 of an object's bytes, in base64.
const DIGEST: &str = "sha256";

/// Where the file store is, and by which key it is used.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) url: Url,
    pub(crate) region: String,
    pub(crate) bucket: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: SecretString,
}

/// The file store. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Files {
    bucket: AmazonS3,
    stored_within: Duration,
}

/// A file that is to be stored.
pub(crate) struct File<'a> {
    /// The object's name.
    pub(crate) name: &'a str,
    /// The name under which a browser saves it.
    pub(crate) file_name: &'a str,
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Bytes,
}

/// By what a file is known again.
#[derive(PartialEq, Eq)]
struct Print {
    size: u64,
    digest: String,
}

impl Print {
    fn of(bytes: &[u8]) -> Self {
        Self {
            size: bytes.len() as u64,
            digest: BASE64_STANDARD.encode(digest(&SHA256, bytes)),
        }
    }
}

impl Files {
    /// A client that connects when it is first used.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        // A second installation changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = ClientOptions::new()
            .with_allow_http(settings.url.scheme() == "http")
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_timeout(TIMEOUT);
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: FIRST_PAUSE,
                max_backoff: LONGEST_PAUSE,
                base: 2.0,
            },
            max_retries: RETRIES,
            retry_timeout: RETRY_TIMEOUT,
        };
        let bucket = AmazonS3Builder::new()
            .with_endpoint(settings.url.as_str().trim_end_matches('/'))
            .with_region(&settings.region)
            .with_bucket_name(&settings.bucket)
            .with_access_key_id(&settings.access_key)
            .with_secret_access_key(settings.secret_key.expose_secret())
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_client_options(client)
            .with_retry(retry)
            .build()?;
        Ok(Self {
            bucket,
            stored_within: STORED_WITHIN,
        })
    }

    /// Stores a file unless it is there; tries again with growing pauses while the store is away.
    pub(crate) async fn store(&self, file: &File<'_>) -> Result<(), Error> {
        let stored = timeout(self.stored_within, self.store_once(file)).await;
        stored.unwrap_or(Err(Error::FilesLate))
    }

    async fn store_once(&self, file: &File<'_>) -> Result<(), Error> {
        let print = Print::of(&file.bytes);
        loop {
            match self.put(file, &print, PutMode::Create).await {
                Err(object_store::Error::AlreadyExists { .. }) => {}
                stored => return Ok(stored.map(drop)?),
            }
            // Also the answer to a put while another one is under way (409): what it brings is not
            // there yet, and may never be.
            match self.print(file.name).await? {
                Some(there) if there == print => return Ok(()),
                Some(_) => {
                    tracing::warn!("a file was there with other bytes: it is replaced");
                    return Ok(self.put(file, &print, PutMode::Overwrite).await.map(drop)?);
                }
                None => sleep(FIRST_PAUSE).await,
            }
        }
    }

    async fn put(
        &self,
        file: &File<'_>,
        print: &Print,
        mode: PutMode,
    ) -> object_store::Result<PutResult> {
        let disposition = format!("attachment; filename=\"{}\"", file.file_name);
        let attributes = Attributes::from_iter([
            (Attribute::ContentType, file.content_type.to_owned()),
            (Attribute::ContentDisposition, disposition),
            (Attribute::Metadata(DIGEST.into()), print.digest.clone()),
        ]);
        let options = PutOptions {
            mode,
            attributes,
            ..PutOptions::default()
        };
        let bytes = file.bytes.clone().into();
        self.bucket
            .put_opts(&Path::from(file.name), bytes, options)
            .await
    }

    /// Whether a file is known to be gone. That the store does not answer says nothing: the CDN may
    /// have the file.
    pub(crate) async fn lacks(&self, name: &str) -> bool {
        matches!(timeout(SEEN_WITHIN, self.print(name)).await, Ok(Ok(None)))
    }

    /// What is there under a name.
    async fn print(&self, name: &str) -> Result<Option<Print>, Error> {
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        let found = match self.bucket.get_opts(&Path::from(name), options).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let digest = found.attributes.get(&Attribute::Metadata(DIGEST.into()));
        Ok(Some(Print {
            size: found.meta.size,
            digest: digest.map(|it| it.to_string()).unwrap_or_default(),
        }))
    }

    /// Path and query by which a file can be fetched for a short time.
    pub(crate) async fn signed(&self, name: &str) -> Result<String, Error> {
        let name = Path::from(name);
        let url = self
            .bucket
            .signed_url(Method::GET, &name, SIGNED_FOR)
            .await?;
        let query = url.query().unwrap_or_default();
        Ok(format!("{}?{query}", url.path()))
    }
}

#[cfg(test)]
mod tests;
