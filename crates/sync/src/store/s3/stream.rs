//! A request body that is read from a file while it is sent, a piece ahead.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::model::range::{Content, FileRange};

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// Pieces that may be on their way: one that is sent, one that waits, and one for each side of that.
const AHEAD: usize = 4;

/// A body for the SDK, which can be sent again.
pub(super) fn body(content: Content) -> SdkBody {
    match content {
        Content::Memory(bytes) => SdkBody::from(bytes),
        Content::File(range) => SdkBody::retryable(move || SdkBody::from_body_1_x(FileBody::new(range.clone()))),
    }
}

struct FileBody {
    /// What has not been read yet; the file is opened when the first piece is asked for.
    unread: Option<FileRange>,
    pieces: Option<mpsc::Receiver<io::Result<Bytes>>>,
    left: u64,
}

impl FileBody {
    fn new(range: FileRange) -> Self {
        let left = range.length;
        Self { unread: Some(range), pieces: None, left }
    }
}

/// Reads ahead until everything is read, or nobody wants it any more.
fn read(range: &FileRange, send: &mpsc::Sender<io::Result<Bytes>>) {
    let all = || -> io::Result<()> {
        let (mut file, mut left) = (range.open()?, range.length);
        let mut sent = VecDeque::new();
        while left > 0 {
            let mut piece = again(&mut sent);
            piece.truncate(usize::try_from(left).unwrap_or(PIECE));
            file.read_exact(&mut piece)?;
            left -= piece.len() as u64;
            let piece = piece.freeze();
            sent.push_back(piece.clone());
            if send.blocking_send(Ok(piece)).is_err() {
                break;
            }
        }
        Ok(())
    };
    if let Err(error) = all() {
        // Who does not listen any more need not hear of it.
        drop(send.blocking_send(Err(error)));
    }
}

/// The oldest piece, if it is gone to where it was sent. Memory that was used before need not be cleared by the system.
fn again(sent: &mut VecDeque<Bytes>) -> BytesMut {
    let oldest = if sent.len() < AHEAD { None } else { sent.pop_front() };
    oldest.and_then(|oldest| oldest.try_into_mut().ok()).unwrap_or_else(|| BytesMut::zeroed(PIECE))
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(range) = self.unread.take() {
            let (send, pieces) = mpsc::channel(1);
            drop(tokio::task::spawn_blocking(move || read(&range, &send)));
            self.pieces = Some(pieces);
        }
        let Some(pieces) = &mut self.pieces else { return Poll::Ready(None) };
        pieces.poll_recv(cx).map(|piece| {
            if let Some(Ok(piece)) = &piece {
                self.left = self.left.saturating_sub(piece.len() as u64);
            }
            piece.map(|piece| piece.map(Frame::data))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
