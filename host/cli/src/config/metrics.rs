//! Who sees the server's figures.

use super::{Config, address};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::net::SocketAddr;

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Metrics {
    /// Whether whoever may ask the server may see them.
    pub(crate) public: bool,
    /// Where they are served by themselves.
    #[serde(deserialize_with = "listen")]
    pub(crate) listen: Option<SocketAddr>,
}

impl Config {
    /// Whether the server shows its figures where it serves. They are of all tenants, so as a rule only where nobody but the
    /// machine's own users reach it: not where others do by way of a proxy, which has an address of its own.
    pub(crate) fn shows_metrics(&self) -> bool {
        self.metrics.public || (self.listen.ip().is_loopback() && self.url.is_none())
    }
}

fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    address(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_to_the_machines_own_users_and_else_on_request() {
        for (text, is_shown) in [
            ("", true),
            ("listen = \"[::1]:80\"", true),
            ("listen = \"0.0.0.0:80\"", false),
            ("url = \"https://occi.example.com\"", false),
            ("url = \"https://occi.example.com\"\n[metrics]\npublic = true", true),
            ("listen = \"0.0.0.0:80\"\n[metrics]\npublic = true", true),
            ("listen = \"0.0.0.0:80\"\n[metrics]\nlisten = \"127.0.0.1:9187\"", false),
        ] {
            assert_eq!(Config::parse(text).unwrap().shows_metrics(), is_shown, "{text}");
        }
        let wrong = Config::parse("[metrics]\nlisten = \"9187\"").unwrap_err().to_string();
        assert!(wrong.contains("ADDRESS:PORT"), "{wrong}");
    }
}
