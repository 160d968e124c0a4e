//! What a bucket holds of what is wanted.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::client::{Page, Requests};
use super::layout::{Look, look};
use super::object::At;
use super::{S3, S3Error, S3Object};
use crate::{Announced, Filter};

/// Folders listed at once. Beyond, they wait.
const LISTS_MAX: usize = 16;

/// A place in S3 that was named as a source: an object, or all below a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bucket's name.
    pub bucket: String,
    /// Key of an object, or what the keys of all objects begin with; may be empty.
    pub prefix: String,
}

/// What was found below a place.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In no order.
    pub(crate) objects: Vec<S3Object>,
    /// Folders that were passed over, as the filter wants nothing in them.
    pub(crate) passed: u64,
    /// Folders that could not be listed, or not to their end, by their URIs.
    pub(crate) unlisted: Vec<(String, S3Error)>,
}

impl S3 {
    /// Lists what is wanted below a place. A name without a slash at its end is an object, or a folder if there is no
    /// such object: `logs` is not `logs-of-old/`.
    pub(crate) fn list(&self, place: &Place, filter: &Filter) -> Result<Found, S3Error> {
        let Place { bucket, prefix } = place;
        let mut root = prefix.clone();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            if let Some(object) = self.named(bucket, prefix)? {
                return Ok(Found {
                    objects: vec![object],
                    ..Found::default()
                });
            }
            root.push('/');
        }
        let mut found = self.wait(self.below(bucket, root, filter));
        match (&found.objects[..], found.unlisted.pop()) {
            ([], Some((_, error))) if found.unlisted.is_empty() => Err(error),
            (_, last) => {
                found.unlisted.extend(last);
                Ok(found)
            }
        }
    }

    /// The object that was announced: as the event has it, or as the bucket lists it where the event does not say
    /// enough to know it again.
    ///
    /// # Errors
    /// [`S3Error::Gone`] if it is not there, and why the bucket could not be listed.
    pub fn announced(&self, of: &Announced) -> Result<S3Object, S3Error> {
        if let (Some(size), Some(etag)) = (of.size, &of.etag) {
            let at = At {
                bucket: of.bucket.clone(),
                key: of.key.clone(),
                size,
                // Lists have quotes, and an object must be known again however it came.
                etag: Some(format!("\"{etag}\"")),
            };
            return Ok(S3Object::new(self, at));
        }
        self.named(&of.bucket, &of.key)?.ok_or(S3Error::Gone)
    }

    /// The object of this very key, which is the first of all that begin with it.
    fn named(&self, bucket: &str, key: &str) -> Result<Option<S3Object>, S3Error> {
        let page = Page {
            bucket,
            prefix: key,
            delimiter: None,
            token: None,
            keys_max: Some(1),
        };
        let listed = self.wait(self.requests().list(&page))?;
        let first = listed.contents.unwrap_or_default().into_iter().next();
        let at = first.and_then(|object| At::listed(bucket, object));
        Ok(at
            .filter(|at| at.key == key)
            .map(|at| S3Object::new(self, at)))
    }

    async fn below(&self, bucket: &str, root: String, filter: &Filter) -> Found {
        let mut found = Found::default();
        let mut running = JoinSet::new();
        let mut waiting = vec![root];
        loop {
            while running.len() < LISTS_MAX
                && let Some(prefix) = waiting.pop()
            {
                let through = match look(&prefix, filter) {
                    Look::Past => {
                        found.passed += 1;
                        continue;
                    }
                    Look::Through => true,
                    Look::Into => false,
                };
                let (requests, bucket) = (Arc::clone(self.requests()), bucket.to_owned());
                running.spawn(async move { level(&requests, &bucket, prefix, through).await });
            }
            let level = match running.join_next().await {
                None => return found,
                Some(Ok(level)) => level,
                // A panic is a fault of the program: it goes on here. Nothing is cancelled.
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            };
            let objects = level.objects.into_iter();
            found
                .objects
                .extend(objects.map(|at| S3Object::new(self, at)));
            waiting.extend(level.folders);
            if let Some(error) = level.error {
                let uri = format!("s3://{bucket}/{}", level.prefix);
                found.unlisted.push((uri, error));
            }
        }
    }
}

/// What one prefix holds.
struct Level {
    prefix: String,
    objects: Vec<At>,
    folders: Vec<String>,
    /// Why the list ended early.
    error: Option<S3Error>,
}

/// Lists all pages of a prefix: all below it, or what stands in it.
async fn level(requests: &Requests, bucket: &str, prefix: String, through: bool) -> Level {
    let mut level = Level {
        prefix,
        objects: Vec::new(),
        folders: Vec::new(),
        error: None,
    };
    let mut token = None;
    loop {
        let page = Page {
            bucket,
            prefix: &level.prefix,
            delimiter: (!through).then_some("/"),
            token: token.clone(),
            keys_max: None,
        };
        let listed = match requests.list(&page).await {
            Ok(listed) => listed,
            Err(error) => {
                level.error = Some(error);
                return level;
            }
        };
        let objects = listed.contents.unwrap_or_default().into_iter();
        level
            .objects
            .extend(objects.filter_map(|object| At::listed(bucket, object)));
        let folders = listed.common_prefixes.unwrap_or_default().into_iter();
        level
            .folders
            .extend(folders.filter_map(|folder| folder.prefix));
        let next = listed.next_continuation_token;
        if next.is_none() {
            return level;
        }
        if next == token {
            let reason = "it gives the same page of the list again".to_owned();
            level.error = Some(S3Error::Refused { reason });
            return level;
        }
        token = next;
    }
}

impl At {
    /// An object as S3 lists it; one without a key is none.
    fn listed(bucket: &str, object: aws_sdk_s3::types::Object) -> Option<Self> {
        Some(Self {
            bucket: bucket.to_owned(),
            key: object.key?,
            size: u64::try_from(object.size.unwrap_or(0)).unwrap_or(0),
            etag: object.e_tag,
        })
    }
}

impl S3Object {
    fn new(s3: &S3, at: At) -> Self {
        Self {
            s3: s3.clone(),
            at: Arc::new(at),
        }
    }
}
