//! The tables of OCCI Infrastructure (GFD.224) and of the Compute Resource Templates Profile (GFD.222), as data.

/// The scheme of the Kinds, and of the two Mixins that templates depend on.
pub(crate) const SCHEME: &str = "http://schemas.ogf.org/occi/infrastructure#";
/// What the schemes of actions and Mixins begin with.
pub(crate) const BASE: &str = "http://schemas.ogf.org/occi/infrastructure";
pub(crate) const OS_TPL: &str = "http://schemas.ogf.org/occi/infrastructure#os_tpl";
pub(crate) const RESOURCE_TPL: &str = "http://schemas.ogf.org/occi/infrastructure#resource_tpl";
/// The scheme of the profile's templates.
pub(crate) const PROFILE: &str = "http://schemas.ogf.org/occi/infrastructure/compute/template/1.1#";

pub(crate) const CORES: &str = "occi.compute.cores";
pub(crate) const MEMORY: &str = "occi.compute.memory";
pub(crate) const EPHEMERAL: &str = "occi.compute.ephemeral_storage.size";

/// A Kind by its table.
pub(crate) struct Kind {
    pub(crate) term: &'static str,
    pub(crate) is_link: bool,
    pub(crate) attributes: &'static [Attribute],
    /// The values of the attribute that ends in `.state`.
    pub(crate) states: &'static [&'static str],
    pub(crate) actions: &'static [Action],
}

impl Kind {
    pub(crate) fn id(&self) -> String {
        format!("{SCHEME}{}", self.term)
    }

    pub(crate) fn state(&self) -> String {
        format!("occi.{}.state", self.term)
    }

    pub(crate) fn action_scheme(&self) -> String {
        format!("{BASE}/{}/action#", self.term)
    }

    pub(crate) fn parent(&self) -> &'static str {
        if self.is_link { crate::model::LINK } else { crate::model::RESOURCE }
    }
}

/// An attribute by its table.
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    /// As JSON names it.
    pub(crate) kind: &'static str,
    /// Whether its multiplicity is 1.
    pub(crate) is_always_there: bool,
    pub(crate) is_mutable: bool,
}

/// An action by its table and its diagram.
pub(crate) struct Action {
    pub(crate) term: &'static str,
    /// The states that an arrow leads out of. None is drawn for those that are a chain of two others.
    pub(crate) from: &'static [&'static str],
    pub(crate) target: &'static str,
    pub(crate) parameters: &'static [(&'static str, &'static [&'static str])],
}

const fn attribute(
    name: &'static str,
    kind: &'static str,
    multiplicity: &str,
    is_mutable: bool,
) -> Attribute {
    // What is not `0..1` is `1`.
    Attribute { name, kind, is_always_there: multiplicity.len() == 1, is_mutable }
}

const fn action(
    term: &'static str,
    from: &'static [&'static str],
    target: &'static str,
    parameters: &'static [(&'static str, &'static [&'static str])],
) -> Action {
    Action { term, from, target, parameters }
}

pub(crate) const KINDS: [Kind; 5] = [COMPUTE, NETWORK, STORAGE, NETWORKINTERFACE, STORAGELINK];

pub(crate) const COMPUTE: Kind = Kind {
    term: "compute",
    is_link: false,
    attributes: &[
        attribute("occi.compute.architecture", "string", "0..1", true),
        attribute(CORES, "number", "0..1", true),
        attribute("occi.compute.hostname", "string", "0..1", true),
        attribute("occi.compute.share", "number", "0..1", true),
        attribute(MEMORY, "number", "0..1", true),
        attribute("occi.compute.state", "string", "1", false),
        attribute("occi.compute.state.message", "string", "0..1", false),
    ],
    states: &["active", "inactive", "suspended", "error"],
    actions: &[
        action("start", &["inactive", "suspended"], "active", &[]),
        action("stop", &["active"], "inactive", &[("method", &["graceful", "acpioff", "poweroff"])]),
        action("restart", &[], "active", &[("method", &["graceful", "warm", "cold"])]),
        action("suspend", &["active"], "suspended", &[("method", &["hibernate", "suspend"])]),
        action("save", &[], "active", &[("method", &["hot", "deferred"]), ("name", &["conformance"])]),
    ],
};

pub(crate) const NETWORK: Kind = Kind {
    term: "network",
    is_link: false,
    attributes: &[
        attribute("occi.network.vlan", "number", "0..1", true),
        attribute("occi.network.label", "string", "0..1", true),
        attribute("occi.network.state", "string", "1", false),
        attribute("occi.network.state.message", "string", "0..1", false),
    ],
    states: &["active", "inactive", "error"],
    actions: &[action("up", &["inactive"], "active", &[]), action("down", &["active"], "inactive", &[])],
};

