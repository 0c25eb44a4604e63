//! The page to return to after signing in: one of the application's own, whatever
//! a link asked for.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A path of the application, with its query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReturnTo(String);

impl ReturnTo {
    /// The path for a redirect.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl FromStr for ReturnTo {
    type Err = Error;

    /// Takes a text that begins with exactly one slash and has only visible ASCII
    /// without backslashes. Browsers read `//` and `/\` as the start of a host,
    /// and drop tabs and line ends before they look.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let visible = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let own = text.starts_with('/') && !text.starts_with("//");
        if visible && own {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::ReturnToForeign)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn an_own_path_with_its_query_passes() {
        for path in [
            "/",
            "/reports",
            "/reports?from=2026-01-01&to=2026-01-31#grips",
            "/a//b",
        ] {
            assert_eq!(path.parse::<ReturnTo>().unwrap().into_string(), path);
        }
    }

    #[test]
    fn what_a_browser_would_follow_elsewhere_is_refused() {
        for foreign in [
            "",
            "reports",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/ /evil.example",
            "/\u{7f}",
            "/отчёт",
        ] {
            assert_eq!(
                foreign.parse::<ReturnTo>(),
                Err(Error::ReturnToForeign),
                "{foreign:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_passes_stays_on_the_own_host(text in "/?[/\\\\.:@?#a-z\\t\\n %-]{0,24}") {
            if let Ok(path) = text.parse::<ReturnTo>() {
                let own = Url::parse("http://own.example:3000/auth/callback").unwrap();
                prop_assert_eq!(own.join(&path.into_string()).unwrap().origin(), own.origin());
            }
        }

        #[test]
        fn no_text_breaks_a_header(text in "/?\\PC{0,40}|/[\\x00-\\x20/]{0,8}") {
            if let Ok(path) = text.parse::<ReturnTo>() {
                prop_assert!(path.into_string().bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
