//! What each clause and quirk of the text renderings means in bytes.

use crate::{MediaType, Place, parse, parse_filter};
use occi_model::{CategoryId, Class, Draft, Item, Value};

fn plain(body: &str) -> Draft {
    parse(MediaType::TextPlain, [], body.as_bytes()).unwrap()
}

fn item(body: &str) -> Item {
    let mut draft = plain(body);
    assert_eq!(draft.items.len(), 1, "{body}");
    draft.items.remove(0)
}

fn attribute(body: &str, name: &str) -> Value {
    item(body).attributes.get(name).unwrap_or_else(|| panic!("{name} in {body}")).clone()
}

fn headers(headers: &[(&str, &str)]) -> Draft {
    parse(MediaType::TextOcci, headers.iter().map(|(name, value)| (*name, value.as_bytes())), b"OK").unwrap()
}

fn refused(body: &str) -> (Place, String) {
    let malformed = parse(MediaType::TextPlain, [], body.as_bytes()).unwrap_err();
    (malformed.place, malformed.problem)
}

fn id(text: &str) -> CategoryId {
    CategoryId::parse(text).unwrap()
}

const STORAGE: &str = "http://schemas.ogf.org/occi/infrastructure#storage";

#[test]
fn q08_layout_does_not_matter() {
    for line in [
        r#"Category: storage; scheme="http://schemas.ogf.org/occi/infrastructure#"; class="kind""#,
        r#"Category: storage;scheme="http://schemas.ogf.org/occi/infrastructure#";class="kind""#,
        r#"category:storage ;   scheme = "http://schemas.ogf.org/occi/infrastructure#" ;	class="kind";"#,
        r#"CATEGORY: storage; class=kind; scheme="http://schemas.ogf.org/occi/infrastructure#"; ;"#,
        r"Category: storage; class=kind; scheme=http://schemas.ogf.org/occi/infrastructure#",
    ] {
        for end in ["", "\n", "\r\n", "\r\n\r\n"] {
            let item = item(&format!("{line}{end}"));
            assert_eq!(item.categories.len(), 1, "{line}");
            assert_eq!((&item.categories[0].id, item.categories[0].class), (&id(STORAGE), Some(Class::Kind)));
        }
    }
}

