//! The XML of answers, written without namespaces as OSS does, and the one list that is read.

use quick_xml::{
    escape::{escape, unescape},
    events::Event,
};
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

    /// Makes the element hold a text of its own.
    pub(crate) fn content(mut self, value: &str) -> Self {
        self.inner.push_str(&escape(value));
        self
    }

    /// The whole document with this element as its root.
    pub(crate) fn document(self) -> String {
        let Self { name, inner } = self;
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name}>{inner}</{name}>")
    }
}

/// One element of a document that was read, its text as it stands, white space and all: keys may begin with a space.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    /// Without its namespace prefix.
    pub(crate) name: String,
    /// All text directly in it.
    pub(crate) text: String,
    pub(crate) children: Vec<Node>,
}

impl Node {
    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Every child of that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// How deep a document may go; those of OSS go three deep.
const DEPTH_LIMIT: usize = 16;

/// Reads a document; `None` when it is not well-formed.
pub(crate) fn read(body: &[u8]) -> Option<Node> {
    let mut reader = quick_xml::Reader::from_str(std::str::from_utf8(body).ok()?);
    // The outermost node stands for the document itself.
    let mut open = vec![Node::default()];
    loop {
        let event = reader.read_event().ok()?;
        match event {
            Event::Start(start) if open.len() < DEPTH_LIMIT => {
                let name = start.local_name().as_ref().to_owned();
                open.push(Node { name, ..Node::default() });
            }
            Event::Start(_) => return None,
            Event::Empty(empty) => {
                let name = empty.local_name().as_ref().to_owned();
                open.last_mut()?.children.push(Node { name, ..Node::default() });
            }
            Event::End(_) => {
                let node = open.pop()?;
                open.last_mut()?.children.push(node);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(name) => {
                let reference = format!("&{};", name.into_inner());
                open.last_mut()?.text.push_str(&unescape(&reference).ok()?);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let document = open.pop().filter(|_| open.is_empty())?;
    let mut roots = document.children.into_iter();
    roots.next().filter(|_| roots.next().is_none())
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
            Ok(Event::Eof) => return elements > 0 && open == 0,
            Ok(Event::Start(_)) => {
                elements += 1;
                open += 1;
            }
            Ok(Event::End(_)) => open = open.saturating_sub(1),
            Ok(Event::Empty(_)) => elements += 1,
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
    fn a_document_is_read_with_its_spaces_references_and_without_its_namespace() {
        let root = read(b"<?xml version=\"1.0\"?><D xmlns='x'>\n<Quiet>true</Quiet><O><Key> a&amp;b&#x1;<![CDATA[<c>]]> </Key></O><O/></D>")
            .expect("reads");
        assert_eq!((root.name.as_str(), root.child("Quiet").map(|node| node.text.as_str())), ("D", Some("true")));
        let keys: Vec<_> = root.all("O").map(|object| object.child("Key").map(|key| key.text.as_str())).collect();
        assert_eq!(keys, [Some(" a&b\u{1}<c> "), None]);
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        for broken in ["", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&nope;</a>", &deep] {
            assert_eq!(read(broken.as_bytes()), None, "{broken}");
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
