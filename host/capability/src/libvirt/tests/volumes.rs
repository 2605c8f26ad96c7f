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
