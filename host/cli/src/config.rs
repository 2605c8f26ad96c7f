//! The configuration: a TOML file, every setting with its default; `occi.toml` beside this crate's manifest shows and
//! explains all of them. What a command line says wins over the file.

mod bridge;
mod hypervisor;
mod metrics;
mod sandbox;

pub(crate) use hypervisor::{DomainType, Hypervisor, Node};
pub(crate) use metrics::Metrics;
pub(crate) use sandbox::Sandbox;

use anyhow::{Context, anyhow, bail, ensure};
use ipnet::IpNet;
use occi_capability::{ConfigValues, HttpGrant, Origin};
use occi_extension::{Compatibility, Settings};
use occi_model::{AttributeName, CategoryId};
use occi_operation::Allowance;
use occi_server::PublicUrl;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// The commented example: every setting at its default.
pub(crate) const EXAMPLE: &str = include_str!("../occi.toml");

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    #[serde(deserialize_with = "listen")]
    pub(crate) listen: SocketAddr,
    #[serde(deserialize_with = "url")]
    pub(crate) url: Option<PublicUrl>,
    pub(crate) data: PathBuf,
    pub(crate) extensions: Option<PathBuf>,
    #[serde(deserialize_with = "compatibility")]
    pub(crate) compatibility: Compatibility,
    /// Those that extensions may be lent; none for all.
    pub(crate) capabilities: Option<Vec<String>>,
    /// The extensions that may have power over others.
    pub(crate) administrators: Option<Vec<String>>,
    pub(crate) settings: ConfigValues,
    pub(crate) http: BTreeMap<String, Http>,
    pub(crate) quota: Vec<Quota>,
    pub(crate) hypervisor: Hypervisor,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) sandbox: Sandbox,
}

/// What one extension may ask.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Http {
    pub(crate) allow: Vec<Origin>,
    #[serde(deserialize_with = "networks")]
    pub(crate) addresses: Vec<IpNet>,
    pub(crate) authorities: Option<PathBuf>,
    pub(crate) secrets: BTreeMap<String, PathBuf>,
}

/// What each tenant may have at most.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quota {
    #[serde(deserialize_with = "category")]
    pub(crate) category: CategoryId,
    #[serde(default, deserialize_with = "attribute")]
    pub(crate) attribute: Option<AttributeName>,
    pub(crate) most: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Limits {
    pub(crate) body: usize,
    pub(crate) head_seconds: u64,
    pub(crate) body_seconds: u64,
    pub(crate) answer_seconds: u64,
    pub(crate) connections: usize,
    pub(crate) grace_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            url: None,
            data: "./occi-data".into(),
            extensions: None,
            compatibility: Compatibility::default(),
            capabilities: None,
            administrators: None,
            settings: ConfigValues::new(),
            http: BTreeMap::new(),
            quota: Vec::new(),
            hypervisor: Hypervisor::default(),
            limits: Limits::default(),
            metrics: Metrics::default(),
            sandbox: Sandbox::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            head_seconds: 30,
            body_seconds: 60,
            answer_seconds: 300,
            connections: 4096,
            grace_seconds: 30,
        }
    }
}

