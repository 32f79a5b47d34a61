//! Reads pages of listings. The SDK makes a dozen values of every entry, of which four are needed, and takes longer for a page than
//! everything else that happens to it: so the page is read while it passes, and the SDK is given an empty one. What cannot be read
//! here, and whatever is not a page, passes as it is.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::Format;
use bytes::Bytes;
use http_body::{Body, Frame};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

use super::wire::{KeyEncoding, remote_object};
use crate::StoreError;
use crate::store::Page;

/// What the SDK gets to read.
const EMPTY: &[u8] = b"<ListBucketResult></ListBucketResult>";

/// Looks at one answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed(Arc<Mutex<Option<Result<Page, StoreError>>>>);

impl Listed {
    /// The page; `None` when the SDK has read it.
    pub(super) fn take(&self) -> Option<Result<Page, StoreError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Intercept for Listed {
    fn name(&self) -> &'static str {
        "Listed"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // An earlier attempt may have left something, and then lost its answer.
        self.take();
        let response = context.response_mut();
        if response.status().as_u16() == 200 {
            let body = std::mem::replace(response.body_mut(), SdkBody::taken());
            *response.body_mut() =
                SdkBody::from_body_1_x(Passing { body: Some(body), read: Vec::new(), listed: self.clone() });
        }
        Ok(())
    }
}

/// A body that is read when all of it has arrived.
struct Passing {
    /// `None` once it has ended.
    body: Option<SdkBody>,
    read: Vec<u8>,
    listed: Listed,
}

impl Body for Passing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        while let Some(body) = &mut self.body {
            match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    self.body = None;
                    let read = std::mem::take(&mut self.read);
                    let page = page(&read);
                    let rest = if page.is_some() { Bytes::from_static(EMPTY) } else { read.into() };
                    *self.listed.0.lock().unwrap_or_else(PoisonError::into_inner) = page;
                    return Poll::Ready(Some(Ok(Frame::data(rest))));
                }
            }
        }
        Poll::Ready(None)
    }
}

/// What an element is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Result,
    Contents,
    Key,
    Size,
    ETag,
    LastModified,
    IsTruncated,
    EncodingType,
    Other,
}

impl Name {
    fn of(name: &str) -> Self {
        match name {
            "ListBucketResult" => Self::Result,
            "Contents" => Self::Contents,
            "Key" => Self::Key,
            "Size" => Self::Size,
            "ETag" => Self::ETag,
            "LastModified" => Self::LastModified,
            "IsTruncated" => Self::IsTruncated,
            "EncodingType" => Self::EncodingType,
            _ => Self::Other,
        }
    }
}

/// An entry as it was read.
#[derive(Debug)]
struct Entry {
    key: String,
    size: Option<u64>,
    etag: String,
    modified: Option<i64>,
}

/// What was read of a page so far.
#[derive(Debug, Default)]
struct Reading {
    entries: Vec<Entry>,
    truncated: String,
    encoding: String,
    key: String,
    size: String,
    etag: String,
    modified: String,
    /// The date read last: whatever is published together has few of them.
    date: (String, Option<i64>),
}

impl Reading {
    /// Where the text of an element belongs.
    fn field(&mut self, path: &[Name]) -> Option<&mut String> {
        match path {
            [Name::Result, Name::IsTruncated] => Some(&mut self.truncated),
            [Name::Result, Name::EncodingType] => Some(&mut self.encoding),
            [Name::Result, Name::Contents, field] => match field {
                Name::Key => Some(&mut self.key),
                Name::Size => Some(&mut self.size),
                Name::ETag => Some(&mut self.etag),
                Name::LastModified => Some(&mut self.modified),
                Name::Result | Name::Contents | Name::IsTruncated | Name::EncodingType | Name::Other => None,
            },
            _ => None,
        }
    }

