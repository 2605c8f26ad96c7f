//! What a compute's system is told when it boots: files for cloud-init's `NoCloud`.
//!
//! - meta-data: who it is, and the public keys that may sign in.
//! - user-data: what the client gives, of whichever format of cloud-init (INF-19). Some clients send it in Base64.
//! - network-config: the addresses that its links say it has; an interface without one asks by DHCP.

use crate::{IP_NETWORK_INTERFACE, NETWORK_INTERFACE, SSH_KEY, USER_DATA};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use occi_sdk::entities::{self, Entity};
use occi_sdk::{Fault, Read, Result, Subject};
use std::fmt::Write as _;

const KEYS: &str = "occi.credentials.ssh.publickey";
const DATA: &str = "occi.compute.userdata";

/// How the formats begin that cloud-init knows, and MIME, by which several are put together.
const FORMATS: [&str; 9] = [
    "#!",
    "#cloud-config",
    "#cloud-boothook",
    "#include",
    "#part-handler",
    "#upstart-job",
    "## template:",
    "content-type:",
    "mime-version:",
];

/// The files for a compute with these attributes, without one of its Mixins; none where it is told nothing.
pub(crate) fn files(
    subject: &Subject,
    of: &dyn Read,
    without: Option<&str>,
) -> Result<Vec<(&'static str, String)>> {
    let has = |mixin: &str| subject.has_mixin(mixin) && without != Some(mixin);
    let keys = if has(SSH_KEY) { of.text(KEYS) } else { None };
    let data = if has(USER_DATA) { of.text(DATA) } else { None };
    if keys.is_none() && data.is_none() {
        return Ok(Vec::new());
    }
    let mut meta = format!("instance-id: {}\n", quoted(&subject.id()));
    if let Some(hostname) = of.text("occi.compute.hostname") {
        _ = writeln!(meta, "local-hostname: {}", quoted(&hostname));
    }
    let keys = keys.unwrap_or_default();
    let mut keys = lines(&keys).peekable();
    if keys.peek().is_some() {
        meta.push_str("public-keys:\n");
        keys.for_each(|key| _ = writeln!(meta, "  - {}", quoted(key)));
    }
    let data = data.map(|data| plain(&data).unwrap_or(data)).unwrap_or_default();
    let mut files = vec![("meta-data", meta), ("user-data", data)];
    if !subject.is_new() {
        files.extend(network(subject)?.map(|network| ("network-config", network)));
    }
    Ok(files)
}

/// Whether all that is given are public keys.
pub(crate) fn check_keys(of: &dyn Read) -> Result<()> {
    let text = of.text(KEYS).unwrap_or_default();
    let is_key = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let kind = words.next().unwrap_or_default();
        let is_known = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|known| kind.starts_with(known));
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
        is_known && words.next().is_some_and(|key| key.len() >= 16 && key.chars().all(is_base64))
    };
    match lines(&text).find(|line| !is_key(line)) {
        None if lines(&text).next().is_some() => Ok(()),
        _ => {
            let refused = "give public keys as OpenSSH writes them, one in each line, such as `ssh-ed25519 AAAA... someone`";
            Err(Fault::invalid(refused).on(KEYS))
        }
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// What Base64 stands for, where that is something which cloud-init knows, and the text itself is not.
fn plain(text: &str) -> Option<String> {
    let known = |text: &str| {
        let begin = text.trim_start().get(..16).unwrap_or(text.trim_start()).to_ascii_lowercase();
        FORMATS.iter().any(|format| begin.starts_with(format))
    };
    if known(text) {
        return None;
    }
    // Lines may be wrapped.
    let digits: String = text.split_ascii_whitespace().collect();
    String::from_utf8(STANDARD.decode(digits).ok()?).ok().filter(|plain| known(plain))
}

/// The interfaces as its links have them; none where it has no link.
fn network(subject: &Subject) -> Result<Option<String>> {
    let mut text = String::from("version: 2\nethernets:\n");
    let mut is_linked = false;
    for link in entities::links(subject)? {
        let link = link?;
        if link.kind() != NETWORK_INTERFACE {
            continue;
        }
        let Some((name, mac)) =
            link.text("occi.networkinterface.interface").zip(link.text("occi.networkinterface.mac"))
        else {
            continue;
        };
        is_linked = true;
        _ = writeln!(text, "  {name}:\n    match:\n      macaddress: {}", quoted(&mac.to_ascii_lowercase()));
        match address(&link)? {
            Some(address) => _ = writeln!(text, "    addresses: [{}]", quoted(&address)),
            None => text.push_str("    dhcp4: true\n"),
        }
        if let Some(gateway) = gateway(&link)? {
            let to = if gateway.contains(':') { "::/0" } else { "0.0.0.0/0" };
            _ = writeln!(text, "    routes:\n      - to: {}\n        via: {}", quoted(to), quoted(&gateway));
        }
    }
    Ok(is_linked.then_some(text))
}

/// The gateway that a link's interface has by itself, and not from its network's DHCP.
fn gateway(link: &Entity) -> Result<Option<String>> {
    let Some(gateway) = link.text("occi.networkinterface.gateway") else { return Ok(None) };
    let of_network = || Ok(network_of(link)?.and_then(|network| network.text("occi.network.gateway")));
    Ok(if is_static(link) || of_network()?.as_ref() != Some(&gateway) { Some(gateway) } else { None })
}

fn is_static(link: &Entity) -> bool {
    let has_address = link.mixins().iter().any(|mixin| mixin == IP_NETWORK_INTERFACE);
    has_address && link.text("occi.networkinterface.allocation").as_deref() == Some("static")
}

fn network_of(link: &Entity) -> Result<Option<Entity>> {
    Ok(link.target().map(|target| Entity::find(&target)).transpose()?.flatten())
}

/// The address that a link's interface has by itself, with as many bits of it as its network has.
fn address(link: &Entity) -> Result<Option<String>> {
    if !is_static(link) {
        return Ok(None);
    }
    let Some(address) = link.text("occi.networkinterface.address") else { return Ok(None) };
    let cidr = network_of(link)?.and_then(|network| network.text("occi.network.address"));
    let bits = cidr.as_deref().and_then(|cidr| cidr.split_once('/')).map(|(_, bits)| bits.to_owned());
    let all = if address.contains(':') { "128" } else { "32" };
    Ok(Some(format!("{address}/{}", bits.as_deref().unwrap_or(all))))
}

/// A text as YAML and JSON both have it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => _ = write!(quoted, "\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_where_it_stands_for_something_known() {
        for (text, plain_text) in [
            ("IyEvYmluL3NoCmVjaG8gaGk=", Some("#!/bin/sh\necho hi")),
            ("IyEvYmluL3No\nCmVjaG8gaGk=\n", Some("#!/bin/sh\necho hi")),
            ("I2Nsb3VkLWNvbmZpZwo=", Some("#cloud-config\n")),
            ("#!/bin/sh\necho hi", None),
            ("#cloud-config\n", None),
            // Words that could be Base64 by accident.
            ("aGVsbG8gd29ybGQ=", None),
            ("some", None),
            ("I2Nsb3VkLWNvbmZpZwo", None),
            ("====", None),
            ("", None),
        ] {
            assert_eq!(plain(text).as_deref(), plain_text, "{text:?}");
        }
    }

    #[test]
    fn texts_are_quoted() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\u000ad""#);
    }
}
