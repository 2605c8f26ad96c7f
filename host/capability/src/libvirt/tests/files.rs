//! Files of the hypervisors' hosts.

use super::*;
use host_file::check;
use occi_services::service;
use virt::storage_pool::StoragePool;

/// A file by the same name, of another content, is not what the machine needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_told_from_another_of_that_name() {
    let both = (service("OCCI_TEST_QEMU_URI"), service("OCCI_TEST_OTHER_QEMU_URI"));
    let (Some(north), Some(south)) = both else { return };
    // Within what each daemon has for itself.
    let pool = format!("occi-test-files-{}", Uuid::new_v4());
    let open = async |uri| {
        let volumes = Path::new("/var/lib/occi").join(&pool);
        let config = HypervisorConfig {
            uri,
            // Another test counts the machines by which it is found.
            domain_type: DomainType::Qemu,
            pool: pool.clone(),
            volumes,
            ..HypervisorConfig::default()
        };
        Hypervisor::open(config).await.unwrap()
    };
    let (north, south) = (open(north).await, open(south).await);
    for (hypervisor, files) in
        [(&north, [("same", 512), ("other", 512)]), (&south, [("same", 512), ("other", 1024)])]
    {
        let place = volume::Place::of(hypervisor.config());
        outside(hypervisor, move |live| {
            files.iter().try_for_each(|(name, bytes)| place.create_raw(live, name, *bytes).map(drop))
        })
        .await;
    }
    for (name, said) in
        [("same", None), ("other", Some("another file other")), ("none", Some("does not have none"))]
    {
        let (file, there) = (north.config().volumes.join(name), south.clone());
        let needed = [file];
        let look = move |here: &connection::Live| there.over_there(|there, _| check(here, there, &needed));
        match (north.workers().call(Lane::Short, Hold::Nothing, look).await, said) {
            (Ok(()), None) => {}
            (Err(Error::Conflict(why)), Some(said)) => assert!(why.contains(said), "{why}"),
            (answer, _) => panic!("{name}: {answer:?}"),
        }
    }
    for hypervisor in [&north, &south] {
        let pool = pool.clone();
        outside(hypervisor, move |live| {
            let pool = StoragePool::lookup_by_name(&live.connect, &pool)?;
            for file in pool.list_all_volumes(0)? {
                file.delete(0)?;
            }
            pool.destroy()?;
            Ok(pool.undefine()?)
        })
        .await;
    }
}
