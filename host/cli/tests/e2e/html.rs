//! What a browser gets.

use crate::http::Answer;
use crate::occi::{body, kind};
use crate::server::Server;

const FIREFOX: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn page(server: &Server, path: &str, status: u16) -> Answer {
    let answer = server.get(path).accept(FIREFOX).answers(status);
    assert_eq!(answer.header("content-type"), "text/html", "{answer}");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "no script, whatever stands in the page: {answer}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.body.starts_with("<!doctype html>") && answer.body.ends_with("</html>"), "{answer}");
    answer
}

/// Each path is a page, and what a client has said is text on it.
#[test]
fn every_answer_is_a_page() {
    let server = Server::start();
    let network = server.create("network", &[]);
    let compute = server.create("compute", &["occi.core.title=\"<script>alert(1)</script>\""]);
    let link = server.link("networkinterface", &compute, &network);

    let shown = page(&server, &compute, 200);
    assert!(shown.body.contains("<h1>&#60;script&#62;") && !shown.body.contains("<script"), "{shown}");
    for part in
        [&format!("href=\"{link}\""), &format!("href=\"{network}\""), "?action=start", "occi.compute.cores"]
    {
        assert!(shown.body.contains(part), "{part}: {shown}");
    }
    assert!(!shown.header("etag").is_empty());
    assert!(page(&server, &link, 200).body.contains(&format!("href=\"{compute}\"")));
    for path in ["/compute/", "/"] {
        let listed = page(&server, path, 200);
        assert!(listed.body.contains(&format!("<h1>{path}</h1>")), "{listed}");
        assert!(listed.body.contains(&format!("href=\"{compute}\"")), "{listed}");
    }
    assert!(page(&server, "/storage/", 200).body.contains("Nothing is here"));
    let categories = page(&server, "/-/", 200);
    assert!(categories.body.contains("href=\"/compute/\"") && categories.body.contains("occi.compute.cores"));
    assert!(page(&server, "/compute/none", 404).body.contains("<h1>404 Not Found</h1>"));

    let head = server.request("HEAD", &compute).accept(FIREFOX).answers(200);
    assert_eq!((&*head.header("content-type"), &*head.body), ("text/html", ""));
}

/// A page is not read: what a form sends, or a page that was saved, is refused.
#[test]
fn a_page_is_only_written() {
    let server = Server::start();
    for sent in ["text/html", "application/x-www-form-urlencoded"] {
        let refused =
            server.post("/compute/").body(sent, body(&[&kind("compute")], &[])).accept(FIREFOX).answers(415);
        assert!(refused.body.contains("<h1>415 Unsupported Media Type</h1>"), "{refused}");
    }
}

/// A large collection is sent as it is read, as in the other renderings.
#[test]
fn a_large_collection_is_a_whole_page() {
    let server = Server::start();
    for number in 0..1000 {
        server.note(&format!("note {number}"));
    }
    let listed = page(&server, "/note/", 200);
    assert_eq!(listed.body.matches("<tr><td>").count(), 1000);
}
