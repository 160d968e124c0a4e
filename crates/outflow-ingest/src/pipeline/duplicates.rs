//! Objects that hold the very bytes of another: copies of an archive are no second observation.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;

use sha2::{Digest, Sha256};

use crate::Object;

/// The objects without copies of others, and the names of the copies, each with that of the object which stays. Of equal objects the first in the list
/// stays. Only objects of equal size are compared: files by their digests, and objects in S3 by their ETags, which are
/// equal only if the content is (but differ between copies that a key of KMS encrypts). What cannot be read is left for
/// the reader to report.
pub(crate) fn without(objects: &[Object]) -> (Vec<Object>, Vec<(String, String)>) {
    let mut of_size: BTreeMap<u64, u32> = BTreeMap::new();
    for size in objects.iter().filter_map(|object| object.size) {
        *of_size.entry(size).or_default() += 1;
    }
    let mut seen: BTreeMap<(u64, Mark), &str> = BTreeMap::new();
    let (mut kept, mut copies) = (Vec::new(), Vec::new());
    for object in objects {
        let twin_possible = object.size.filter(|size| *size > 0 && of_size[size] > 1);
        let mark = twin_possible.and_then(|size| Some((size, mark(object)?)));
        match mark.map(|mark| seen.entry(mark)) {
            Some(Entry::Occupied(first)) => {
                copies.push((object.uri.clone(), (*first.get()).to_owned()));
                continue;
            }
            Some(Entry::Vacant(place)) => {
                place.insert(&object.uri);
            }
            None => {}
        }
        kept.push(object.clone());
    }
    (kept, copies)
}

/// What tells the bytes of objects of one size apart.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Digest([u8; 32]),
    Etag(String),
}

fn mark(object: &Object) -> Option<Mark> {
    match &object.s3 {
        Some(s3) => s3.etag().map(|etag| Mark::Etag(etag.to_owned())),
        None => digest(object).map(Mark::Digest),
    }
}

fn digest(object: &Object) -> Option<[u8; 32]> {
    let mut file = std::fs::File::open(object.path.as_ref()?).ok()?;
    let mut hasher = Sha256::new();
    io::copy(&mut file, &mut hasher).ok()?;
    Some(hasher.finalize().into())
}
