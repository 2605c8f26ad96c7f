//! Faults of the text renderings.

use crate::proxy::Answer;
use crate::{found_in, found_in_requests};

#[test]
fn a_mixin_before_the_kind() {
    found_in(&["TXT-10"], |_, answer| {
        if !answer.is("text/plain") || !answer.text().contains("X-OCCI-Attribute: ") {
            return;
        }
        let text = answer.text();
        let (mixins, others): (Vec<_>, Vec<_>) =
            text.split_inclusive("\r\n").partition(|line| line.contains("class=\"mixin\""));
        answer.body = [mixins, others].concat().concat().into();
    });
}

#[test]
fn an_entity_without_id() {
    found_in(&["CORE-39", "TXT-16"], |_, answer| {
        if answer.is("text/plain") {
            answer.lines(|line| !line.starts_with("X-OCCI-Attribute: occi.core.id="));
        }
    });
}

#[test]
fn headers_without_links() {
    found_in(&["CORE-41", "H11-17", "TXT-03", "TXT-10"], |_, answer| {
        if answer.is("text/occi") {
            answer.headers.remove("link");
        }
    });
}

#[test]
fn headers_without_mixins() {
    found_in(&["CORE-41", "H11-17", "TXT-03", "TXT-10"], |asked, answer| {
        let header = answer.headers.get("category").map(|value| value.to_str().unwrap().to_owned());
        if asked.path != "/-/"
            && answer.is("text/occi")
            && let Some(header) = header
        {
            let others: Vec<_> = header.split(", ").filter(|one| !one.contains("class=\"mixin\"")).collect();
            answer.headers.insert("category", others.join(", ").parse().unwrap());
        }
    });
}

/// The real server refuses what does not go into its headers; this one sends as much as does.
#[test]
fn headers_that_are_cut_off() {
    found_in(&["TXT-06"], |asked, answer| {
        if asked.header("accept") == "text/occi" && answer.status == 406 {
            *answer = Answer::empty(200);
            answer.set("content-type", "text/occi");
            answer.set("x-occi-attribute", "occi.core.summary=\"long long\"");
            answer.body = "OK".into();
        }
    });
}

#[test]
fn a_uri_list_of_an_entity() {
    found_in(&["H11-26", "TXT-07"], |asked, answer| {
        if asked.header("accept") == "text/uri-list" && answer.status == 400 && !asked.path.ends_with('/') {
            *answer = Answer::empty(200);
            answer.set("content-type", "text/uri-list");
            answer.body = format!("http://{}{}\r\n", asked.header("host"), asked.path).into();
        }
    });
}

#[test]
fn another_name_of_plain_text_with_other_names() {
    found_in(&["TXT-01"], |_, answer| {
        if answer.is("text/occi+plain") {
            answer.replace("occi.core.id=", "occi.core.ident=");
        }
    });
}

#[test]
fn an_action_at_the_link_of_another() {
    found_in(&["HTTP-27", "TXT-03", "TXT-10"], |_, answer| {
        answer.replace("?action=start>", "?action=begin>");
    });
}

#[test]
fn a_link_that_says_what_it_does_not_join() {
    found_in(&["H11-17", "TXT-01", "TXT-03", "TXT-10"], |asked, answer| {
        if asked.method == "GET" && answer.is("text/plain") {
            answer.replace(
                "rel=\"http://schemas.ogf.org/occi/infrastructure#network\"",
                "rel=\"http://schemas.ogf.org/occi/infrastructure#compute\"",
            );
        }
    });
}

#[test]
fn a_link_of_another_kind() {
    found_in(&["H11-17", "TXT-01", "TXT-03", "TXT-10"], |asked, answer| {
        if asked.method == "GET" && answer.is("text/plain") {
            answer.replace(
                "category=\"http://schemas.ogf.org/occi/infrastructure#networkinterface",
                "category=\"http://schemas.ogf.org/occi/core#link",
            );
        }
    });
}

#[test]
fn relative_references_in_a_uri_list() {
    found_in(&["TXT-08"], |asked, answer| {
        if answer.is("text/uri-list") {
            let host = format!("http://{}", asked.header("host"));
            answer.body = answer.text().replace(&host, "").into();
        }
    });
}

#[test]
fn a_string_without_quotation_marks() {
    found_in(&["TXT-02"], |_, answer| answer.replace("architecture=\"x64\"", "architecture=x64"));
}

#[test]
fn a_value_with_separators_without_quotation_marks() {
    found_in(&["TXT-05"], |asked, answer| {
        // A summary that no check looks at but the one for it.
        if asked.method == "GET" {
            answer.replace(
                "X-OCCI-Attribute: occi.core.summary=\"plain\"",
                "X-OCCI-Attribute: occi.core.summary=a b",
            );
        }
    });
}

#[test]
fn lines_without_carriage_return() {
    found_in(&["TXT-02"], |_, answer| {
        if answer.is("text/plain") {
            answer.replace("\r\n", "\n");
        }
    });
}

#[test]
fn an_unknown_class() {
    found_in(&["TXT-02", "TXT-10"], |asked, answer| {
        if asked.path != "/-/" {
            answer.replace(
                "scheme=\"http://schemas.ogf.org/occi/infrastructure#\"; class=\"kind\"",
                "scheme=\"http://schemas.ogf.org/occi/infrastructure#\"; class=\"thing\"",
            );
        }
    });
}

#[test]
fn headers_without_ok() {
    found_in(&["TXT-03"], |_, answer| {
        if answer.is("text/occi") {
            answer.body.clear();
        }
    });
}

#[test]
fn another_default_than_plain_text() {
    found_in_requests(&["H11-25"], |asked| {
        let accept = asked.header("accept");
        if accept.is_empty() || accept == "*/*" {
            asked.headers.insert("accept", "application/occi+json".parse().unwrap());
        }
        None
    });
}

#[test]
fn comma_lists_are_refused() {
    found_in_requests(&["H11-27", "TXT-04"], |asked| {
        asked.header("x-occi-attribute").contains("\", occi").then(|| Answer::empty(400))
    });
}

#[test]
fn entity_has_a_location() {
    found_in(&["HTTP-03"], |_, answer| {
        answer.replace("title=\"Entity\"; ", "title=\"Entity\"; location=\"/entity/\"; ");
    });
}

#[test]
fn a_number_in_quotation_marks() {
    found_in(&["TXT-02"], |asked, answer| {
        if answer.is("text/plain") && asked.path != "/-/" {
            let quote = |line: &str| match line.split_once("occi.compute.cores=") {
                Some((before, cores)) => format!("{before}occi.compute.cores=\"{}\"\r\n", cores.trim_end()),
                None => line.to_owned(),
            };
            answer.body = answer.text().split_inclusive("\r\n").map(quote).collect::<String>().into();
        }
    });
}
