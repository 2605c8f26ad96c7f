//! The Cargo.toml above the crates of the SDK, of which they inherit: this workspace's, with nothing in it that they do not use.

use anyhow::Context;
use std::collections::BTreeSet;
use toml::{Table, Value};

/// The tables in which a package names what it depends on.
const DEPENDENCIES: [&str; 2] = ["dependencies", "dev-dependencies"];

/// That of a workspace with these members alone, whose own are among `files`, made of the whole one's text.
pub(super) fn of_sdk(root: &str, members: &[&str], files: &[(String, String)]) -> anyhow::Result<String> {
    let mut used = BTreeSet::new();
    for (_, text) in files
        .iter()
        .filter(|(path, _)| members.iter().any(|member| path.ends_with(&format!("/{member}/Cargo.toml"))))
    {
        let package: Table = text.parse().context("a package of the SDK")?;
        for table in DEPENDENCIES {
            used.extend(
                package
                    .get(table)
                    .and_then(Value::as_table)
                    .into_iter()
                    .flat_map(|table| table.keys().cloned()),
            );
        }
    }
    let mut whole: Table = root.parse().context("the workspace of the SDK")?;
    let workspace =
        whole.get_mut("workspace").and_then(Value::as_table_mut).context("the SDK's workspace is none")?;
    let mut made = Table::new();
    for key in ["resolver", "package", "lints", "dependencies"] {
        made.extend(workspace.remove(key).map(|value| (key.to_owned(), value)));
    }
    made.insert("members".into(), members.to_vec().into());
    if let Some(dependencies) = made.get_mut("dependencies").and_then(Value::as_table_mut) {
        dependencies.retain(|name, _| used.contains(name));
    }
    Ok(toml::to_string(&Table::from_iter([("workspace".to_owned(), Value::Table(made))]))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_crates_use_stays() {
        let root = "[workspace]\nmembers = ['host', 'sdk']\n[workspace.package]\nversion = '1.0.0'\n\
                    [workspace.dependencies]\nused = '1'\ntested = '2'\nother = '3'\n[profile.release]\ndebug = true\n";
        let package = "[package]\nname = 'sdk'\n[dependencies]\nused.workspace = true\n[dev-dependencies]\ntested.workspace = true\n";
        let made = of_sdk(root, &["sdk"], &[("occi/sdk/Cargo.toml".into(), package.into())]).unwrap();
        let expected = "[workspace]\nmembers = ['sdk']\n[workspace.package]\nversion = '1.0.0'\n\
                        [workspace.dependencies]\nused = '1'\ntested = '2'\n";
        assert_eq!(made.parse::<Table>().unwrap(), expected.parse::<Table>().unwrap());
    }
}
