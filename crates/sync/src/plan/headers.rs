//! Which objects with the right bytes have the wrong headers.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use twinsite_core::Run;

use super::{Planner, Reason, Rewrite};
use crate::manifest::Prints;
use crate::plan::diff::{KnownHeaders, KnownObject, header_changes, headers_by_manifest};
use crate::{Headers, RemoteObject, SourceObject, Store, StoreError, SyncError};

/// Objects asked for at once.
const WIDTH: usize = 64;

impl<S: Store> Planner<'_, S> {
    /// Of the objects at these places.
    pub(super) async fn compare_headers(&self, same: &[usize], run: &Run) -> Result<Vec<Rewrite>, SyncError> {
        let mut prints = Prints::default();
        let mut rewrites = Vec::new();
        let mut unknown = Vec::new();
        let written = self.written();
        for (object, remote) in same.iter().map(|at| (&self.source.objects[*at], self.met.remote[*at])) {
            let Some(remote) = remote else { continue };
            if self.is_current && remote.modified <= written {
                continue;
            }
            let wanted = prints.of(&object.headers);
            match headers_by_manifest(self.entry(&object.key), wanted, (remote.modified, written)) {
                KnownHeaders::Right => {}
                KnownHeaders::Wrong => rewrites.push(self.rewrite(object, remote, Vec::new(), None)),
                KnownHeaders::Unknown => unknown.push((object, remote)),
            }
        }
        let looks = unknown.into_iter().map(|(object, remote)| self.look(object, remote));
        let mut looks = stream::iter(looks).buffer_unordered(WIDTH);
        while let Some(found) = looks.try_next().await? {
            rewrites.extend(found);
            if run.is_cancelled() {
                return Err(SyncError::Cancelled);
            }
        }
        rewrites.sort_by(|a, b| a.object.key.cmp(&b.object.key));
        Ok(rewrites)
    }

    async fn look(&self, object: &Arc<SourceObject>, listed: &RemoteObject) -> Result<Option<Rewrite>, SyncError> {
        let head = self.store.head(&object.key).await?.filter(|head| head.etag == listed.etag);
        let Some(head) = head else { return Err(StoreError::Changed(object.key.clone()).into()) };
        let changes = header_changes(&head.headers, &object.headers);
        Ok((!changes.is_empty()).then(|| self.rewrite(object, listed, changes, Some(head.headers))))
    }

    fn rewrite(
        &self,
        object: &Arc<SourceObject>,
        listed: &RemoteObject,
        changes: Vec<&'static str>,
        served: Option<Headers>,
    ) -> Rewrite {
        let digest = Some(KnownObject::of(listed, self.entry(&object.key), self.written()).digest);
        let (reason, etag) = (Reason::Metadata(changes), listed.etag.clone());
        Rewrite { object: Arc::clone(object), reason, etag, digest, served }
    }
}
