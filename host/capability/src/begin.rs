//! How functions that can say no begin: they ask whether they are to fail, where that is rehearsed.

/// Ends the function with the fault that is rehearsed, if one is.
macro_rules! begin {
    ($state:ident, $capability:literal, $function:literal) => {
        if let Err(fault) = $state.begin($capability, $function) {
            return Ok(Err(fault.into()));
        }
    };
}

#[cfg(test)]
mod tests {
    use occi_extension::Capability;

    /// Each function of the contract that can say no is listed, and begins so.
    fn check(capability: &dyn Capability, source: &str, contract: &str) {
        let (name, functions) = (capability.name(), capability.functions());
        for function in functions {
            let head = format!("begin!(self, \"{name}\", \"{function}\");");
            assert_eq!(source.matches(&head).count(), 1, "{head}");
            let last = function.rsplit('.').next().unwrap();
            let declared =
                |line: &str| line.trim_start().starts_with(&format!("{last}: ")) && can_say_no(line);
            assert!(contract.lines().any(declared), "{function}");
        }
        assert_eq!(functions.len(), contract.lines().filter(|line| can_say_no(line)).count(), "{name}");
    }

    fn can_say_no(line: &str) -> bool {
        line.contains("func(") && line.contains("-> result<")
    }

    #[test]
    fn all_functions_that_can_say_no_can_be_made_to() {
        check(
            &crate::Config,
            include_str!("config.rs"),
            include_str!("../../../wit/deps/wasi-config/store.wit"),
        );
        let contract = include_str!("../../../wit/deps/wasi-keyvalue/store.wit");
        check(&crate::KeyValue, include_str!("keyvalue.rs"), contract);
        check(&crate::Entities, include_str!("entities.rs"), include_str!("../../../wit/entities.wit"));
        check(&crate::Folder, include_str!("folder.rs"), include_str!("../../../wit/folder.wit"));
    }

    #[cfg(feature = "libvirt")]
    #[tokio::test]
    async fn at_the_hypervisor_as_well() {
        use crate::libvirt::{Hypervisor, HypervisorConfig};
        let nodes = crate::Nodes::from(Hypervisor::open(HypervisorConfig::default()).await.unwrap());
        let machines = crate::Machines::new(&nodes);
        check(&machines, include_str!("machines.rs"), include_str!("../../../wit/machines.wit"));
        let volumes = crate::Volumes::new(&nodes);
        check(&volumes, include_str!("volumes.rs"), include_str!("../../../wit/volumes.wit"));
        let networks = crate::Networks::new(&nodes);
        check(&networks, include_str!("networks.rs"), include_str!("../../../wit/networks.wit"));
        check(&crate::Metrics, include_str!("metrics.rs"), include_str!("../../../wit/metrics.wit"));
    }
}
