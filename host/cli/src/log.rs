//! The log as it is written: to standard error, and of one extension to whoever follows it over the control socket.

use axum::body::Body;
use futures_util::stream::unfold;
use std::convert::Infallible;
use std::fmt::{Debug, Write as _};
use std::io::IsTerminal as _;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Sender};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// The most lines that wait for one who follows; who reads more slowly loses the oldest, and is told.
const WAITING: usize = 256;

/// The field that says which extension a line is about.
const EXTENSION: &str = "extension";

/// Begins the log of this process. Its lines about extensions can be followed.
pub(crate) fn begin(filter: EnvFilter) -> Feed {
    let colours = std::io::stderr().is_terminal();
    let feed = Feed(broadcast::channel(WAITING).0);
    let written = fmt::layer().with_ansi(colours).with_writer(std::io::stderr);
    tracing_subscriber::registry().with(filter).with(written).with(feed.clone()).init();
    feed
}

/// Where the lines about extensions can be followed.
#[derive(Debug, Clone)]
pub(crate) struct Feed(Sender<Arc<Line>>);

/// A line about an extension.
#[derive(Debug)]
struct Line {
    extension: String,
    text: String,
}

impl Feed {
    /// The lines about one extension from now on, as text that does not end.
    pub(crate) fn of(&self, extension: String) -> Body {
        Body::from_stream(unfold((self.0.subscribe(), extension), |(mut lines, extension)| async move {
            let text = loop {
                match lines.recv().await {
                    Ok(line) if line.extension == extension => break line.text.clone(),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => {
                        break "Some lines are left out: they come faster than they are read.\n".into();
                    }
                    Err(RecvError::Closed) => return None,
                }
            };
            Some((Ok::<_, Infallible>(text), (lines, extension)))
        }))
    }
}

impl<S: Subscriber> Layer<S> for Feed {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if self.0.receiver_count() == 0 {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Some(extension) = fields.extension else { return };
        let text = format!("{:>5} {}{}", event.metadata().level(), fields.message, fields.others);
        let text = text.replace('\n', "\n      ") + "\n";
        // Whoever followed may just have gone.
        let _unread = self.0.send(Arc::new(Line { extension, text }));
    }
}

/// What an event says.
#[derive(Default)]
struct Fields {
    extension: Option<String>,
    message: String,
    others: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            EXTENSION => self.extension = Some(value.to_owned()),
            // What says nothing, such as a context that a guest leaves empty.
            _ if value.is_empty() => {}
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _never_fails = match field.name() {
            EXTENSION => return self.extension = Some(format!("{value:?}")),
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.others, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    fn feed() -> (Feed, tracing::subscriber::DefaultGuard) {
        let feed = Feed(broadcast::channel(2).0);
        let guard = tracing_subscriber::registry().with(feed.clone()).set_default();
        (feed, guard)
    }

    async fn next(body: &mut Body) -> String {
        String::from_utf8(body.frame().await.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_lines_of_one_extension_are_followed() {
        let (feed, _guard) = feed();
        let mut body = feed.of("lamp".into());
        tracing::info!(extension = "other", "not this");
        tracing::warn!(extension = %"lamp", entity = 7, context = "", "on\nand off");
        assert_eq!(next(&mut body).await, " WARN on\n      and off entity=7\n");
    }

    #[tokio::test]
    async fn who_reads_too_slowly_is_told_and_goes_on() {
        let (feed, _guard) = feed();
        let mut body = feed.of("lamp".into());
        for number in 0..5 {
            tracing::info!(extension = "lamp", "{number}");
        }
        assert!(next(&mut body).await.contains("left out"));
        assert_eq!(next(&mut body).await, " INFO 3\n");
    }
}