pub(crate) const STORAGE: Kind = Kind {
    term: "storage",
    is_link: false,
    attributes: &[
        attribute("occi.storage.size", "number", "1", true),
        attribute("occi.storage.state", "string", "1", false),
        attribute("occi.storage.state.message", "string", "0..1", false),
    ],
    states: &["online", "offline", "error"],
    actions: &[action("online", &["offline"], "online", &[]), action("offline", &["online"], "offline", &[])],
};

pub(crate) const NETWORKINTERFACE: Kind = Kind {
    term: "networkinterface",
    is_link: true,
    attributes: &[
        attribute("occi.networkinterface.interface", "string", "1", false),
        attribute("occi.networkinterface.mac", "string", "1", true),
        attribute("occi.networkinterface.state", "string", "1", false),
        attribute("occi.networkinterface.state.message", "string", "0..1", false),
    ],
    states: &["active", "inactive", "error"],
    actions: &[],
};

pub(crate) const STORAGELINK: Kind = Kind {
    term: "storagelink",
    is_link: true,
    attributes: &[
        attribute("occi.storagelink.deviceid", "string", "1", true),
        attribute("occi.storagelink.mountpoint", "string", "0..1", true),
        attribute("occi.storagelink.state", "string", "1", false),
        attribute("occi.storagelink.state.message", "string", "0..1", false),
    ],
    states: &["active", "inactive", "error"],
    actions: &[],
};

/// A Mixin by its table: what it applies to, and its attributes with a value that clients may give.
pub(crate) struct Mixin {
    pub(crate) scheme: &'static str,
    pub(crate) term: &'static str,
    pub(crate) applies: &'static Kind,
    pub(crate) attributes: &'static [(&'static str, &'static str)],
}

impl Mixin {
    pub(crate) fn id(&self) -> String {
        format!("{}{}", self.scheme, self.term)
    }
}

pub(crate) const IPNETWORK: Mixin = Mixin {
    scheme: "http://schemas.ogf.org/occi/infrastructure/network#",
    term: "ipnetwork",
    applies: &NETWORK,
    attributes: &[
        ("occi.network.address", "192.0.2.0/24"),
        ("occi.network.gateway", "192.0.2.1"),
        ("occi.network.allocation", "static"),
    ],
};

pub(crate) const IPNETWORKINTERFACE: Mixin = Mixin {
    scheme: "http://schemas.ogf.org/occi/infrastructure/networkinterface#",
    term: "ipnetworkinterface",
    applies: &NETWORKINTERFACE,
    attributes: &[
        ("occi.networkinterface.address", "192.0.2.10"),
        ("occi.networkinterface.gateway", "192.0.2.1"),
        ("occi.networkinterface.allocation", "static"),
    ],
};

pub(crate) const SSH_KEY: Mixin = Mixin {
    scheme: "http://schemas.ogf.org/occi/infrastructure/credentials#",
    term: "ssh_key",
    applies: &COMPUTE,
    attributes: &[(
        "occi.credentials.ssh.publickey",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f conformance",
    )],
};

pub(crate) const USER_DATA: Mixin = Mixin {
    scheme: "http://schemas.ogf.org/occi/infrastructure/compute#",
    term: "user_data",
    applies: &COMPUTE,
    attributes: &[("occi.compute.userdata", "#cloud-config")],
};

/// A template of the profile: its term, and the cores, GiB of memory and GiB of storage that it gives.
pub(crate) struct Template {
    pub(crate) term: &'static str,
    pub(crate) sizes: [(&'static str, f64); 3],
}

impl Template {
    pub(crate) fn id(&self) -> String {
        format!("{PROFILE}{}", self.term)
    }
}

const fn template(term: &'static str, cores: f64, memory: f64, storage: f64) -> Template {
    Template { term, sizes: [(CORES, cores), (MEMORY, memory), (EPHEMERAL, storage)] }
}

pub(crate) const SMALL: Template = template("small", 1.0, 1.0, 10.0);
pub(crate) const MEDIUM: Template = template("medium", 2.0, 2.0, 20.0);
pub(crate) const LARGE: Template = template("large", 4.0, 4.0, 40.0);
pub(crate) const MEM_SMALL: Template = template("mem_small", 1.0, 4.0, 10.0);
pub(crate) const MEM_MEDIUM: Template = template("mem_medium", 2.0, 8.0, 20.0);
pub(crate) const MEM_LARGE: Template = template("mem_large", 4.0, 16.0, 40.0);