impl Config {
    /// Reads a file; none gives the defaults.
    pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = file else { return Ok(Self::default()) };
        let text =
            std::fs::read_to_string(file).with_context(|| format!("the configuration {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("the configuration {}", file.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let config: Self = toml::from_str(text).map_err(|error| anyhow!("{}", with_hint(&error)))?;
        config.check()?;
        Ok(config)
    }

    /// What the types cannot say.
    fn check(&self) -> anyhow::Result<()> {
        /// A day, in seconds.
        const DAY: u64 = 86_400;
        let (hypervisor, limits, sandbox) = (&self.hypervisor, &self.limits, &self.sandbox);
        let wide = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        // Each with the most that makes sense: beyond it lies a slip of the hand.
        let bounds = [
            ("hypervisor.memory-mib", hypervisor.memory_mib, 1 << 24),
            ("hypervisor.cores", hypervisor.cores.into(), 4096),
            ("hypervisor.short-seconds", hypervisor.short_seconds, DAY),
            ("hypervisor.long-seconds", hypervisor.long_seconds, DAY),
            ("hypervisor.reconcile-seconds", hypervisor.reconcile_seconds, 7 * DAY),
            ("limits.body", wide(limits.body), 1 << 30),
            ("limits.head-seconds", limits.head_seconds, DAY),
            ("limits.body-seconds", limits.body_seconds, DAY),
            ("limits.answer-seconds", limits.answer_seconds, DAY),
            ("limits.connections", wide(limits.connections), 1 << 20),
            ("sandbox.memory-mib", wide(sandbox.memory_mib), 4096),
            ("sandbox.total-memory-mib", wide(sandbox.total_memory_mib), 1 << 24),
            ("sandbox.compile-seconds", sandbox.compile_seconds, DAY),
            ("sandbox.deadline-ms", sandbox.deadline_ms, DAY * 1000),
            ("sandbox.timeout-ms", sandbox.timeout_ms, DAY * 1000),
            ("sandbox.concurrency", wide(sandbox.concurrency), u64::from(Settings::default().calls)),
            ("sandbox.host-calls", sandbox.host_calls, 1 << 32),
            ("sandbox.keyvalue-keys", sandbox.keyvalue_keys, 1 << 32),
            ("sandbox.keyvalue-mib", sandbox.keyvalue_mib, 1 << 24),
            ("sandbox.folder-files", wide(sandbox.folder_files), 1 << 20),
            ("sandbox.folder-mib", sandbox.folder_mib, 1 << 24),
        ];
        for (name, value, most) in bounds {
            ensure!((1..=most).contains(&value), "`{name}` must be at least 1 and at most {most}");
        }
        if let Some(wrong) = self.quota.iter().find(|quota| !(0.0..=1e18).contains(&quota.most)) {
            bail!("`quota.most` of {} must be at least 0 and at most 1e18", wrong.category);
        }
        let least = sandbox.memory_mib.saturating_mul(2);
        ensure!(
            sandbox.total_memory_mib >= least,
            "`sandbox.total-memory-mib` must be at least {least}, twice `sandbox.memory-mib`"
        );
        hypervisor.check()?;
        ensure!(limits.grace_seconds <= DAY, "`limits.grace-seconds` must be at most {DAY}");
        Ok(())
    }

    /// The folder with the extensions, by its whole path, as what happens in it is told: the one that is set, else the one
    /// beside the program.
    pub(crate) fn extensions_folder(&self) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.extensions {
            return std::path::absolute(folder).context("where the folder of extensions is");
        }
        let program = std::env::current_exe().context("where this program is")?;
        Ok(program.parent().unwrap_or(Path::new(".")).join("extensions"))
    }
}

impl Limits {
    pub(crate) fn to_server(&self) -> occi_server::Limits {
        occi_server::Limits {
            body: self.body,
            head_time: Duration::from_secs(self.head_seconds),
            body_time: Duration::from_secs(self.body_seconds),
            answer_time: Duration::from_secs(self.answer_seconds),
            connections: self.connections,
            grace: Duration::from_secs(self.grace_seconds),
        }
    }
}

impl Http {
    /// With what its files hold.
    pub(crate) fn to_grant(&self) -> anyhow::Result<HttpGrant> {
        let mut secrets = BTreeMap::new();
        for (name, file) in &self.secrets {
            let secret = std::fs::read_to_string(file)
                .with_context(|| format!("`secrets.{name}`: the file {}", file.display()))?;
            secrets.insert(name.clone(), secret.trim().to_owned());
        }
        let authorities = match &self.authorities {
            Some(file) => certificates(file)
                .with_context(|| format!("`authorities`: the certificates in {}", file.display()))?,
            None => Vec::new(),
        };
        let (allow, addresses) = (self.allow.clone(), self.addresses.clone());
        Ok(HttpGrant::new(allow, addresses, secrets, authorities)?)
    }
}

fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?;
    ensure!(!certificates.is_empty(), "there is none");
    Ok(certificates)
}

impl Quota {
    pub(crate) fn to_allowance(&self) -> Allowance {
        Allowance { category: self.category.clone(), attribute: self.attribute.clone(), most: self.most }
    }
}

