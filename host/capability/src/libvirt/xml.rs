//! The few words of XML that every description for libvirt is made of. Values are always escaped.

use std::io;

use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, BytesText, Event};
use quick_xml::reader::Reader;
use quick_xml::{Writer, XmlVersion};
use uuid::Uuid;

use super::error::{Error, Result};

/// A description that is being written.
pub(super) type Xml = Writer<Vec<u8>>;

/// The namespace of what we add to libvirt's own elements.
const NAMESPACE: &str = "urn:occi:extension:0.1";

/// Write a document.
pub(super) fn document(content: impl FnOnce(&mut Xml) -> io::Result<()>) -> Result<String> {
    let mut xml = Writer::new(Vec::with_capacity(1024));
    content(&mut xml)?;
    String::from_utf8(xml.into_inner())
        .map_err(|_| Error::Failed("a description for the hypervisor could not be written".into()))
}

/// `<name key='value'/>`
pub(super) fn leaf(xml: &mut Xml, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
    xml.create_element(name).with_attributes(attributes.iter().copied()).write_empty()?;
    Ok(())
}

/// `<name key='value'>text</name>`
pub(super) fn text(xml: &mut Xml, name: &str, attributes: &[(&str, &str)], text: &str) -> io::Result<()> {
    xml.create_element(name)
        .with_attributes(attributes.iter().copied())
        .write_text_content(BytesText::new(text))?;
    Ok(())
}

/// `<name key='value'>…</name>`
pub(super) fn node(
    xml: &mut Xml,
    name: &str,
    attributes: &[(&str, &str)],
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    xml.create_element(name).with_attributes(attributes.iter().copied()).write_inner_content(content)?;
    Ok(())
}

/// The mark that tells whoever looks at the hypervisor which entity an object belongs to, with more that libvirt has
/// no place for.
pub(super) fn mark(xml: &mut Xml, entity: Uuid, more: &[(&str, &str)]) -> io::Result<()> {
    let id = entity.to_string();
    node(xml, "metadata", &[], |xml| {
        xml.create_element("occi:entity")
            .with_attributes([("xmlns:occi", NAMESPACE), ("id", id.as_str())])
            .with_attributes(more.iter().copied())
            .write_empty()?;
        Ok(())
    })
}

/// The value of an element's attribute, where it has it.
pub(super) fn attribute(element: &BytesStart<'_>, key: &str) -> Result<Option<String>> {
    let found = element.try_get_attribute(key).map_err(quick_xml::Error::from)?;
    Ok(found.map(|found| found.normalized_value(XmlVersion::Implicit1_0)).transpose()?.map(Into::into))
}

/// An attribute of the first element of that name, wherever it stands.
pub(super) fn first_attribute(document: &str, element: &str, key: &str) -> Result<Option<String>> {
    let mut reader = Reader::from_str(document);
    loop {
        match reader.read_event()? {
            Event::Start(found) | Event::Empty(found) if found.name().0 == element => {
                return attribute(&found, key);
            }
            Event::Eof => return Ok(None),
            _ => {}
        }
    }
}

/// What stands in the first element of that name within the first one of another.
pub(super) fn first_text(document: &str, within: &str, element: &str) -> Result<Option<String>> {
    let mut reader = Reader::from_str(document);
    let mut is_within = false;
    loop {
        match reader.read_event()? {
            Event::Start(found) if found.name().0 == within => is_within = true,
            Event::Start(found) if is_within && found.name().0 == element => {
                let text = reader.read_text(found.name())?.xml_content(XmlVersion::Implicit1_0).into_owned();
                return Ok(Some(unescape(&text).map_err(quick_xml::Error::from)?.into_owned()));
            }
            Event::End(found) if found.name().0 == within => return Ok(None),
            Event::Eof => return Ok(None),
            _ => {}
        }
    }
}

/// A text for people, as one line that XML can carry.
pub(super) fn line(text: &str) -> String {
    let printable = |c: char| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c };
    text.chars().take(200).map(printable).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_wherever_they_stand() {
        let written =
            document(|xml| node(xml, "a", &[("b", "<'\"&>")], |xml| text(xml, "c", &[], "</c><evil/>")));
        assert_eq!(
            written.as_deref(),
            Ok("<a b=\"&lt;&apos;&quot;&amp;&gt;\"><c>&lt;/c&gt;&lt;evil/&gt;</c></a>")
        );
    }

    #[test]
    fn the_first_element_of_a_name_is_found() {
        let volume = "<volume><target><format type='raw'/></target><backingStore><format type='qcow2'/></backingStore></volume>";
        assert_eq!(first_attribute(volume, "format", "type"), Ok(Some("raw".into())));
        assert_eq!(first_attribute(volume, "format", "kind"), Ok(None));
        assert_eq!(first_attribute(volume, "path", "type"), Ok(None));
        assert!(first_attribute("<volume", "path", "type").is_err());
    }

    #[test]
    fn a_text_is_found_within_an_element_alone() {
        let volume = "<volume><target><path>/a</path></target><backingStore><path>/b&amp;c</path></backingStore></volume>";
        assert_eq!(first_text(volume, "backingStore", "path"), Ok(Some("/b&c".into())));
        assert_eq!(first_text(volume, "target", "path"), Ok(Some("/a".into())));
        for (within, element) in [("os", "path"), ("target", "kernel"), ("path", "target")] {
            assert_eq!(first_text(volume, within, element), Ok(None), "{within} {element}");
        }
    }

    #[test]
    fn a_line_has_nothing_that_xml_or_c_cannot_carry() {
        assert_eq!(line("a\0b\nc\u{ffff}\u{7f} "), "a b c");
        assert_eq!(line(&"ü".repeat(500)).chars().count(), 200);
    }
}
