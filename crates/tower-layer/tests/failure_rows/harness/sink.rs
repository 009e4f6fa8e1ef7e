//! A sink in memory that fails on demand.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use countersign_core::audit::{AuditSink, Durability, Event, MemorySink, SinkError, SinkErrorKind};

/// What goes wrong with which events.
pub(crate) struct Fault {
    kind: FaultKind,
    of: fn(&Event) -> bool,
}

#[derive(Clone, Copy)]
enum FaultKind {
    Fails,
    Panics,
    Hangs,
}

pub(crate) fn fails(of: fn(&Event) -> bool) -> Fault {
    let kind = FaultKind::Fails;
    Fault { kind, of }
}

pub(crate) fn panics(of: fn(&Event) -> bool) -> Fault {
    let kind = FaultKind::Panics;
    Fault { kind, of }
}

pub(crate) fn hangs(of: fn(&Event) -> bool) -> Fault {
    let kind = FaultKind::Hangs;
    Fault { kind, of }
}

/// Its `append` fails as it was told, for as long as it is told; its `submit` is the memory's.
#[derive(Clone)]
pub(crate) struct FaultySink {
    pub(crate) memory: MemorySink,
    fault: Arc<Mutex<Option<Fault>>>,
    synced: Arc<Mutex<Vec<bool>>>,
}

impl FaultySink {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            memory: MemorySink::with_capacity("rows", capacity),
            fault: Arc::default(),
            synced: Arc::default(),
        }
    }

    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap() = fault;
    }

    /// Of each append so far, whether it had to be durable.
    pub(crate) fn synced(&self) -> Vec<bool> {
        self.synced.lock().unwrap().clone()
    }

    fn fault_of(&self, event: &Event) -> Option<FaultKind> {
        let fault = self.fault.lock().unwrap();
        fault.as_ref().filter(|fault| (fault.of)(event)).map(|fault| fault.kind)
    }
}

#[async_trait]
impl AuditSink for FaultySink {
    async fn append(&self, event: Event, durability: Durability) -> Result<(), SinkError> {
        match self.fault_of(&event) {
            Some(FaultKind::Fails) => return Err(SinkErrorKind::Io(std::io::ErrorKind::StorageFull).into()),
            Some(FaultKind::Panics) => panic!("the sink panics"),
            Some(FaultKind::Hangs) => std::future::pending().await,
            None => {}
        }
        self.synced.lock().unwrap().push(durability == Durability::Synced);
        self.memory.append(event, durability).await
    }

    fn submit(&self, event: Event) {
        self.memory.submit(event);
    }
}
