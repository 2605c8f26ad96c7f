//! The consoles of machines, as the host serves them to clients. No extension reads or writes one.

use crate::libvirt::{Console as MachineConsole, Ended, Line};
use bytes::Bytes;
use occi_extension::{Console, ConsoleEnd, ConsoleLine, Fault};

#[async_trait::async_trait]
impl Console for MachineConsole {
    async fn printed(&self, most: usize) -> Result<Vec<u8>, Fault> {
        Ok(self.printed(most).await?)
    }

    async fn open(&self, take: bool) -> Result<Box<dyn ConsoleLine>, Fault> {
        Ok(Box::new(self.open(take).await?))
    }
}

#[async_trait::async_trait]
impl ConsoleLine for Line {
    async fn read(&self) -> Result<Bytes, ConsoleEnd> {
        Ok(self.read().await?)
    }

    async fn write(&self, typed: Bytes) -> Result<(), ConsoleEnd> {
        Ok(self.write(typed).await?)
    }
}

impl From<Ended> for ConsoleEnd {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Off => Self::Off,
            Ended::Taken => Self::Taken,
            Ended::Lost => Self::Lost,
        }
    }
}
