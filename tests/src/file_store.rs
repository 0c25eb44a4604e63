//! Which file store the stack has, and what a test does in it behind everybody's back.

use std::env;

use anyhow::Context;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ClientOptions, Error, ObjectStore as _, ObjectStoreExt as _, PutMode};

use crate::Topology;
use crate::processes::Process;

/// Says which file store the suite is meant for, by the name of its process.
const MEANT: &str = "BIONICPRO_FILE_STORE";

/// What keeps the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileStore {
    /// SeaweedFS, which the stack has unless it is asked for another one.
    SeaweedFs,
    /// MinIO in its place.
    Minio,
}

impl FileStore {
    /// All that a stack can have.
    pub const ALL: [Self; 2] = [Self::SeaweedFs, Self::Minio];

    /// The one that the suite is meant for.
    ///
    /// # Panics
    /// When a name is said that is none.
    #[must_use]
    pub fn meant() -> Self {
        let Ok(name) = env::var(MEANT) else {
            return Self::SeaweedFs;
        };
        let mut all = Self::ALL.into_iter();
        let meant = all.find(|store| store.name() == name);
        meant.unwrap_or_else(|| panic!("{MEANT}: {name} is no file store"))
    }

    /// Its process in a stack.
    #[must_use]
    pub fn process(self, stack: &Topology) -> Process<'_> {
        Process::of(stack, self.name())
    }

    fn name(self) -> &'static str {
        match self {
            Self::SeaweedFs => "s3",
            Self::Minio => "minio",
        }
    }
}

fn bucket(stack: &Topology) -> anyhow::Result<AmazonS3> {
    // A second installation changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    AmazonS3Builder::new()
        .with_endpoint(stack.s3.url.as_str().trim_end_matches('/'))
        .with_region("us-east-1")
        .with_bucket_name(&stack.s3.bucket)
        .with_access_key_id(&stack.s3.access_key)
        .with_secret_access_key(&stack.s3.secret_key)
        .with_client_options(ClientOptions::new().with_allow_http(true))
        .build()
        .context("the file store's settings are wrong")
}

/// Removes a file, as a retention rule does.
///
/// # Errors
/// When the store refuses.
pub async fn remove(stack: &Topology, name: &str) -> anyhow::Result<()> {
    Ok(bucket(stack)?.delete(&Path::from(name)).await?)
}

/// What lies under a file's name.
///
/// # Errors
/// When the store refuses, or has nothing there.
pub async fn read(stack: &Topology, name: &str) -> anyhow::Result<Vec<u8>> {
    let found = bucket(stack)?.get(&Path::from(name)).await?;
    Ok(found.bytes().await?.to_vec())
}

/// Puts something else in the place of a file.
///
/// # Errors
/// When the store refuses.
pub async fn replace(stack: &Topology, name: &str, bytes: &'static str) -> anyhow::Result<()> {
    bucket(stack)?.put(&Path::from(name), bytes.into()).await?;
    Ok(())
}

/// Puts a file where none is, on the store's condition that the service relies on. Answers whether
/// none was.
///
/// # Errors
/// When the store refuses for another reason.
pub async fn create(stack: &Topology, name: &str, bytes: &'static str) -> anyhow::Result<bool> {
    let where_none_is = PutMode::Create.into();
    let bucket = bucket(stack)?;
    match bucket
        .put_opts(&Path::from(name), bytes.into(), where_none_is)
        .await
    {
        Ok(_) => Ok(true),
        Err(Error::AlreadyExists { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
