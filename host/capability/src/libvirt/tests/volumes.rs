//! Volumes and their pool.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_grows_and_does_not_shrink() {
    let private = private().await;
    let volume = private.hypervisor.volume(id(2));
    assert_eq!(code(volume.capacity().await), Err("missing"));
    assert_eq!(code(volume.resize(1024).await), Err("missing"));
    for _ in 0..2 {
        volume.create(1000).await.unwrap();
    }
    assert_eq!(volume.capacity().await, Ok(1024));
    assert_eq!(code(volume.create(4096).await), Err("conflict"));
    for _ in 0..2 {
        volume.resize(1 << 20).await.unwrap();
    }
    assert_eq!(volume.capacity().await, Ok(1 << 20));
    assert_eq!(code(volume.resize(512).await), Err("invalid"));
    assert_eq!(code(volume.create(0).await), Err("invalid"));
    for _ in 0..2 {
        volume.remove().await.unwrap();
    }
    assert_eq!(code(volume.exists().await), Err("missing"));
}

/// The name says how it is written, and there is one of either format alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_volume_has_one_format() {
    let private = private().await;
    let hypervisor = &private.hypervisor;
    let volume = hypervisor.volume(id(2));
    for _ in 0..2 {
        volume.create_as(1 << 20, Some(DiskFormat::Raw), None).await.unwrap();
    }
    assert_eq!(volume.format().await, Ok(DiskFormat::Raw));
    assert_eq!(code(volume.create(1 << 20).await), Err("conflict"), "qcow2 is the operator's");
    assert_eq!(code(volume.create_as(1 << 20, Some(DiskFormat::Qcow2), None).await), Err("conflict"));
    volume.resize(2 << 20).await.unwrap();
    let Inventory { volumes, .. } = hypervisor.inventory().await.unwrap();
    let name = format!("{}.raw", name::of(id(2)));
    assert_eq!(volumes, [FoundVolume { volume: id(2), name: name.clone(), capacity: 2 << 20 }]);

    let machine = hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    assert_eq!(machine.attach_volume(id(11), id(2)).await.as_deref(), Ok("vda"));
    assert_eq!(machine.attach_volume(id(11), id(2)).await.as_deref(), Ok("vda"));
    assert_eq!(code(machine.attach_volume(id(12), id(2)).await), Err("conflict"));
    assert_eq!(hypervisor.inventory().await.unwrap().attachments[0].to, name);
    machine.start().await.unwrap();
    assert_eq!(code(machine.snapshot("now").await), Err("conflict"));
    assert_eq!(code(volume.remove().await), Err("conflict"));
    machine.detach_volume(id(11), id(2), false).await.unwrap();
    machine.snapshot("now").await.unwrap();
    volume.remove().await.unwrap();
    assert_eq!(code(volume.format().await), Err("missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_a_volume_becomes_a_file() {
    let private = private().await;
    let volume = private.hypervisor.volume(id(2));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.qcow2");
    assert_eq!(code(volume.copy_to(&file, ()).await), Err("missing"));
    assert!(!file.exists());
    volume.create(3 << 20).await.unwrap();
    volume.copy_to(&file, ()).await.unwrap();
    let disk = ImageDisk { file, format: DiskFormat::Qcow2 };
    assert_eq!(disk.bytes().unwrap(), 3 << 20);
    private.hypervisor.volume(id(3)).create_as(4 << 20, None, Some(disk)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_an_operator_stopped_is_started_again() {
    let private = private().await;
    let volume = private.hypervisor.volume(id(2));
    volume.create(512).await.unwrap();
    outside(&private.hypervisor, |live| {
        let pool = virt::storage_pool::StoragePool::lookup_by_name(&live.connect, "occi")?;
        Ok(pool.destroy()?)
    })
    .await;
    private.hypervisor.volume(id(3)).create(512).await.unwrap();
}

/// To remove a volume it matters who is defined to use it, and not who is just starting.
#[tokio::test(flavor = "multi_thread")]
async fn a_volume_goes_while_machines_start() {
    let private = private().await;
    let hypervisor = private.hypervisor.clone();
    let (volume, other) = (hypervisor.volume(id(80)), hypervisor.volume(id(81)));
    for volume in [&volume, &other] {
        volume.create(1 << 20).await.unwrap();
    }
    let ((begun, begins), (go, gate)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let starting = tokio::spawn(async move {
        let start = move |_: &connection::Live| {
            begun.send(()).unwrap();
            gate.recv().unwrap();
            Ok(())
        };
        hypervisor.workers().call(Lane::Long, Hold::Starting(id(82)), start).await
    });
    begins.recv().unwrap();
    timeout(Duration::from_secs(10), volume.remove()).await.expect("it waits for the start").unwrap();
    // A running machine's volume is resized by that machine: who starts is waited for.
    let (mut resize, later) = (Box::pin(other.resize(2 << 20)), Duration::from_millis(100));
    assert!(timeout(later, &mut resize).await.is_err());
    go.send(()).unwrap();
    starting.await.unwrap().unwrap();
    resize.await.unwrap();
}
