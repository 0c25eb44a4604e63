//! The file store, by S3: an object a file, in a private bucket. Nothing is ever changed there.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path;
use object_store::signer::Signer as _;
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientOptions, ObjectStore as _, PutMode, PutOptions,
    RetryConfig,
};
use secrecy::{ExposeSecret as _, SecretString};
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
        Ok(Self { bucket })
    }

    /// Stores a file unless it is there (`If-None-Match: *`); tries again with growing pauses while
    /// the store is away.
    pub(crate) async fn put_once(&self, file: File<'_>) -> Result<(), Error> {
        let disposition = format!("attachment; filename=\"{}\"", file.file_name);
        let attributes = Attributes::from_iter([
            (Attribute::ContentType, file.content_type.to_owned()),
            (Attribute::ContentDisposition, disposition),
        ]);
        let options = PutOptions {
            mode: PutMode::Create,
            attributes,
            ..PutOptions::default()
        };
        let name = Path::from(file.name);
        match self
            .bucket
            .put_opts(&name, file.bytes.into(), options)
            .await
        {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
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
