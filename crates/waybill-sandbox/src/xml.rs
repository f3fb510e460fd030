//! The XML of answers, written without namespaces as OSS does, and the one list that is read.

use quick_xml::escape::escape;
use serde::Deserialize;

/// One element with children, written as it is built.
pub(crate) struct Element {
    name: &'static str,
    inner: String,
}

impl Element {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, inner: String::new() }
    }

    /// Adds a child with text.
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        self.inner.push_str(&format!("<{name}>{}</{name}>", escape(value)));
        self
    }

    /// Adds a child with children.
    pub(crate) fn child(mut self, child: Element) -> Self {
        let Element { name, inner } = child;
        self.inner.push_str(&format!("<{name}>{inner}</{name}>"));
        self
    }

    /// The whole document with this element as its root.
    pub(crate) fn document(self) -> String {
        let Self { name, inner } = self;
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name}>{inner}</{name}>")
    }
}

/// One entry of a CompleteMultipartUpload list.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct ListedPart {
    #[serde(rename = "PartNumber")]
    pub(crate) number: u32,
    #[serde(rename = "ETag")]
    pub(crate) etag: String,
}

#[derive(Deserialize)]
enum CompleteBody {
    CompleteMultipartUpload {
        #[serde(rename = "Part", default)]
        parts: Vec<ListedPart>,
    },
}

/// Reads the body of CompleteMultipartUpload; ETags come without their quotes. `None` when it is not that document.
pub(crate) fn read_complete(body: &[u8]) -> Option<Vec<ListedPart>> {
    let text = std::str::from_utf8(body).ok()?;
    let CompleteBody::CompleteMultipartUpload { mut parts } = quick_xml::de::from_str(text).ok()?;
    for part in &mut parts {
        part.etag = part.etag.trim().trim_matches('"').to_owned();
    }
    Some(parts)
}

/// Whether a text is well-formed XML with at least one element.
pub(crate) fn is_well_formed(body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else {
        return false;
    };
    let mut reader = quick_xml::Reader::from_str(text);
    let mut elements = 0_usize;
    let mut open = 0_usize;
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => return elements > 0 && open == 0,
            Ok(quick_xml::events::Event::Start(_)) => {
                elements += 1;
                open += 1;
            }
            Ok(quick_xml::events::Event::End(_)) => open = open.saturating_sub(1),
            Ok(quick_xml::events::Event::Empty(_)) => elements += 1,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_no_namespace_is_written() {
        let document = Element::new("A").text("Key", "a<b>&\"c\"").child(Element::new("P").text("N", "1")).document();
        assert_eq!(
            document,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<A><Key>a&lt;b&gt;&amp;&quot;c&quot;</Key><P><N>1</N></P></A>"
        );
    }

    #[test]
    fn a_complete_list_is_read_with_and_without_quotes() {
        let body = b"<?xml version=\"1.0\"?>\n<CompleteMultipartUpload>\n <Part><PartNumber>1</PartNumber><ETag>\"AB\"</ETag></Part>\n\
            <Part><ETag>CD</ETag><PartNumber>10000</PartNumber></Part><Part><PartNumber>3</PartNumber><ETag>&quot;EF&quot;</ETag></Part>\
            </CompleteMultipartUpload>";
        let parts = read_complete(body).expect("reads");
        let read: Vec<_> = parts.iter().map(|p| (p.number, p.etag.as_str())).collect();
        assert_eq!(read, [(1, "AB"), (10000, "CD"), (3, "EF")]);
    }

    #[test]
    fn another_document_or_half_a_document_is_not_read() {
        for body in [
            "",
            "hello",
            "<Other><Part/></Other>",
            "<CompleteMultipartUpload><Part>",
            "<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>A</ETag></Part></CompleteMultipartUpload>",
        ] {
            assert_eq!(read_complete(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn well_formed_is_told_from_broken() {
        assert!(is_well_formed(b"<?xml version=\"1.0\"?><a><b/></a>"));
        assert!(!is_well_formed(b"<a><b></a>"));
        assert!(!is_well_formed(b"just text"));
        assert!(!is_well_formed(b"<a>"));
    }
}
