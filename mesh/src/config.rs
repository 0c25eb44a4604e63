//! Configuration, parsed once from flags and the environment. A field `redis-url` is the flag
//! `--redis-url` or the variable `BIONICPRO_REDIS_URL`; a secret also comes from the file that
//! `BIONICPRO_<FIELD>_FILE` names. No value is ever printed.

mod basics;
mod fields;

use std::process;

pub use basics::{Basics, Environment};
pub use fields::{Fields, Invalid};

/// The exit code of a wrong configuration (`EX_USAGE` of sysexits.h).
pub const EXIT_CODE: i32 = 64;

/// Reads the configuration of this process. `read` asks for all fields before it looks at the
/// first result. With a wrong one the process ends with [`EXIT_CODE`] and one message that names
/// every field that is wrong.
pub fn from_process<T>(read: impl FnOnce(&Fields) -> Result<T, Invalid>) -> T {
    let fields = Fields::new(std::env::args().skip(1), |name| std::env::var(name).ok());
    match fields.read(read) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("The configuration is wrong:\n  {}", problems.join("\n  "));
            process::exit(EXIT_CODE)
        }
    }
}
