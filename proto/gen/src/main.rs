//! Writes the Rust code of `proto/halbox/v1/*.proto` and their descriptors to the folder that is named (proto/generated).

mod services;

use std::path::{Path, PathBuf};

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let out = std::env::args_os()
        .nth(1)
        .map_or_else(|| top.join("generated"), PathBuf::from);
    std::fs::create_dir_all(&out)?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(top.join("halbox/v1"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();
    let mut compiler = protox::Compiler::new([&top])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(&files)?;
    let descriptors = compiler.file_descriptor_set();
    let mut config = prost_build::Config::new();
    // `halbox.v1.Secret` prints no bytes; its Debug stands in src/api/mod.rs.
    config.skip_debug([".halbox.v1.Secret"]);
    config.service_generator(Box::new(services::Services));
    config.out_dir(&out);
    config.compile_fds(descriptors.clone())?;
    // Reflection needs no comments.
    let mut plain = descriptors;
    for file in &mut plain.file {
        file.source_code_info = None;
    }
    std::fs::write(out.join("halbox.v1.bin"), plain.encode_to_vec())?;
    Ok(())
}
