//! XML as a tree. Configurations are stored whole, so that settings unknown to the emulation are preserved.

use quick_xml::events::{BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};
use serde::{Deserialize, Serialize};

/// An element without attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its text; empty when it has children.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Its children.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Self>,
}

impl Element {
    /// An element with text.
    pub fn leaf(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), text: text.into(), children: Vec::new() }
    }

    /// An element with children.
    pub fn node(name: &str, children: Vec<Self>) -> Self {
        Self { name: name.to_owned(), text: String::new(), children }
    }

    /// A list with `Quantity` and `Items`, as CloudFront writes it.
    pub fn list(name: &str, items: Vec<Self>) -> Self {
        let mut children = vec![Self::leaf("Quantity", items.len().to_string())];
        if !items.is_empty() {
            children.push(Self::node("Items", items));
        }
        Self::node(name, children)
    }

    /// Visits the element and all below it.
    pub(super) fn each(&self, visit: &mut impl FnMut(&Self)) {
        visit(self);
        self.children.iter().for_each(|child| child.each(visit));
    }

    /// Parses a document.
    pub fn parse(xml: &[u8]) -> Result<Self, String> {
        let mut reader = Reader::from_reader(xml);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => open.push(Self::node(&local_name(&start), Vec::new())),
                Event::Empty(start) => close(&mut open, Self::node(&local_name(&start), Vec::new())),
                Event::End(_) => {
                    let done = open.pop().ok_or("unexpected end of an element")?;
                    close(&mut open, done);
                }
                Event::Text(text) => append(&mut open, &text.xml10_content()),
                Event::CData(text) => append(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let escaped = format!("&{};", &*reference);
                    append(&mut open, &quick_xml::escape::unescape(&escaped).map_err(|error| error.to_string())?);
                }
                Event::Eof => break,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
        let mut top = open.pop().ok_or("the document is empty")?;
        top.children.pop().map(Self::trimmed).ok_or_else(|| "the document is empty".to_owned())
    }

    /// Removes whitespace between elements.
    fn trimmed(mut self) -> Self {
        if !self.children.is_empty() {
            self.text.clear();
        }
        self.children = self.children.into_iter().map(Self::trimmed).collect();
        self
    }

    /// The document as text.
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::new(Vec::new());
        // Writing to memory does not fail.
        self.write(&mut writer).unwrap_or_default();
        String::from_utf8(writer.into_inner()).unwrap_or_default()
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        writer.write_event(Event::Start(BytesStart::new(self.name.as_str())))?;
        if !self.text.is_empty() {
            writer.write_event(Event::Text(BytesText::new(&self.text)))?;
        }
        for child in &self.children {
            child.write(writer)?;
        }
        writer.write_event(Event::End(BytesStart::new(self.name.as_str()).to_end()))
    }

    /// A child by name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a descendant, by a path such as `A/B`; empty when it does not exist.
    pub fn at(&self, path: &str) -> &str {
        let mut at = self;
        for name in path.split('/') {
            match at.child(name) {
                Some(child) => at = child,
                None => return "",
            }
        }
        &at.text
    }

    /// The items of a list child.
    pub fn items(&self, name: &str) -> &[Self] {
        self.child(name).and_then(|list| list.child("Items")).map_or(&[], |items| &items.children)
    }

    /// The items of a list, to be changed.
    pub(crate) fn items_mut(&mut self) -> &mut [Self] {
        self.children.iter_mut().find(|child| child.name == "Items").map_or(&mut [], |items| &mut items.children)
    }

    /// Adds a child unless one with its name exists.
    pub fn add_default(&mut self, child: Self) {
        if self.child(&child.name).is_none() {
            self.children.push(child);
        }
    }

    /// The name of the first list at any depth whose `Quantity` is not the number of its items.
    pub fn inconsistent(&self) -> Option<&str> {
        let count = self.child("Items").map_or(0, |items| items.children.len());
        let quantity = self.child("Quantity").map(|quantity| quantity.text.as_str());
        if quantity.is_some_and(|quantity| quantity != count.to_string()) {
            return Some(&self.name);
        }
        self.children.iter().find_map(Self::inconsistent)
    }
}

fn local_name(start: &BytesStart<'_>) -> String {
    start.local_name().as_ref().to_owned()
}

fn close(open: &mut [Element], done: Element) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(done);
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsed_documents_are_written_unchanged() {
        let text = "<A xmlns=\"x\"><B>1 &amp; &lt;2</B> <C/><D><Quantity>1</Quantity><Items><E>x</E></Items></D></A>";
        let element = Element::parse(text.as_bytes()).unwrap();
        assert_eq!((element.at("B"), element.at("none/at/all")), ("1 & <2", ""));
        assert_eq!(element.items("D"), [Element::leaf("E", "x")]);
        assert_eq!(Element::parse(element.to_xml().as_bytes()).unwrap(), element);
    }

    #[test]
    fn quantities_are_checked_at_any_depth() {
        let list = |quantity: &str| format!("<A><B><Quantity>{quantity}</Quantity><Items><E>x</E></Items></B></A>");
        assert_eq!(Element::parse(list("1").as_bytes()).unwrap().inconsistent(), None);
        assert_eq!(Element::parse(list("2").as_bytes()).unwrap().inconsistent(), Some("B"));
    }
}
