//! The keys of exports: they name files so that nobody can guess a name, and sign links so that
//! nobody can make or change one. The first key names and signs, every key verifies, so that keys can
//! be rotated while links are out.

use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use ring::hmac::{self, HMAC_SHA256};

use super::{Form, Language};
use crate::error::Error;
use crate::period::Period;
use crate::report::CustomerId;

/// How long a link holds.
pub(crate) const LINK_LIFE: TimeDelta = TimeDelta::minutes(10);
/// Bumped when a format shows the same report otherwise: then every file is another one.
pub(super) const TEMPLATE: u32 = 3;
const KEY_LENGTH: usize = 32;
const NAME_LABEL: &[u8] = b"bionicpro.reports.file.v1";
const LINK_LABEL: &[u8] = b"bionicpro.reports.link.v1";
const FOLDER: &str = "/exports/";

/// The ring, newest key first.
#[derive(Clone, Debug)]
pub(crate) struct Keys(Vec<hmac::Key>);

/// What a file shows, and of whom.
#[derive(Clone, Copy)]
pub(crate) struct Content {
    pub(crate) customer: CustomerId,
    pub(crate) period: Period,
    pub(crate) form: Form,
    /// The digest of what the report shows.
    pub(crate) digest: [u8; 32],
    /// The highest version of the customer's rows in the CRM.
    pub(crate) crm_version: u128,
}

/// A link that is as it was signed and still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The file's name in the store.
    pub(crate) name: String,
    /// The file's name for people.
    pub(crate) file_name: String,
}

impl Keys {
    /// The name of a file in the store: a keyed digest, as the customer's identifier could be guessed.
    pub(crate) fn name(&self, content: &Content) -> String {
        let mut context = hmac::Context::with_key(self.newest());
        context.update(NAME_LABEL);
        // Every part has a fixed length, or none within it that could be taken for another's.
        context.update(&TEMPLATE.to_be_bytes());
        context.update(content.customer.0.as_bytes());
        let (kind, period) = (content.period.kind, content.period);
        let format = content.form.format();
        let language = content.form.language().map_or("", Language::name);
        let text = format!(
            "|{kind:?}|{}|{}|{format}|{language}|",
            period.first, period.last
        );
        context.update(text.as_bytes());
        context.update(&content.digest);
        context.update(&content.crm_version.to_be_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(context.sign())
    }

    /// Path and query of a link.
    pub(crate) fn link(&self, name: &str, file_name: &str, expires: DateTime<Utc>) -> String {
        let path = format!("{FOLDER}{name}/{file_name}");
        let expires = expires.timestamp();
        let signature = hmac::sign(self.newest(), &signed(&path, expires));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        format!("{path}?expires={expires}&signature={signature}")
    }

    /// Reads a link as a browser brought it.
    pub(crate) fn open(&self, path_and_query: &str, now: DateTime<Utc>) -> Result<Link, Error> {
        let parts = parse(path_and_query).ok_or(Error::LinkInvalid)?;
        let message = signed(parts.path, parts.expires);
        let is_ours = |key| hmac::verify(key, &message, &parts.signature).is_ok();
        if !self.0.iter().any(is_ours) {
            return Err(Error::LinkInvalid);
        }
        if now.timestamp() >= parts.expires {
            return Err(Error::LinkExpired);
        }
        Ok(Link {
            name: parts.name.to_owned(),
            file_name: parts.file_name.to_owned(),
        })
    }

    fn newest(&self) -> &hmac::Key {
        self.0.first().expect("a ring has a key")
    }
}

struct Parts<'a> {
    path: &'a str,
    name: &'a str,
    file_name: &'a str,
    expires: i64,
    signature: Vec<u8>,
}

/// The parts of a link. Nothing is decoded: our paths need no escaping, so that an escaped one is not
/// ours, and path and cache key cannot differ in what they name.
fn parse(path_and_query: &str) -> Option<Parts<'_>> {
    let (path, query) = path_and_query.split_once('?')?;
    let (name, file_name) = path.strip_prefix(FOLDER)?.split_once('/')?;
    let (expires, signature) = query.strip_prefix("expires=")?.split_once("&signature=")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let plain = [name, file_name]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(is_plain));
    plain.then_some(Parts {
        path,
        name,
        file_name,
        expires: expires.parse().ok()?,
        signature: BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?,
    })
}

fn signed(path: &str, expires: i64) -> Vec<u8> {
    [LINK_LABEL, path.as_bytes(), b"|", &expires.to_be_bytes()].concat()
}

impl FromStr for Keys {
    type Err = &'static str;

