//! A counter: its action counts once more. What else it is, manifest.toml says.

use occi_sdk::{Actions, AttributeSet, Attributes, Change, Result, Subject, logging};

#[derive(AttributeSet)]
#[occi(prefix = "com.example.{{name}}")]
struct Counter {
    count: i64,
}

impl Actions for Counter {
    fn act(subject: &Subject, _action: &str, _parameters: &Attributes) -> Result<Change> {
        let count = Counter::read(subject)?.count + 1;
        logging::info(&format!("counted to {count}"));
        Ok(Change::new().set(Counter::COUNT, count))
    }
}

occi_sdk::export!(Counter: actions);

#[cfg(test)]
mod tests {
    use super::*;
    use occi_sdk::testing::Host;

    #[test]
    fn each_call_counts() {
        let host = Host::<Counter>::new();
        let counter = host.resource("http://example.com/occi/{{name}}#{{name}}");
        // The server has set what has a default.
        let mut counter = counter.with(Counter::COUNT, 0);
        host.act(&mut counter, "count", Attributes::default()).unwrap();
        assert_eq!(counter.get(Counter::COUNT), Some(1.into()));
    }
}