/// Where to listen, as the command line and the file name it.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!(
            "`{text}` is not of the form ADDRESS:PORT, such as 127.0.0.1:8787, 0.0.0.0:8787 or [::1]:8787"
        )
    })
}

fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    address(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PublicUrl>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

fn compatibility<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Compatibility, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "1.2" => Ok(Compatibility::Occi12),
        "1.1" => Ok(Compatibility::Occi11),
        other => Err(D::Error::custom(format!(
            "`{other}` is no OCCI to be compatible with; there are \"1.2\" and \"1.1\""
        ))),
    }
}

fn category<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CategoryId, D::Error> {
    CategoryId::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn attribute<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AttributeName>, D::Error> {
    AttributeName::parse(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

/// Networks, and addresses alone.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let network = |text: String| {
        let one = text.parse::<IpAddr>().map(IpNet::from);
        one.or_else(|_| text.parse()).map_err(|_| {
            D::Error::custom(format!("`{text}` is no address and no network, such as 10.0.0.7 or 10.0.0.0/8"))
        })
    };
    Vec::deserialize(deserializer)?.into_iter().map(network).collect()
}

/// An unknown key is most often a misspelt one: the nearest known is named.
fn with_hint(error: &toml::de::Error) -> String {
    let message = error.message();
    let mut names = message.split('`').skip(1).step_by(2);
    let hint = match (message.starts_with("unknown field"), names.next()) {
        (true, Some(given)) => names
            .map(|known| (strsim::normalized_damerau_levenshtein(given, known), known))
            .max_by(|one, other| one.0.total_cmp(&other.0))
            // Where none is like it, the message's own list of them says more.
            .filter(|(likeness, _)| *likeness > 0.4)
            .map(|(_, known)| format!("did you mean `{known}`?\n"))
            .unwrap_or_default(),
        _ => String::new(),
    };
    format!("{error}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_shows_every_default() {
        assert_eq!(Config::parse(EXAMPLE).unwrap(), Config::default());
        // What is commented out is right, too.
        let whole: String = EXAMPLE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(setting) if setting.starts_with('[') || setting.contains(" = ") => {
                    format!("{setting}\n")
                }
                _ => format!("{line}\n"),
            })
            .collect();
        let config = Config::parse(&whole).unwrap();
        assert!(
            config.hypervisor.boot.is_some()
                && config.hypervisor.bridge.len() == 1
                && config.url.is_some()
                && config.extensions.is_some()
                && config.capabilities.is_some()
                && config.administrators.is_some()
                && config.metrics.listen.is_some()
                && config.settings["NAME"]["region"] == "north"
                && config.http["NAME"].allow.len() == 1
                && config.http["NAME"].addresses.len() == 2
                && config.quota.len() == 1
                && config.hypervisor.node.len() == 1
        );
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let error = Config::parse("lisen = \"127.0.0.1:1\"").unwrap_err().to_string();
        assert!(error.contains("did you mean `listen`?"), "{error}");
        let error = Config::parse("[hypervisor]\nurl = \"x\"").unwrap_err().to_string();
        assert!(error.contains("did you mean `uri`?") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn a_key_that_is_like_no_other_is_not_said_to_be_misspelt() {
        let error = Config::parse("[server]\nport = 1").unwrap_err().to_string();
        assert!(!error.contains("did you mean") && error.contains("`listen`"), "{error}");
    }

    #[test]
    fn the_occi_that_is_spoken_is_told_in_words_of_the_standard() {
        let told = |version: &str| Config::parse(&format!("compatibility = {version:?}"));
        assert_eq!(told("1.1").unwrap().compatibility, Compatibility::Occi11);
        assert_eq!(told("1.2").unwrap(), Config::default());
        let error = told("1.0").unwrap_err().to_string();
        assert!(error.contains("there are \"1.2\" and \"1.1\""), "{error}");
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        let error = Config::parse("[sandbox]\nconcurrency = 0").unwrap_err().to_string();
        assert_eq!(error, "`sandbox.concurrency` must be at least 1 and at most 256");
        for slip in ["[sandbox]\nmemory-mib = 17592186044416", "[limits]\nhead-seconds = 9223372036854775807"]
        {
            assert!(Config::parse(slip).unwrap_err().to_string().contains("at most"), "{slip}");
        }
    }
}