    /// Reads `id:base64[,id:base64]`, newest first.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "use id:base64 of 32 bytes, several separated by commas";
        let keys = text.split(',').map(|key| {
            let (id, key) = key.split_once(':').ok_or(WRONG)?;
            let bytes = BASE64_STANDARD.decode(key).map_err(|_| WRONG)?;
            if id.is_empty() || bytes.len() != KEY_LENGTH {
                return Err(WRONG);
            }
            Ok(hmac::Key::new(HMAC_SHA256, &bytes))
        });
        keys.collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::period::CalendarKind;
    use chrono::NaiveDate;
    use proptest::prelude::*;
    use uuid::Uuid;

    const OLD: &str = "old:YmlvbmljcHJvLWRldmVsb3BtZW50LWV4cG9ydC1rZXk=";
    const NEW: &str = "new:YmlvbmljcHJvLWRldmVsb3BtZW50LWtleS0zMi1ieSE=";

    fn keys() -> Keys {
        OLD.parse().unwrap()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn content() -> Content {
        let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        Content {
            customer: CustomerId(Uuid::from_u128(1)),
            period: Period::around(CalendarKind::Week, day),
            form: Form::Csv(Language::English),
            digest: [1; 32],
            crm_version: 7,
        }
    }

    #[test]
    fn a_link_opens_until_it_expires() {
        let link = keys().link("name", "file.csv", now() + LINK_LIFE);
        let last = now() + LINK_LIFE - TimeDelta::seconds(1);
        let opened = keys().open(&link, last).unwrap();
        assert_eq!(
            (opened.name.as_str(), opened.file_name.as_str()),
            ("name", "file.csv")
        );
        let late = keys().open(&link, now() + LINK_LIFE);
        assert!(matches!(late, Err(Error::LinkExpired)));
    }

    #[test]
    fn a_link_that_was_changed_anywhere_does_not_open() {
        let link = keys().link("name", "file.csv", now() + LINK_LIFE);
        for position in 0..link.len() {
            let mut changed = link.clone().into_bytes();
            changed[position] = if changed[position] == b'0' {
                b'1'
            } else {
                b'0'
            };
            let changed = String::from_utf8(changed).unwrap();
            // The last digit of unpadded base64 carries bits that nothing needs.
            let same = parse(&changed).map(|it| (it.path.to_owned(), it.expires, it.signature))
                == parse(&link).map(|it| (it.path.to_owned(), it.expires, it.signature));
            let opened = keys().open(&changed, now());
            assert!(
                same || matches!(opened, Err(Error::LinkInvalid)),
                "{changed}"
            );
        }
    }

    #[test]
    fn an_escaped_or_extended_path_is_not_a_link() {
        let link = keys().link("name", "file.csv", now() + LINK_LIFE);
        for other in [
            link.replace("file", "%66ile"),
            link.replace("/name/", "/name//"),
            link.replace("/exports/", "/exports/../exports/"),
            format!("{link}&signature=x"),
            link.replace('?', "?x=1&"),
        ] {
            assert!(
                matches!(keys().open(&other, now()), Err(Error::LinkInvalid)),
                "{other}"
            );
        }
    }

    #[test]
    fn links_of_an_older_key_open_and_those_of_a_withdrawn_one_do_not() {
        let link = keys().link("name", "file.csv", now() + LINK_LIFE);
        let rotated: Keys = format!("{NEW},{OLD}").parse().unwrap();
        assert!(rotated.open(&link, now()).is_ok());
        let withdrawn: Keys = NEW.parse().unwrap();
        assert!(matches!(
            withdrawn.open(&link, now()),
            Err(Error::LinkInvalid)
        ));
    }

    #[test]
    fn everything_that_a_file_shows_is_in_its_name() {
        let other = Uuid::from_u128(2);
        let changes: [fn(&mut Content); 5] = [
            |it| it.form = Form::Json,
            |it| it.form = Form::Csv(Language::Russian),
            |it| it.digest[31] = 2,
            |it| it.crm_version += 1,
            |it| it.period = it.period.previous(),
        ];
        let name = keys().name(&content());
        for change in changes {
            let mut changed = content();
            change(&mut changed);
            assert_ne!(keys().name(&changed), name);
        }
        let foreign = Content {
            customer: CustomerId(other),
            ..content()
        };
        assert_ne!(keys().name(&foreign), name);
        assert_eq!(keys().name(&content()), name);
        assert_ne!(
            NEW.parse::<Keys>().unwrap().name(&content()),
            name,
            "it could be guessed"
        );
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        for wrong in [
            "",
            "dev",
            "dev:",
            "dev:AAAA",
            ":YmlvbmljcHJvLWRldmVsb3BtZW50LWtleS0zMi1ieSE=",
        ] {
            assert!(wrong.parse::<Keys>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic_or_opens(text in "(/exports/)?\\PC{0,80}") {
            prop_assert!(keys().open(&text, now()).is_err());
        }
    }
}