#[test]
fn q06_the_class_may_be_missing() {
    let item = item(r#"Category: storage; scheme="http://schemas.ogf.org/occi/infrastructure#""#);
    assert_eq!((&item.categories[0].id, item.categories[0].class), (&id(STORAGE), None));
}

#[test]
fn q08_a_scheme_with_the_term_in_it_is_refused() {
    let (place, problem) =
        refused(r#"Category: storage; scheme="http://schemas.ogf.org/occi/infrastructure#storage""#);
    assert_eq!(place, Place::Body { line: 1, column: 11 });
    assert!(problem.contains("must end in `#`"), "{problem}");
}

#[test]
fn a_whole_definition_is_taken_where_an_identifier_is_enough() {
    // TXT-02, the digest's own example of a Kind.
    let item = item(concat!(
        r#"Category: storage; scheme="http://schemas.ogf.org/occi/infrastructure#"; class="kind"; title="Storage, or \"disk\"";"#,
        r#" rel="http://schemas.ogf.org/occi/core#resource"; location="/storage/";"#,
        r#" attributes="occi.core.id{immutable required} occi.core.title occi.storage.size{required}";"#,
        r#" actions="http://schemas.ogf.org/occi/infrastructure/storage/action#online""#,
    ));
    let category = &item.categories[0];
    assert_eq!(category.title.as_deref(), Some(r#"Storage, or "disk""#));
    assert_eq!(category.related, [id("http://schemas.ogf.org/occi/core#resource")]);
    assert_eq!(category.location.as_deref(), Some("/storage/"));
    assert!(category.has_content);
}

#[test]
fn h11_07_a_tag_has_no_content() {
    let item = item(
        r#"Category: my_stuff; scheme="http://example.com/occi/my_stuff#"; class="mixin"; rel="http://example.com/occi/something_else#mixin"; location="/my_stuff/"; attributes="""#,
    );
    assert!(!item.categories[0].has_content);
    assert_eq!(item.categories[0].related, [id("http://example.com/occi/something_else#mixin")]); // Q-44
}

#[test]
fn h11_27_comma_lists_and_repeated_lines_are_the_same() {
    let lists = concat!(
        "Category: a; scheme=\"http://x#\"; class=\"kind\", b; scheme=\"http://x#\"; class=\"mixin\"\r\n",
        "X-OCCI-Attribute: n.a=1, n.b=\"x, y\" ,n.c=true\r\n",
    );
    let lines = concat!(
        "Category: a; scheme=\"http://x#\"; class=\"kind\"\n",
        "X-OCCI-Attribute: n.a=1\n",
        "Category: b; scheme=\"http://x#\"; class=\"mixin\"\n",
        "X-OCCI-Attribute: n.b=\"x, y\"\n",
        "X-OCCI-Attribute: n.c=true",
    );
    assert_eq!(plain(lists), plain(lines));
    // TXT-04
    let repeated = [
        ("category", r#"a; scheme="http://x#"; class="kind""#),
        ("category", r#"b; scheme="http://x#"; class="mixin""#),
        ("accept", "text/occi"),
        ("X-OCCI-Attribute", r#"n.a=1, n.b="x, y""#),
        ("x-occi-attribute", "n.c=true"),
    ];
    assert_eq!(headers(&repeated), plain(lines));
}

#[test]
fn two_entities_are_not_taken_for_one() {
    let one = "Category: a; scheme=\"http://x#\"; class=\"kind\"\r\nX-OCCI-Attribute: n.a=1\r\n";
    let (place, problem) = refused(&format!("{one}\r\n{one}"));
    assert!(problem.contains("is named twice"), "{problem}");
    assert_eq!(place, Place::Body { line: 4, column: 11 });
}

/// TXT-03: what OCCI says in the body beside text/occi is not dropped in silence; what else is there says nothing.
#[test]
fn beside_headers_the_body_says_nothing() {
    let category = ("category", &br#"a; scheme="http://x#"; class="kind""#[..]);
    for nothing in ["", "OK", " \r\n", "a text", "{}"] {
        assert!(parse(MediaType::TextOcci, [category], nothing.as_bytes()).is_ok(), "{nothing}");
    }
    let refused = parse(MediaType::TextOcci, [category], b"X-OCCI-Attribute: n.a=1").unwrap_err();
    assert!(refused.problem.contains("send the body as text/plain"), "{refused}");
}

#[test]
fn quotes_are_escaped() {
    // The working group's own test, at the end of the digest.
    let body = concat!(
        r#"X-OCCI-Attribute: occi.core.title="How's your quotes escaping? \", occi.compute.memory=1.0""#,
        "\r\nX-OCCI-Attribute: occi.compute.memory=3.6\r\n",
    );
    assert_eq!(attribute(body, "occi.compute.memory"), Value::Number(3.6));
    assert_eq!(
        attribute(body, "occi.core.title"),
        r#"How's your quotes escaping? ", occi.compute.memory=1.0"#.into()
    );
    for (written, meant) in [
        (r"a\\b", r"a\b"),
        (r"a\\nb", r"a\nb"),
        (r"a\nb\r", "a\nb\r"),
        (r"\u0007\u00e4", "\u{7}ä"),
        (r"C:\dir\user \ud800", r"C:\dir\user \ud800"),
        ("", ""),
        (r"\\", r"\"),
        ("ü;,=<>", "ü;,=<>"),
    ] {
        assert_eq!(attribute(&format!("X-OCCI-Attribute: n=\"{written}\""), "n"), meant.into(), "{written}");
    }
}

#[test]
fn a_text_that_escapes_and_does_not_is_refused() {
    for written in [r"C:\new\table", r"\temp\n", r"a\u0041\d"] {
        let body = format!("X-OCCI-Attribute: n=\"{written}\"");
        let (_, problem) = refused(&body);
        assert!(problem.contains(r"write `\\` for each"), "{written}: {problem}");
    }
}

#[test]
fn values_have_the_type_that_they_show() {
    for (written, meant) in [
        ("2", Value::Integer(2)),
        ("-9223372036854775808", Value::Integer(i64::MIN)),
        ("+7", Value::Integer(7)),
        ("4.0", Value::Number(4.0)),
        ("-2.5e-3", Value::Number(-0.0025)),
        ("1E3", Value::Number(1000.0)),
        (".5", Value::Number(0.5)),
        ("5.", Value::Number(5.0)),
        ("99999999999999999999", Value::Number(1e20)),
        ("true", Value::Boolean(true)),
        ("false", Value::Boolean(false)),
        ("\"2\"", "2".into()),
        ("\"true\"", "true".into()),
        // Q-50, and what only looks like a number.
        ("foobar", "foobar".into()),
        ("10.0.0.1", "10.0.0.1".into()),
        ("00:11:22:33:44:55", "00:11:22:33:44:55".into()),
        ("1e999", "1e999".into()),
        ("nan", "nan".into()),
        ("-", "-".into()),
        ("a=b", "a=b".into()),
        // Q-08
        ("2;", Value::Integer(2)),
        ("\"x\" ;", "x".into()),
    ] {
        assert_eq!(attribute(&format!("X-OCCI-Attribute: n={written}"), "n"), meant, "{written}");
    }
}

#[test]
fn q50_the_1_1_documents_own_example_is_read() {
    let draft = headers(&[("X-OCCI-Attribute", "occi.compute.hostname=foobar, occi.compute.cores=2")]);
    assert_eq!(draft.items[0].attributes.get("occi.compute.hostname"), Some(&"foobar".into()));
    assert_eq!(draft.items[0].attributes.get("occi.compute.cores"), Some(&Value::Integer(2)));
}

#[test]
fn a_link_line_becomes_a_link() {
    // TXT-02, the digest's example, and the same with `category` unquoted as the grammar has it.
    let rest = r#"occi.networkinterface.interface="eth0"; occi.networkinterface.mac="00:11:22:33:44:55""#;
    for category in [
        r#""http://schemas.ogf.org/occi/infrastructure#networkinterface""#,
        "http://schemas.ogf.org/occi/infrastructure#networkinterface",
    ] {
        let item = item(&format!(
            r#"Link: </network/9>; rel="http://schemas.ogf.org/occi/infrastructure#network http://example.com/occi#m"; self="/networkinterface/3"; category={category}; {rest};"#
        ));
        let [link] = &*item.links else { panic!("{item:?}") };
        assert_eq!(link.categories[0].id, id("http://schemas.ogf.org/occi/infrastructure#networkinterface"));
        assert_eq!(link.location.as_deref(), Some("/networkinterface/3"));
        for (name, value) in [
            ("occi.core.target", "/network/9"),
            ("occi.core.target.kind", "http://schemas.ogf.org/occi/infrastructure#network"),
            ("occi.networkinterface.interface", "eth0"),
            ("occi.networkinterface.mac", "00:11:22:33:44:55"),
        ] {
            assert_eq!(link.attributes.get(name), Some(&value.into()), "{name}");
        }
        assert_eq!(link.attributes.len(), 4);
    }
}

#[test]
fn q48_a_target_given_twice_must_be_the_same() {
    let line = |target| {
        format!(r#"Link: </n/9>; rel="http://x#n"; category="http://x#l"; occi.core.target={target}"#)
    };
    assert_eq!(item(&line(r#""/n/9""#)).links[0].attributes.get("occi.core.target"), Some(&"/n/9".into()));
    let (place, problem) = refused(&line(r#""/n/8""#));
    assert_eq!(place, Place::Body { line: 1, column: 8 });
    assert!(problem.starts_with("occi.core.target and `<...>` name different targets"), "{problem}");
}

#[test]
fn a_link_with_an_action_in_it_is_no_link() {
    let item = item(
        "Link: </c/1?action=start>; rel=\"http://x/action#start\", </c/1?action=stop>; rel=http://x/action#stop\n",
    );
    assert_eq!(item.actions, [id("http://x/action#start"), id("http://x/action#stop")]);
    assert!(item.links.is_empty());
    assert!(refused("Link: </c/1?action=start>").1.contains("an action's link has `rel"));
}

#[test]
fn locations_stand_alone() {
    let body = "X-OCCI-Location: http://h/c/1\r\nx-occi-location: /c/2, http://h/c/3\r\n";
    let expected = Draft {
        items: Vec::new(),
        locations: ["http://h/c/1", "/c/2", "http://h/c/3"].map(String::from).into(),
    };
    assert_eq!(plain(body), expected);
    let uris = "# a comment\r\nhttp://h/c/1\r\n\r\n/c/2\nhttp://h/c/3";
    assert_eq!(parse(MediaType::UriList, [], uris.as_bytes()).unwrap(), expected);
}

#[test]
fn nothing_says_nothing() {
    for media_type in MediaType::ALL {
        assert_eq!(parse(media_type, [], b"").unwrap(), Draft::default());
        assert_eq!(parse(media_type, [], b"\r\n").unwrap(), Draft::default());
    }
}

/// What is left of a CRLF by a shell that takes the last LF off.
#[test]
fn the_last_line_may_end_in_a_cr_alone() {
    for line in [
        "Category: a; scheme=\"http://x#\"; class=\"mixin\"",
        "Category: a; scheme=\"http://x#\"; class=mixin",
        "X-OCCI-Attribute: a=\"b\"",
        "X-OCCI-Attribute: a=b",
        "X-OCCI-Attribute: a=1",
        "Link: </a>; rel=\"http://x#y\"",
        "X-OCCI-Location: /a/1",
    ] {
        let whole = format!("{line}\r\n");
        assert_eq!(plain(whole.trim_end_matches('\n')), plain(&whole), "{line}");
    }
    assert_eq!(plain("\r"), Draft::default());
    assert!(refused("X-OCCI-Attribute: a=b\rX-OCCI-Attribute: c=d").1.starts_with("expected"));
}

#[test]
fn an_unknown_line_is_named_with_what_was_meant() {
    let (place, problem) = refused("Category: a; scheme=\"http://x#\"\r\n\r\nX-OCCI-Atribute: a=1\r\n");
    assert_eq!(place, Place::Body { line: 3, column: 1 });
    assert_eq!(problem, "unknown name `X-OCCI-Atribute` (did you mean `X-OCCI-Attribute`?)");
    assert!(refused("compute").1.starts_with("expected `Name: value` with one of Category, Link"));
    assert!(
        refused("Host: x").1.contains("(known are `Category`, `Link`, `X-OCCI-Attribute`, `X-OCCI-Location`")
    );
}

#[test]
fn a_refusal_says_where_and_what_is_right() {
    for (body, line, column, says) in [
        ("Category: a", 1, 12, "expected `; scheme=\"...\"` after the term `a`, found the end"),
        ("Category: ", 1, 11, "expected a value, found the end"),
        ("Category: ;", 1, 11, "expected a term, found `;`"),
        ("Category: a; scheme", 1, 20, "expected `=` after `scheme`, found the end"),
        ("Category: a; scheme=", 1, 21, "expected a value, found the end"),
        ("Category: a; scheme=\"http://x#\" b", 1, 33, "expected `;`, `,` or the end, found `b`"),
        ("Category: a; scheme=\"http://x#\"; scheme=\"http://x#\"", 1, 34, "`scheme` is given twice"),
        ("Category: a; shceme=\"http://x#\"", 1, 14, "unknown parameter `shceme` (did you mean `scheme`?)"),
        ("Category: a; scheme=\"http://x#\"; class=kinda", 1, 40, "the class is `kind`, `mixin` or `action`"),
        ("Category: ä; scheme=\"http://x#\"", 1, 11, "term `ä`: must consist of letters, digits"),
        ("\nX-OCCI-Attribute: ö=1", 2, 19, "attribute name `ö`: must consist of letters"),
        ("X-OCCI-Attribute: a=\"ü\" b", 1, 25, "expected `;`, `,` or the end, found `b`"),
        ("X-OCCI-Attribute: a=1; b=2", 1, 24, "attributes are separated by `,`"),
        ("X-OCCI-Attribute: a=1, a=1", 1, 24, "`a` is given twice"),
        ("X-OCCI-Attribute: a=my host", 1, 24, "expected `;`, `,` or the end, found `host`"),
        ("X-OCCI-Attribute: a=\"x\\\"", 1, 21, "this quote is not closed"),
        ("X-OCCI-Attribute: a=\"x\ny\"", 1, 21, "this quote is not closed"),
        ("X-OCCI-Attribute: =1", 1, 19, "expected a name, found `=1`"),
        ("X-OCCI-Attribute: a", 1, 20, "expected `=` after `a`, found the end"),
        ("Link: /a", 1, 7, "expected `<` and a URI, found `/a`"),
        ("Link: </a", 1, 10, "expected `>`, found the end"),
        ("Link: </a>; rel=\"x\"", 1, 17, "type identifier `x`: write it as scheme and term"),
        ("Link: </a>; rel=\"http://x#y\"; rel=\"http://x#y\"", 1, 31, "`rel` is given twice"),
        ("X-OCCI-Location:", 1, 17, "expected a URI, found the end"),
    ] {
        let (place, problem) = refused(body);
        assert_eq!(place, Place::Body { line, column }, "{body}: {problem}");
        assert!(problem.starts_with(says), "{body}: {problem}");
        assert!(problem.contains(". The form is: "), "{body}: {problem}");
    }
}

#[test]
fn a_refused_header_is_named() {
    let malformed = parse(MediaType::TextOcci, [("x-occi-attribute", &b"a=1, b"[..])], b"").unwrap_err();
    assert_eq!(
        malformed.to_string(),
        "header x-occi-attribute, column 7: expected `=` after `b`, found the end. \
         The form is: X-OCCI-Attribute: name=\"text\" (or name=1.5, or name=true)"
    );
    let malformed = parse(MediaType::TextOcci, [("category", &b"\xc3\xa4\xff"[..])], b"").unwrap_err();
    assert_eq!(malformed.to_string(), "header category, column 2: expected UTF-8");
    let malformed = parse(MediaType::TextPlain, [], b"Category: a\n\xc3\xa4\xff").unwrap_err();
    assert_eq!(malformed.to_string(), "line 2, column 2: expected UTF-8");
}

#[test]
fn a_request_names_a_bounded_number_of_things() {
    let tag = "a; scheme=\"http://x#\",";
    let line = format!("Category: {}", tag.repeat(crate::MAX_ITEMS));
    assert_eq!(item(&line).categories.len(), crate::MAX_ITEMS);
    let (place, problem) = refused(&format!("{line}\nX-OCCI-Location: /a"));
    assert_eq!(place, Place::Body { line: 2, column: 18 });
    assert!(problem.starts_with("one request names at most 10000 things"), "{problem}");
    let link = format!("Link: </a>; category=\"{}\"", "http://x#y ".repeat(crate::MAX_ITEMS));
    assert!(refused(&link).1.starts_with("one request names at most"));
    let attributes =
        |number: usize| (0..number).map(|name| format!("a{name}=1")).collect::<Vec<_>>().join(",");
    let line = |number| format!("X-OCCI-Attribute: {}", attributes(number));
    assert_eq!(item(&line(crate::MAX_ITEMS)).attributes.len(), crate::MAX_ITEMS);
    assert!(refused(&line(crate::MAX_ITEMS + 1)).1.starts_with("more than 10000 attributes of one thing"));
}

#[test]
fn http16_a_filter_is_read_from_headers() {
    let filter = parse_filter([
        ("accept", &b"text/occi"[..]),
        ("category", br#"storage; scheme="http://schemas.ogf.org/occi/infrastructure#"; class="kind""#),
        ("x-occi-attribute", br#"occi.storage.size=10, occi.core.title="a""#),
        ("link", b"</style.css>; rel=preload"),
    ])
    .unwrap();
    assert_eq!(filter.categories, [id(STORAGE)]);
    let attributes: Vec<_> =
        filter.attributes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    assert_eq!(attributes, [("occi.core.title", "a".into()), ("occi.storage.size", Value::Integer(10))]);
    assert!(parse_filter([("accept", &b"*/*"[..])]).unwrap().is_empty());
    assert!(parse_filter([("category", &b"?"[..])]).is_err());
}

#[test]
fn json_where_text_is_expected_is_told() {
    for body in ["{\"kind\": \"x\"}", "[\n]", "  {\n  \"a\": 1}"] {
        let error = parse(MediaType::TextPlain, [], body.as_bytes()).unwrap_err();
        assert!(error.problem.contains("application/occi+json"), "{error}");
    }
    let error = parse(MediaType::TextPlain, [], b"Kategory: x").unwrap_err();
    assert!(!error.problem.contains("json"), "{error}");
}
