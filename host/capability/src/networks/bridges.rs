//! The bridges that networks may be joined to, as the operator has named them.

use occi_extension::bindings::types::Fault;
use occi_extension::{Offered, Offers};

use crate::libvirt::{Error, HostBridge};

/// The bridges of the hypervisor's host that are on offer, each with a title for people.
#[derive(Debug, Default)]
pub struct Bridges(Vec<(HostBridge, Option<String>)>);

impl Bridges {
    /// These, and no others.
    pub fn new(all: Vec<(HostBridge, Option<String>)>) -> Self {
        Self(all)
    }

    /// The one of that name; 'invalid' where there is none.
    pub(super) fn find(&self, name: &str) -> Result<HostBridge, Error> {
        let found = self.0.iter().map(|(bridge, _)| bridge).find(|bridge| bridge.name == name);
        found.cloned().ok_or_else(|| {
            let names: Vec<_> = self.0.iter().map(|(bridge, _)| &*bridge.name).collect();
            let name = name.escape_debug();
            Error::Invalid(if names.is_empty() {
                format!("there is no bridge {name}: networks cannot be joined to any here")
            } else {
                format!("there is no bridge {name}: choose one of {}", names.join(", "))
            })
        })
    }
}

#[async_trait::async_trait]
impl Offers for Bridges {
    async fn all(&self) -> Result<Vec<Offered>, Fault> {
        let offered = |(bridge, title): &(HostBridge, _)| Offered {
            name: bridge.name.clone(),
            title: Clone::clone(title),
            purpose: None,
            figures: Vec::new(),
        };
        Ok(self.0.iter().map(offered).collect())
    }

    async fn withdraw(&self, name: &str) -> Result<(), Fault> {
        Err(Error::Denied(format!("the bridge {} is the operator's", name.escape_debug())).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libvirt::Vlans;

    #[tokio::test]
    async fn who_names_none_that_there_is_is_told_which_there_are() {
        let bridge =
            |name: &str| HostBridge { name: name.into(), device: "br0".into(), vlans: Vlans::Unknown };
        let title = Some("The city's".to_owned());
        let bridges = Bridges::new(vec![(bridge("public"), title.clone()), (bridge("lab"), None)]);
        assert_eq!(bridges.find("lab"), Ok(bridge("lab")));
        let refused = bridges.find("none\n").unwrap_err();
        assert_eq!(
            (refused.code(), &*refused.to_string()),
            ("invalid", "there is no bridge none\\n: choose one of public, lab")
        );
        assert_eq!(Bridges::default().find("public").unwrap_err().code(), "invalid");
        let offered = bridges.all().await.unwrap();
        assert_eq!((&*offered[0].name, &offered[0].title), ("public", &title));
        assert_eq!(bridges.withdraw("public").await.unwrap_err().code, "denied");
    }
}
