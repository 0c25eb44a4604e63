//! The programs that must be there, in which version, and how to get them.

use std::process::Command;

use super::Problem;

struct Tool {
    name: &'static str,
    command: &'static [&'static str],
    minimum: &'static [u32],
    remedy: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "Rust",
        command: &["rustc", "--version"],
        minimum: &[1, 95],
        remedy: "https://rustup.rs (rust-toolchain.toml then picks the version)",
    },
    Tool {
        name: "Go",
        command: &["go", "version"],
        minimum: &[1, 24],
        remedy: "https://go.dev/dl",
    },
    Tool {
        name: "Node.js",
        command: &["node", "--version"],
        minimum: &[20, 19],
        remedy: "https://nodejs.org",
    },
    Tool {
        name: "npm",
        command: &["npm", "--version"],
        minimum: &[10],
        remedy: "it comes with Node.js",
    },
    Tool {
        name: "a JDK",
        command: &["javac", "-version"],
        minimum: &[17],
        remedy: "apt-get install openjdk-17-jdk-headless",
    },
    Tool {
        name: "Maven",
        command: &["mvn", "--version"],
        minimum: &[3, 8],
        remedy: "apt-get install maven",
    },
    Tool {
        name: "Python",
        command: &["python3", "--version"],
        minimum: &[3, 11],
        remedy: "apt-get install python3 python3-venv",
    },
    Tool {
        name: "gcc",
        command: &["gcc", "--version"],
        minimum: &[10],
        remedy: "apt-get install build-essential",
    },
    Tool {
        name: "make",
        command: &["make", "--version"],
        minimum: &[4],
        remedy: "apt-get install build-essential",
    },
];

pub(super) fn problems() -> Vec<Problem> {
    TOOLS
        .iter()
        .filter_map(|tool| problem(tool, &version(tool.command)))
        .collect()
}

/// The first number that looks like a version in what the program prints.
fn version(command: &[&str]) -> Option<Vec<u32>> {
    let output = Command::new(command[0]).args(&command[1..]).output().ok()?;
    output.status.success().then_some(())?;
    parse(&[output.stdout, output.stderr].concat())
}

fn parse(output: &[u8]) -> Option<Vec<u32>> {
    let text = String::from_utf8_lossy(output);
    let words = text.split(|character: char| {
        character.is_whitespace() || matches!(character, '(' | ')' | ',' | '"')
    });
    words.filter_map(as_version).next()
}

fn as_version(word: &str) -> Option<Vec<u32>> {
    let numbers = word.trim_start_matches(|character: char| character.is_ascii_alphabetic());
    let end = numbers
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(numbers.len());
    let parts: Vec<u32> = numbers[..end]
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect();
    (!parts.is_empty() && numbers.contains('.')).then_some(parts)
}

fn problem(tool: &Tool, found: &Option<Vec<u32>>) -> Option<Problem> {
    let minimum = dotted(tool.minimum);
    match found {
        None => Some(format!(
            "{} {minimum} or newer is missing: {}",
            tool.name, tool.remedy
        )),
        Some(version) if version.as_slice() < tool.minimum => Some(format!(
            "{} {} is too old, {minimum} or newer is needed: {}",
            tool.name,
            dotted(version),
            tool.remedy
        )),
        Some(_) => None,
    }
    .map(Problem)
}

fn dotted(version: &[u32]) -> String {
    version
        .iter()
        .map(u32::to_string)
        .collect::<Vec<_>>()
        .join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_each_tool_prints() {
        for (output, version) in [
            ("go version go1.26.8 linux/amd64", vec![1, 26, 8]),
            ("v20.20.2", vec![20, 20, 2]),
            ("javac 17.0.15", vec![17, 0, 15]),
            ("\u{1b}[1mApache Maven 3.8.7\u{1b}[m", vec![3, 8, 7]),
            ("gcc (Debian 12.2.0-14+deb12u1) 12.2.0", vec![12, 2, 0]),
            ("rustc 1.95.0 (f2d3ce0bd 2026-03-21)", vec![1, 95, 0]),
            ("GNU Make 4.3", vec![4, 3]),
        ] {
            assert_eq!(parse(output.as_bytes()), Some(version), "{output}");
        }
    }

    #[test]
    fn a_tool_that_is_too_old_is_named_with_both_versions_and_the_remedy() {
        let Problem(text) = problem(&TOOLS[1], &Some(vec![1, 19])).expect("too old");
        assert_eq!(
            text,
            "Go 1.19 is too old, 1.24 or newer is needed: https://go.dev/dl"
        );
    }

    #[test]
    fn a_missing_tool_is_named_with_the_remedy() {
        let Problem(text) = problem(&TOOLS[5], &None).expect("missing");
        assert!(text.starts_with("Maven 3.8 or newer is missing"), "{text}");
    }
}
