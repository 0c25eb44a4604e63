//! The fields of a configuration and what is wrong with them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs;
use std::str::FromStr;

use secrecy::SecretString;

use super::Environment;

/// Says that a field is wrong; [`Fields`] has noted what and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

/// Looks up an environment variable.
type Variable = Box<dyn Fn(&str) -> Option<String>>;

/// What flags and environment say, field by field.
pub struct Fields {
    command: Option<String>,
    flags: BTreeMap<String, String>,
    variable: Variable,
    asked: RefCell<BTreeSet<&'static str>>,
    problems: RefCell<Vec<String>>,
}

impl Fields {
    /// Takes the arguments (`[COMMAND] --field value --field=value`) and a way to look up
    /// environment variables.
    pub fn new(
        arguments: impl Iterator<Item = String>,
        variable: impl Fn(&str) -> Option<String> + 'static,
    ) -> Self {
        let mut fields = Self {
            command: None,
            flags: BTreeMap::new(),
            variable: Box::new(variable),
            asked: RefCell::default(),
            problems: RefCell::default(),
        };
        fields.take(arguments);
        fields
    }

    fn take(&mut self, mut arguments: impl Iterator<Item = String>) {
        while let Some(argument) = arguments.next() {
            let Some(flag) = argument.strip_prefix("--") else {
                if self.command.is_some() || !self.flags.is_empty() {
                    self.note("a value stands without its flag");
                } else {
                    self.command = Some(argument);
                }
                continue;
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (flag.to_owned(), arguments.next()),
            };
            match value {
                None => self.note(format!("--{name}: has no value")),
                Some(value) => {
                    if self.flags.insert(name.clone(), value).is_some() {
                        self.note(format!("--{name}: is given twice"));
                    }
                }
            }
        }
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// Every problem with it, one a line.
    pub fn read<T>(self, read: impl FnOnce(&Self) -> Result<T, Invalid>) -> Result<T, Vec<String>> {
        let config = read(&self);
        let asked = self.asked.take();
        for flag in self
            .flags
            .keys()
            .filter(|flag| !asked.contains(flag.as_str()))
        {
            self.note(format!("--{flag}: is not a field of this program"));
        }
        match (config, self.problems.take()) {
            (Ok(config), problems) if problems.is_empty() => Ok(config),
            (_, problems) => Err(problems),
        }
    }

    /// The command, one of `commands`; without one the first of them.
    ///
    /// # Errors
    /// Another command was given.
    pub fn command(&self, commands: &[&'static str]) -> Result<&'static str, Invalid> {
        let given = self.command.as_deref().or(commands.first().copied());
        let known = commands.iter().find(|command| Some(**command) == given);
        known
            .copied()
            .ok_or_else(|| self.wrong(format!("command: use one of {commands:?}")))
    }

    /// A field that must be given.
    ///
    /// # Errors
    /// It is missing or cannot be parsed.
    pub fn required<T: FromStr<Err: Display>>(&self, name: &'static str) -> Result<T, Invalid> {
        let value = self.optional(name)?;
        value.ok_or_else(|| self.wrong(format!("{}: is missing", describe(name))))
    }

    /// A field with a default.
    ///
    /// # Errors
    /// It cannot be parsed.
    pub fn or<T: FromStr<Err: Display>>(
        &self,
        name: &'static str,
        default: T,
    ) -> Result<T, Invalid> {
        Ok(self.optional(name)?.unwrap_or(default))
    }

    /// A field that may be left out.
    ///
    /// # Errors
    /// It cannot be parsed.
    pub fn optional<T: FromStr<Err: Display>>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, Invalid> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let parsed = value.parse().map(Some);
        parsed.map_err(|error| self.wrong(format!("{}: {error}", describe(name))))
    }

    /// A field for tests, which takes out a safety or slows something down: it may be left out, and
    /// must be unless `environment` is development.
    ///
    /// # Errors
    /// It cannot be parsed, or is given outside of development.
    pub fn development_only<T: FromStr<Err: Display>>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, Invalid> {
        let value = self.optional(name)?;
        // What is wrong with that field is said where it is read.
        let environment = self.value("environment").and_then(|it| it.parse().ok());
        if value.is_some() && environment != Some(Environment::Development) {
            return Err(self.invalid(name, "is for development only"));
        }
        Ok(value)
    }

    /// A secret that must be given.
    ///
    /// # Errors
    /// It is missing, empty or given twice, or its file cannot be read.
    pub fn secret(&self, name: &'static str) -> Result<SecretString, Invalid> {
        let file = (self.variable)(&format!("{}_FILE", variable(name)));
        let secret = match (self.value(name), file) {
            (Some(_), Some(_)) => Err("is given both by value and by file".to_owned()),
            (Some(value), None) => Ok(value),
            (None, Some(file)) => fs::read_to_string(file)
                .map(|content| content.trim_end().to_owned())
                .map_err(|error| format!("the file cannot be read: {error}")),
            (None, None) => Err("is missing".to_owned()),
        };
        match secret {
            Ok(secret) if secret.is_empty() => {
                Err(self.wrong(format!("{}: is empty", describe(name))))
            }
            Ok(secret) => Ok(secret.into()),
            Err(problem) => Err(self.wrong(format!("{}: {problem}", describe(name)))),
        }
    }

    /// Notes that a field is wrong for a reason that its type alone does not know.
    pub fn invalid(&self, name: &'static str, problem: impl Display) -> Invalid {
        self.wrong(format!("{}: {problem}", describe(name)))
    }

    fn value(&self, name: &'static str) -> Option<String> {
        self.asked.borrow_mut().insert(name);
        self.flags
            .get(name)
            .cloned()
            .or_else(|| (self.variable)(&variable(name)))
    }

    fn wrong(&self, problem: String) -> Invalid {
        self.note(problem);
        Invalid
    }

    fn note(&self, problem: impl Into<String>) {
        self.problems.borrow_mut().push(problem.into());
    }
}

fn describe(name: &str) -> String {
    format!("--{name} ({})", variable(name))
}

fn variable(name: &str) -> String {
    format!("BIONICPRO_{}", name.replace('-', "_").to_uppercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    fn fields(arguments: &[&str], variables: &[(&str, &str)]) -> Fields {
        let arguments: Vec<_> = arguments.iter().map(|it| (*it).to_owned()).collect();
        let variables: BTreeMap<_, _> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Fields::new(arguments.into_iter(), move |name| {
            variables.get(name).cloned()
        })
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_the_environment_over_the_default() {
        let fields = fields(
            &["serve", "--port", "1", "--name=flag"],
            &[("BIONICPRO_PORT", "2"), ("BIONICPRO_LIMIT", "3")],
        );
        let read = fields.read(|fields| {
            let (port, limit) = (fields.or("port", 9), fields.or("limit", 9));
            let (name, rest) = (fields.required::<String>("name"), fields.or("rest", 9));
            Ok((
                fields.command(&["serve", "migrate"])?,
                port?,
                limit?,
                name?,
                rest?,
            ))
        });
        assert_eq!(read.unwrap(), ("serve", 1, 3, "flag".to_owned(), 9));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let fields = fields(&["explode", "--port", "many", "--colour", "red"], &[]);
        let problems = fields
            .read(|fields| {
                let command = fields.command(&["serve"]);
                let port = fields.required::<u16>("port");
                let url = fields.required::<String>("redis-url");
                let secret = fields.secret("client-secret");
                Ok((command?, port?, url?, secret?))
            })
            .unwrap_err();
        assert_eq!(
            problems,
            [
                "command: use one of [\"serve\"]",
                "--port (BIONICPRO_PORT): invalid digit found in string",
                "--redis-url (BIONICPRO_REDIS_URL): is missing",
                "--client-secret (BIONICPRO_CLIENT_SECRET): is missing",
                "--colour: is not a field of this program",
            ]
        );
    }

    #[test]
    fn a_field_for_tests_is_refused_outside_of_development() {
        let read = |arguments: &[&str]| {
            fields(arguments, &[]).read(|it| it.development_only::<String>("fault"))
        };
        let refused = "--fault (BIONICPRO_FAULT): is for development only".to_owned();
        assert_eq!(read(&["--fault=x"]), Err(vec![refused.clone()]));
        let elsewhere = ["--fault=x", "--environment=production"];
        assert_eq!(read(&elsewhere), Err(vec![refused]));
        let development = ["--fault=x", "--environment=development"];
        assert_eq!(read(&development), Ok(Some("x".to_owned())));
        assert_eq!(read(&["--environment=production"]), Ok(None));
    }

    #[test]
    fn a_secret_comes_from_its_file_without_the_line_end() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "hidden").unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        let secret = fields(&[], &[("BIONICPRO_KEY_FILE", &path)]).read(|it| it.secret("key"));
        assert_eq!(secret.unwrap().expose_secret(), "hidden");
    }

    #[test]
    fn a_secret_given_by_value_and_by_file_is_refused() {
        let both = [("BIONICPRO_KEY", "a"), ("BIONICPRO_KEY_FILE", "b")];
        let problems = fields(&[], &both).read(|it| it.secret("key")).unwrap_err();
        assert_eq!(
            problems,
            ["--key (BIONICPRO_KEY): is given both by value and by file"]
        );
    }

    #[test]
    fn a_flag_without_a_value_or_given_twice_is_refused() {
        let problems = fields(&["--a", "1", "--a", "2", "--b"], &[])
            .read(|it| it.or::<u8>("a", 0))
            .unwrap_err();
        assert_eq!(problems, ["--a: is given twice", "--b: has no value"]);
    }
}
