//! Reads the `.proto` files. `buf/validate/validate.proto` comes out of the descriptors of the
//! crate prost-protovalidate-types, so that nobody else's contract stands in this repository.

use std::fs;
use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorSet;
use protox::Compiler;
use protox::file::{
    ChainFileResolver, DescriptorSetFileResolver, GoogleFileResolver, IncludeFileResolver,
};

/// The compiled contracts.
pub(crate) struct Contracts {
    /// Every file and import, with its options.
    pub(crate) pool: DescriptorPool,
    /// The encoded descriptors for reflection: with options, without comments.
    pub(crate) descriptors: Vec<u8>,
    /// What code is generated from: with comments, which become documentation.
    pub(crate) commented: FileDescriptorSet,
}

/// Compiles every file under `root/bionicpro`.
pub(crate) fn compile(root: &Path) -> anyhow::Result<Contracts> {
    let mut compiler = Compiler::with_file_resolver(resolver(root)?);
    compiler.include_imports(true).include_source_info(true);
    for file in proto_files(&root.join("bionicpro"))? {
        compiler.open_file(file.strip_prefix(root)?)?;
    }
    let mut commented = compiler.file_descriptor_set();
    // Rules are data for the generator and types for nobody.
    commented
        .file
        .retain(|file| !file.package().starts_with("buf."));
    let descriptors = compiler
        .include_source_info(false)
        .encode_file_descriptor_set();
    Ok(Contracts {
        pool: compiler.descriptor_pool(),
        descriptors,
        commented,
    })
}

/// Finds imports in `root`, among the rules of protovalidate and among Google's own files.
pub(crate) fn resolver(root: &Path) -> anyhow::Result<ChainFileResolver> {
    let rules = prost_protovalidate_types::DESCRIPTOR_POOL.encode_to_vec();
    let mut resolver = ChainFileResolver::new();
    resolver.add(IncludeFileResolver::new(root.to_path_buf()));
    resolver.add(GoogleFileResolver::new());
    resolver.add(DescriptorSetFileResolver::decode(rules.as_slice())?);
    Ok(resolver)
}

fn proto_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
