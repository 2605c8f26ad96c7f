//! Reading what apt says: pure functions from its words to values.

/// What apt would do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What apt-get install was given.
    pub(crate) arguments: Vec<String>,
    pub(crate) installed: Vec<String>,
    pub(crate) removed: Vec<String>,
    /// Each as 'name from VERSION to VERSION'.
    pub(crate) downgraded: Vec<String>,
}

/// A version of a package that an archive has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) version: String,
    pub(super) suite: String,
}

impl Plan {
    /// From what `apt-get install --simulate` prints.
    pub(super) fn read(arguments: Vec<String>, simulation: &str) -> Self {
        let mut plan = Self { arguments, installed: Vec::new(), removed: Vec::new(), downgraded: Vec::new() };
        let down: Vec<&str> = section(simulation, "DOWNGRADED:").collect();
        for line in simulation.lines() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("Inst"), Some(name)) if down.contains(&name) => {
                    let from = words.next().unwrap_or_default().trim_matches(['[', ']']);
                    let to = words.next().unwrap_or_default().trim_start_matches('(');
                    plan.downgraded.push(format!("{name} from {from} to {to}"));
                }
                (Some("Inst"), Some(name)) => plan.installed.push(name.to_owned()),
                (Some("Remv"), Some(name)) => plan.removed.push(name.to_owned()),
                _ => {}
            }
        }
        plan
    }
}

/// The names under a heading such as 'The following packages will be DOWNGRADED:'; they are indented.
fn section<'a>(simulation: &'a str, heading: &'a str) -> impl Iterator<Item = &'a str> {
    simulation
        .lines()
        .skip_while(move |line| !line.ends_with(heading))
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .flat_map(str::split_whitespace)
}

/// From what `apt-cache madison` prints: 'name | version | archive suite/component arch Packages'.
pub(super) fn offers(madison: &str) -> Vec<Offer> {
    madison
        .lines()
        .filter_map(|line| {
            let mut columns = line.split('|').map(str::trim).skip(1);
            let version = columns.next()?.to_owned();
            let suite = columns.next()?.split_whitespace().nth(1)?.split('/').next()?.to_owned();
            Some(Offer { version, suite })
        })
        .collect()
}

/// From what `apt-cache depends` prints.
pub(super) fn dependencies(depends: &str) -> Vec<String> {
    depends.lines().filter_map(|line| line.trim().strip_prefix("Depends: ")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_is_seen() {
        let plan = Plan::read(
            Vec::new(),
            "The following packages will be REMOVED:\n  qemu-utils\n\
             0 upgraded, 1 newly installed, 1 to remove and 132 not upgraded.\n\
             Remv qemu-utils [1:10.0.2+ds-2]\n\
             Inst qemu-system-x86 (1:7.2+dfsg-7 Debian:12.15/oldstable [amd64])\n\
             Conf qemu-system-x86 (1:7.2+dfsg-7 Debian:12.15/oldstable [amd64])\n",
        );
        assert_eq!(plan.removed, ["qemu-utils"]);
        assert_eq!(plan.installed, ["qemu-system-x86"]);
        assert!(plan.downgraded.is_empty());
    }

    #[test]
    fn a_downgrade_is_told_from_an_installation() {
        let plan = Plan::read(
            Vec::new(),
            "The following NEW packages will be installed:\n  qemu-system-x86 seabios\n\
             The following packages will be DOWNGRADED:\n  qemu-utils\n\
             0 upgraded, 2 newly installed, 1 downgraded, 0 to remove and 132 not upgraded.\n\
             Inst seabios (1.16.2-1 Debian:12.15/oldstable [all])\n\
             Inst qemu-utils [1:10.0.2] (1:7.2 Debian:12.15/oldstable [amd64])\n\
             Inst qemu-system-x86 (1:7.2 Debian:12.15/oldstable [amd64])\n",
        );
        assert_eq!(plan.downgraded, ["qemu-utils from 1:10.0.2 to 1:7.2"]);
        assert_eq!(plan.installed, ["seabios", "qemu-system-x86"]);
    }

    #[test]
    fn an_offer_names_its_suite() {
        let offers = offers(
            "qemu-utils | 1:10.0.2~bpo12+1 | http://archive.example/debian bookworm-backports/main amd64 Packages\n\
             qemu-utils | 1:7.2+dfsg-7 | http://archive.example/debian bookworm/main amd64 Packages\n",
        );
        let offer = |version: &str, suite: &str| Offer { version: version.into(), suite: suite.into() };
        assert_eq!(
            offers,
            [offer("1:10.0.2~bpo12+1", "bookworm-backports"), offer("1:7.2+dfsg-7", "bookworm")]
        );
    }

    #[test]
    fn dependencies_leave_the_rest_out() {
        let depends =
            "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n  Suggests: other\n";
        assert_eq!(dependencies(depends), ["linux-image-6.1.0-56-cloud-amd64"]);
    }
}