    /// An entry has ended.
    fn entry(&mut self) {
        if self.modified != self.date.0 {
            let date = DateTime::from_str(&self.modified, Format::DateTime).ok();
            self.date = (std::mem::take(&mut self.modified), date.map(|date| date.secs()));
        }
        self.entries.push(Entry {
            key: std::mem::take(&mut self.key),
            size: self.size.parse().ok(),
            etag: std::mem::take(&mut self.etag),
            modified: self.date.1,
        });
        self.size.clear();
        self.modified.clear();
    }

    /// All entries, once it is known how their keys are encoded.
    fn page(self) -> Result<Page, StoreError> {
        let says = self.encoding.eq_ignore_ascii_case("url");
        let encoding = KeyEncoding::of(says, self.entries.iter().map(|entry| entry.key.as_str()));
        let object = |Entry { key, size, etag, modified }: Entry| {
            remote_object(&encoding.decoded(&key), size, Some(&etag), modified)
        };
        let objects = self.entries.into_iter().map(object).collect::<Result<_, _>>()?;
        Ok(Page { objects, more: self.truncated == "true" })
    }
}

/// Reads a page; `None` when it is none.
fn page(text: &[u8]) -> Option<Result<Page, StoreError>> {
    let mut reader = Reader::from_str(std::str::from_utf8(text).ok()?);
    let (mut path, mut reading) = (Vec::new(), Reading::default());
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => path.push(Name::of(start.local_name().as_ref())),
            Event::End(_) => {
                if path == [Name::Result, Name::Contents] {
                    reading.entry();
                }
                path.pop();
            }
            Event::Text(text) => drop(reading.field(&path).map(|field| field.push_str(&text))),
            Event::GeneralRef(name) => {
                if let Some(field) = reading.field(&path) {
                    match name.resolve_char_ref().ok()? {
                        Some(one) => field.push(one),
                        None => field.push_str(resolve_predefined_entity(&name)?),
                    }
                }
            }
            Event::Eof => break,
            // No answer of S3's has any, and the SDK knows what to make of it.
            Event::CData(_) | Event::DocType(_) => return None,
            Event::Empty(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
    // Only a page tells whether there are more, and only a whole one ends where it began.
    (path.is_empty() && !reading.truncated.is_empty()).then(|| reading.page())
}

#[cfg(test)]
mod tests {
    use super::page;

    const PAGE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <Name>b</Name><Prefix/><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
        <Contents><Key>a%26%0A+b</Key><LastModified>2026-11-26T07:00:00.000Z</LastModified>\
        <ETag>&quot;900150983cd24fb0d6963f7d28e17f72&#34;</ETag><Size>3</Size>\
        <Owner><ID>Key</ID><DisplayName>x</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>\
        <Contents><Key>b</Key><LastModified>2026-11-26T07:00:01.000Z</LastModified><ETag>\"x-2\"</ETag><Size>0</Size></Contents>\
        </ListBucketResult>";

    #[test]
    fn a_page_is_read() {
        let page = page(PAGE.as_bytes()).unwrap().unwrap();
        assert!(page.more);
        let [a, b] = &page.objects[..] else { panic!("{page:?}") };
        assert_eq!((a.key.as_str(), a.size, a.modified), ("a&\n b", 3, 1_795_676_400));
        assert_eq!(a.etag.to_string(), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(
            (b.key.as_str(), b.size, b.modified - a.modified, b.etag.to_string()),
            ("b", 0, 1, "x-2".to_owned())
        );
    }

    #[test]
    fn what_is_no_page_is_left_to_the_sdk_and_what_is_incomplete_is_an_error() {
        for text in ["", "hello", "<Error><Code>SlowDown</Code></Error>", &PAGE[..300], "<ListBucketResult/>"] {
            assert!(page(text.as_bytes()).is_none(), "{text}");
        }
        for lost in ["<Size>3</Size>", "<Key>b</Key>", "<LastModified>2026-11-26T07:00:00.000Z</LastModified>"] {
            assert!(page(PAGE.replace(lost, "").as_bytes()).unwrap().is_err(), "{lost}");
        }
    }
}
